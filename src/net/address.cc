#include "src/net/address.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>

#include <cerrno>
#include <string>

#include "src/base/text.h"
#include "src/net/request.h"

namespace ocirt::net {
namespace {

constexpr uint16_t kProtocol = 11;  // IFA_PROTO, Linux 5.18: who made the address

uint32_t flags_of(const Reply& address) {
  const nlattr* wide = address.attribute<ifaddrmsg>(IFA_FLAGS);
  return wide != nullptr ? mnl_attr_get_u32(wide) : address.fixed<ifaddrmsg>().ifa_flags;
}

}  // namespace

std::string address_text(const Reply& address) {
  const auto& fixed = address.fixed<ifaddrmsg>();
  const nlattr* bytes = address.attribute<ifaddrmsg>(IFA_LOCAL);
  if (bytes == nullptr) bytes = address.attribute<ifaddrmsg>(IFA_ADDRESS);
  char text[INET6_ADDRSTRLEN] = "?";
  if (bytes != nullptr) {
    (void)::inet_ntop(fixed.ifa_family, mnl_attr_get_payload(bytes), text, sizeof text);
  }
  return cat(std::string_view(text), "/", fixed.ifa_prefixlen);
}

bool is_kept(const Reply& address) {
  return address.fixed<ifaddrmsg>().ifa_scope == RT_SCOPE_UNIVERSE &&
         (flags_of(address) & IFA_F_PERMANENT) != 0;
}

Result<std::vector<Reply>> addresses_of(Session& session, uint32_t index) {
  Message message(RTM_GETADDR, NLM_F_DUMP);
  message.fixed<ifaddrmsg>().ifa_index = index;
  std::vector<Reply> all = TRY(session.ask(message));
  std::vector<Reply> found;
  for (Reply& address : all) {
    const auto& fixed = address.fixed<ifaddrmsg>();
    // The kernel filters by device only when asked strictly; without, it lists those of all.
    if (address.header()->nlmsg_type != RTM_NEWADDR || fixed.ifa_index != index) continue;
    // For IPv4 the same bit says "secondary".
    if (fixed.ifa_family == AF_INET6 && (flags_of(address) & IFA_F_TEMPORARY) != 0) continue;
    found.push_back(std::move(address));
  }
  return found;
}

Result<> add_addresses(Session& session, uint32_t index, const std::vector<Reply>& addresses,
                       std::string_view from, std::string_view to) {
  // The others are the kernel's own account: permanent, tentative, secondary, deprecated.
  constexpr uint32_t kSettable =
      IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE | IFA_F_MANAGETEMPADDR;
  for (const Reply& address : addresses) {
    const auto& old = address.fixed<ifaddrmsg>();
    Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    auto& fixed = message.fixed<ifaddrmsg>();
    fixed.ifa_family = old.ifa_family;
    fixed.ifa_prefixlen = old.ifa_prefixlen;
    fixed.ifa_scope = old.ifa_scope;
    fixed.ifa_index = index;
    for (uint16_t type : {uint16_t{IFA_LOCAL}, uint16_t{IFA_ADDRESS}, uint16_t{IFA_BROADCAST},
                          uint16_t{IFA_RT_PRIORITY}, kProtocol}) {
      if (const nlattr* value = address.attribute<ifaddrmsg>(type)) {
        mnl_attr_put(message.header(), type, mnl_attr_get_payload_len(value),
                     mnl_attr_get_payload(value));
      }
    }
    if ((flags_of(address) & IFA_F_PERMANENT) == 0) {
      if (const nlattr* lifetime = address.attribute<ifaddrmsg>(IFA_CACHEINFO)) {
        mnl_attr_put(message.header(), IFA_CACHEINFO, mnl_attr_get_payload_len(lifetime),
                     mnl_attr_get_payload(lifetime));
      }
    }
    if (const nlattr* value = address.attribute<ifaddrmsg>(IFA_LABEL)) {
      const std::string label = renamed_label(mnl_attr_get_str(value), from, to);
      if (!label.empty()) mnl_attr_put_strz(message.header(), IFA_LABEL, label.c_str());
    }
    if (const uint32_t flags = flags_of(address) & kSettable; flags != 0) {
      mnl_attr_put_u32(message.header(), IFA_FLAGS, flags);
    }
    Result<> added = session.change(message);
    if (!added && added.error().code != EEXIST) {
      return within(cat("address ", address_text(address)), std::move(added));
    }
  }
  return {};
}

}  // namespace ocirt::net
