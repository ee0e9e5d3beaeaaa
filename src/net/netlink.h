// A conversation with the kernel's network stack (rtnetlink(7)) over libmnl, which takes care of
// framing and padding. A session belongs to the network namespace in which it was opened and stays
// there when the process moves on: that is how one process talks to two namespaces.
#pragma once

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace ocirt::net {

// A request under construction. Attributes are added to header() with mnl_attr_put*().
class Message {
 public:
  // `flags` are NLM_F_*; NLM_F_REQUEST is always there.
  Message(uint16_t type, uint16_t flags);
  nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(buffer_); }
  // Appends the fixed part, such as ifinfomsg, which comes before the attributes.
  template <class T>
  T& fixed() {
    return *static_cast<T*>(mnl_nlmsg_put_extra_header(header(), sizeof(T)));
  }

 private:
  static constexpr size_t kSize = 4096;  // every request of ours is far smaller
  alignas(nlmsghdr) char buffer_[kSize];
};

// A message from the kernel, copied: aligned as nlmsghdr wants it.
class Reply {
 public:
  explicit Reply(const nlmsghdr* header);
  const nlmsghdr* header() const { return reinterpret_cast<const nlmsghdr*>(words_.data()); }
  template <class T>
  const T& fixed() const {
    return *static_cast<const T*>(mnl_nlmsg_get_payload(header()));
  }
  // The attribute of that type after a fixed part of type T, or null.
  template <class T>
  const nlattr* attribute(uint16_t type) const {
    return find(sizeof(T), type);
  }
  template <class T, class Visit>
  void each_attribute(Visit visit) const {
    for (const nlattr* at = first(sizeof(T)); at != nullptr; at = next(at)) visit(at);
  }

 private:
  const nlattr* find(size_t offset, uint16_t type) const;
  const nlattr* first(size_t offset) const;
  const nlattr* next(const nlattr* attribute) const;
  std::vector<uint32_t> words_;
};

// Messages of the kernel as hexadecimal digits, so that they can be part of a line of text; and
// back.
std::string to_hex(const std::vector<Reply>& replies);
Result<std::vector<Reply>> from_hex(std::string_view digits);

// What a message of type NLMSG_ERROR or NLMSG_DONE says: an error has the kernel's code and, when
// it gives one, its sentence (NETLINK_EXT_ACK).
Result<> verdict_of(const nlmsghdr* header);

class Session {
 public:
  // In the network namespace in which this process is; with another part of the kernel than
  // rtnetlink if `bus` says so (NETLINK_*).
  static Result<Session> open(int bus = NETLINK_ROUTE);

  // Sends the request and waits for the kernel's word on it.
  Result<> change(Message& message);
  // Sends the request and returns what the kernel answers, a dump or one message.
  Result<std::vector<Reply>> ask(Message& message);
  // Sends requests as they are, as one datagram, and returns what the kernel has answered by then:
  // for those that are carried out before the call returns, and ask for no answer but an error.
  Result<std::vector<Reply>> send(std::string_view requests);

 private:
  struct Closer {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
  };
  Result<std::vector<Reply>> ask_once(Message& message, bool& interrupted);
  Result<std::vector<Reply>> receive(int flags);

  std::unique_ptr<mnl_socket, Closer> socket_;
  uint32_t sequence_ = 0;
};

}  // namespace ocirt::net
