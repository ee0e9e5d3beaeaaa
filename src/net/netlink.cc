#include "src/net/netlink.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "src/base/text.h"

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

// What nlmsgerr tells: nothing is wrong, or an error with the kernel's own words if it has any.
Result<> verdict(const nlmsghdr* header) {
  const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header));
  if (error->error == 0) return {};
  std::string_view words;
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) != 0) {
    // The request follows, its header only when the answer is capped.
    size_t offset = sizeof(nlmsgerr);
    if ((header->nlmsg_flags & NLM_F_CAPPED) == 0) {
      offset += MNL_ALIGN(error->msg.nlmsg_len) - MNL_NLMSG_HDRLEN;
    }
    if (const nlattr* found = find_attribute(header, offset, NLMSGERR_ATTR_MSG)) {
      words = mnl_attr_get_str(found);
    }
  }
  std::string text(errno_text(-error->error));
  if (!words.empty()) text += cat(" (", words, ")");
  return std::unexpected(Error{-error->error, std::move(text)});
}

}  // namespace

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
  // Both are for better messages only: the kernel's own sentence, without our request repeated.
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
  constexpr size_t kMostReply = 32768;  // what the kernel puts into one datagram of a dump
  alignas(nlmsghdr) char buffer[kMostReply];
  for (;;) {
    const ssize_t got = mnl_socket_recvfrom(socket_.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error("netlink: receive", errno);
    int left = static_cast<int>(got);
    for (const auto* reply = reinterpret_cast<const nlmsghdr*>(buffer); mnl_nlmsg_ok(reply, left);
         reply = mnl_nlmsg_next(reply, &left)) {
      if (reply->nlmsg_seq != sequence_) continue;
      if ((reply->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted = true;
      if (reply->nlmsg_type == NLMSG_DONE) return replies;
      if (reply->nlmsg_type == NLMSG_ERROR) {
        TRY(verdict(reply));
        return replies;
      }
      replies.emplace_back(reply);
      if (!many && !acknowledged) return replies;
    }
  }
}

}  // namespace ocirt::net
