#include "src/net/netlink.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "src/base/text.h"
#include "src/net/netlink_answer.h"

namespace ocirt::net {
namespace {

// The attribute, or null when the message ends before it does.
const nlattr* whole(const nlmsghdr* header, const void* attribute) {
  const auto* at = static_cast<const char*>(attribute);
  const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(header));
  const auto* whole = static_cast<const nlattr*>(attribute);
  return mnl_attr_ok(whole, static_cast<int>(end - at)) ? whole : nullptr;
}

// The attribute of that type among those that begin `offset` bytes after the message's header.
const nlattr* find_attribute(const nlmsghdr* header, size_t offset, uint16_t type) {
  const nlattr* attribute = whole(header, mnl_nlmsg_get_payload_offset(header, offset));
  while (attribute != nullptr && mnl_attr_get_type(attribute) != type) {
    attribute = whole(header, mnl_attr_next(attribute));
  }
  return attribute;
}

// Where the attributes of such a message begin.
size_t attributes_of(const nlmsghdr* header) {
  if (header->nlmsg_type == NLMSG_DONE) return sizeof(int);
  // The request follows, its header only when the answer is capped.
  const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header));
  if ((header->nlmsg_flags & NLM_F_CAPPED) != 0) return sizeof(nlmsgerr);
  return sizeof(nlmsgerr) + MNL_ALIGN(error->msg.nlmsg_len) - MNL_NLMSG_HDRLEN;
}

}  // namespace

Result<> verdict_of(const nlmsghdr* header) {
  const int code = TRY(code_in(header));
  if (code == 0) return {};
  std::string text(errno_text(code));
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) != 0) {
    const nlattr* words = find_attribute(header, attributes_of(header), NLMSGERR_ATTR_MSG);
    if (words != nullptr) text += cat(" (", std::string_view(mnl_attr_get_str(words)), ")");
  }
  return std::unexpected(Error{code, std::move(text)});
}

Message::Message(uint16_t type, uint16_t flags) {
  nlmsghdr* header = mnl_nlmsg_put_header(buffer_);
  header->nlmsg_type = type;
  header->nlmsg_flags = NLM_F_REQUEST | flags;
}

Reply::Reply(const nlmsghdr* header)
    : words_((header->nlmsg_len + sizeof(uint32_t) - 1) / sizeof(uint32_t)) {
  std::memcpy(words_.data(), header, header->nlmsg_len);
}

const nlattr* Reply::find(size_t offset, uint16_t type) const {
  return find_attribute(header(), offset, type);
}

const nlattr* Reply::first(size_t offset) const {
  return whole(header(), mnl_nlmsg_get_payload_offset(header(), offset));
}

const nlattr* Reply::next(const nlattr* attribute) const {
  return whole(header(), mnl_attr_next(attribute));
}

std::string to_hex(const std::vector<Reply>& replies) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const Reply& reply : replies) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(reply.header());
    for (size_t i = 0; i < MNL_ALIGN(reply.header()->nlmsg_len); ++i) {
      text += kDigits[bytes[i] >> 4];
      text += kDigits[bytes[i] & 15];
    }
  }
  return text;
}

Result<std::vector<Reply>> from_hex(std::string_view digits) {
  std::string bytes;
  for (size_t i = 0; i + 2 <= digits.size(); i += 2) {
    std::optional<uint8_t> byte = to_number<uint8_t>(digits.substr(i, 2), 16);
    if (!byte) return refuse("not a netlink message");
    bytes += static_cast<char>(*byte);
  }
  std::vector<uint32_t> words(bytes.size() / sizeof(uint32_t));  // aligned
  if (!words.empty()) std::memcpy(words.data(), bytes.data(), words.size() * sizeof(uint32_t));
  std::vector<Reply> replies;
  int left = static_cast<int>(words.size() * sizeof(uint32_t));
  for (const auto* header = reinterpret_cast<const nlmsghdr*>(words.data());
       mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left)) {
    replies.emplace_back(header);
  }
  if (left != 0) return refuse("not a netlink message");
  return replies;
}

