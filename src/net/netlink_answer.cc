#include "src/net/netlink_answer.h"

#include <cerrno>
#include <cstring>

#include "src/base/text.h"

namespace ocirt::net {

Result<std::vector<const nlmsghdr*>> messages_in(std::span<const char> buffer, size_t size) {
  if (size > buffer.size()) {
    return std::unexpected(
        Error{EMSGSIZE, cat("the kernel's answer has ", size, " bytes: too many to be read")});
  }
  std::vector<const nlmsghdr*> messages;
  for (size_t at = 0; at < size;) {
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data() + at);
    const size_t left = size - at;
    if (left < sizeof(nlmsghdr) || message->nlmsg_len < sizeof(nlmsghdr) ||
        message->nlmsg_len > left) {
      return os_error("the kernel's answer", EBADMSG);
    }
    messages.push_back(message);
    at += NLMSG_ALIGN(message->nlmsg_len);
  }
  return messages;
}

Result<int> code_in(const nlmsghdr* message) {
  const size_t length = message->nlmsg_len - NLMSG_HDRLEN;
  // A list of some parts of the kernel ends without a word.
  if (message->nlmsg_type == NLMSG_DONE && length < sizeof(int)) return 0;
  if (message->nlmsg_type == NLMSG_ERROR && length < sizeof(nlmsgerr)) {
    return os_error("the kernel's answer", EBADMSG);
  }
  int code = 0;  // the first of both
  std::memcpy(&code, NLMSG_DATA(message), sizeof code);
  return code < 0 ? -code : 0;
}

}  // namespace ocirt::net