Result<Session> Session::open(int bus) {
  Session session;
  session.socket_.reset(mnl_socket_open2(bus, SOCK_CLOEXEC));
  if (!session.socket_) return os_error("netlink: open", errno);
  if (mnl_socket_bind(session.socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return os_error("netlink: bind", errno);
  }
  // For better messages: the kernel's own sentence, without our request repeated, which may be
  // larger than any buffer of ours.
  int yes = 1;
  (void)mnl_socket_setsockopt(session.socket_.get(), NETLINK_EXT_ACK, &yes, sizeof yes);
  (void)mnl_socket_setsockopt(session.socket_.get(), NETLINK_CAP_ACK, &yes, sizeof yes);
  return session;
}

Result<> Session::change(Message& message) {
  message.header()->nlmsg_flags |= NLM_F_ACK;
  Result<std::vector<Reply>> replies = ask(message);
  if (!replies) return std::unexpected(std::move(replies).error());
  return {};
}

Result<std::vector<Reply>> Session::ask(Message& message) {
  // A dump during which something changed may lack what was there all the time: once more.
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; ++i) {
    bool interrupted = false;
    Result<std::vector<Reply>> replies = ask_once(message, interrupted);
    if (!interrupted) return replies;
  }
  return refuse("netlink: a list changed while it was read, ten times");
}

Result<std::vector<Reply>> Session::ask_once(Message& message, bool& interrupted) {
  nlmsghdr* header = message.header();
  header->nlmsg_seq = ++sequence_;
  const bool many = (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  const bool acknowledged = (header->nlmsg_flags & NLM_F_ACK) != 0;
  if (mnl_socket_sendto(socket_.get(), header, header->nlmsg_len) < 0) {
    return os_error("netlink: send", errno);
  }
  std::vector<Reply> replies;
  for (;;) {
    for (Reply& reply : TRY(receive(0))) {
      const nlmsghdr* answer = reply.header();
      if (answer->nlmsg_seq != sequence_) continue;
      if ((answer->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted = true;
      if (answer->nlmsg_type == NLMSG_DONE || answer->nlmsg_type == NLMSG_ERROR) {
        TRY(verdict_of(answer));
        return replies;
      }
      replies.push_back(std::move(reply));
      if (!many && !acknowledged) return replies;
    }
  }
}

Result<std::vector<Reply>> Session::send(std::string_view requests) {
  // The usual limit of a datagram holds about two thousand ports of pods.
  const int wanted = static_cast<int>(requests.size() * 2);
  (void)::setsockopt(mnl_socket_get_fd(socket_.get()), SOL_SOCKET, SO_SNDBUFFORCE, &wanted,
                     sizeof wanted);
  if (mnl_socket_sendto(socket_.get(), requests.data(), requests.size()) < 0) {
    return os_error("send", errno);
  }
  std::vector<Reply> replies;
  for (;;) {
    Result<std::vector<Reply>> more = receive(MSG_DONTWAIT);
    if (!more && more.error().code == EAGAIN) return replies;
    if (!more) return more;
    for (Reply& reply : *more) replies.push_back(std::move(reply));
  }
}

// The messages of one datagram.
Result<std::vector<Reply>> Session::receive(int flags) {
  constexpr size_t kMostReply = 32768;  // what the kernel puts into one datagram of a dump
  alignas(nlmsghdr) char buffer[kMostReply];
  ssize_t got = 0;
  do {
    got = ::recv(mnl_socket_get_fd(socket_.get()), buffer, sizeof buffer, flags | MSG_TRUNC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return os_error("netlink: receive", errno);
  const std::vector<const nlmsghdr*> messages =
      TRY(within("netlink", messages_in(buffer, static_cast<size_t>(got))));
  std::vector<Reply> replies;
  replies.reserve(messages.size());
  for (const nlmsghdr* message : messages) replies.emplace_back(message);
  return replies;
}

}  // namespace ocirt::net
