#include "src/net/pod_link.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/veth.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "src/base/text.h"

namespace ocirt::net {
namespace {

// Locally administered; spells "ocirt".
constexpr unsigned char kBridgeAddress[] = {0x02, 'o', 'c', 'i', 'r', 't'};

void put_string(Message& message, uint16_t type, std::string_view text) {
  mnl_attr_put_strz(message.header(), type, std::string(text).c_str());
}

Message link_message(uint16_t type, uint16_t flags, uint32_t device_flags) {
  Message message(type, flags);
  auto& link = message.fixed<ifinfomsg>();
  link.ifi_flags = device_flags;
  link.ifi_change = device_flags;
  return message;
}

// A pod that asks for its own published port. Routed packets need no hairpin mode, but where
// br_netfilter is on (docker, Kubernetes), the bridge itself forwards what is translated.
Result<> set_hairpin(Session& session, std::string_view name) {
  Message message = link_message(RTM_NEWLINK, 0, 0);
  nlmsghdr* header = message.header();
  put_string(message, IFLA_IFNAME, name);
  nlattr* info = mnl_attr_nest_start(header, IFLA_LINKINFO);
  put_string(message, IFLA_INFO_SLAVE_KIND, "bridge");
  nlattr* data = mnl_attr_nest_start(header, IFLA_INFO_SLAVE_DATA);
  mnl_attr_put_u8(header, IFLA_BRPORT_MODE, 1);
  mnl_attr_nest_end(header, data);
  mnl_attr_nest_end(header, info);
  return session.change(message);
}

std::optional<Subnet> subnet_of(const Reply& route) {
  const auto& fixed = route.fixed<rtmsg>();
  if (route.header()->nlmsg_type != RTM_NEWROUTE || fixed.rtm_dst_len == 0) return std::nullopt;
  if (fixed.rtm_type == RTN_MULTICAST || (fixed.rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  const nlattr* bytes = route.attribute<rtmsg>(RTA_DST);
  if (bytes == nullptr) return std::nullopt;
  Subnet subnet;
  subnet.v6 = fixed.rtm_family == AF_INET6;
  subnet.length = fixed.rtm_dst_len;
  if (mnl_attr_get_payload_len(bytes) != subnet.size()) return std::nullopt;
  std::memcpy(subnet.bytes.data(), mnl_attr_get_payload(bytes), subnet.size());
  return subnet;
}

uint32_t index_of(const Reply& link) {
  return static_cast<uint32_t>(link.fixed<ifinfomsg>().ifi_index);
}

// What is made of hardware has no kind.
bool is_virtual(const Reply& link) {
  const nlattr* info = link.attribute<ifinfomsg>(IFLA_LINKINFO);
  if (info == nullptr) return false;
  // Of a port there are words about the bridge as well.
  int left = mnl_attr_get_payload_len(info);
  const auto* part = static_cast<const nlattr*>(mnl_attr_get_payload(info));
  while (mnl_attr_ok(part, left) && mnl_attr_get_type(part) != IFLA_INFO_KIND) {
    left -= MNL_ALIGN(part->nla_len);
    part = mnl_attr_next(part);
  }
  return mnl_attr_ok(part, left);
}

}  // namespace

std::string host_device(std::string_view name, std::string_view uid) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  uint64_t hash = hash_of(cat(name, "/", uid));
  hash ^= hash >> 40;  // all of it counts
  std::string device = "ocirt";
  for (int i = 0; i < 10; ++i, hash >>= 4) device += kDigits[hash & 15];
  return device;
}

Result<> make_bridge(Session& session, std::string_view name) {
  Message message = link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
  put_string(message, IFLA_IFNAME, name);
  mnl_attr_put(message.header(), IFLA_ADDRESS, sizeof kBridgeAddress, kBridgeAddress);
  nlattr* info = mnl_attr_nest_start(message.header(), IFLA_LINKINFO);
  put_string(message, IFLA_INFO_KIND, "bridge");
  mnl_attr_nest_end(message.header(), info);
  return session.change(message);
}

Result<bool> is_our_bridge(Session& session, std::string_view name) {
  Message message = link_message(RTM_GETLINK, 0, 0);
  put_string(message, IFLA_IFNAME, name);
  Result<std::vector<Reply>> replies = session.ask(message);
  if (!replies && replies.error().code == ENODEV) return false;
  if (!replies) return std::unexpected(std::move(replies).error());
  if (replies->empty()) return false;
  const nlattr* address = replies->front().attribute<ifinfomsg>(IFLA_ADDRESS);
  return address != nullptr && mnl_attr_get_payload_len(address) == sizeof kBridgeAddress &&
         std::memcmp(mnl_attr_get_payload(address), kBridgeAddress, sizeof kBridgeAddress) == 0;
}

Result<bool> has_ports(Session& session, uint32_t index) {
  Message message = link_message(RTM_GETLINK, NLM_F_DUMP, 0);
  const std::vector<Reply> links = TRY(session.ask(message));
  return std::ranges::any_of(links, [&](const Reply& link) {
    const nlattr* master = link.attribute<ifinfomsg>(IFLA_MASTER);
    return master != nullptr && mnl_attr_get_u32(master) == index;
  });
}

Result<uint32_t> newest_device(Session& session) {
  Message message = link_message(RTM_GETLINK, NLM_F_DUMP, 0);
  uint32_t newest = 0;
  for (const Reply& link : TRY(session.ask(message))) newest = std::max(newest, index_of(link));
  return newest;
}

Result<bool> has_virtual_device_since(Session& session, uint32_t index) {
  Message message = link_message(RTM_GETLINK, NLM_F_DUMP, 0);
  const std::vector<Reply> links = TRY(session.ask(message));
  return std::ranges::any_of(links, [&](const Reply& link) {
    const bool up = (link.fixed<ifinfomsg>().ifi_flags & IFF_UP) != 0;
    return up && index_of(link) > index && is_virtual(link);
  });
}

Result<> make_pair(Session& session, std::string_view name, uint32_t bridge, Fd ns) {
  Message message = link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, IFF_UP);
  nlmsghdr* header = message.header();
  put_string(message, IFLA_IFNAME, name);
  mnl_attr_put_u32(header, IFLA_MASTER, bridge);
  nlattr* info = mnl_attr_nest_start(header, IFLA_LINKINFO);
  put_string(message, IFLA_INFO_KIND, "veth");
  nlattr* data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
  nlattr* peer = mnl_attr_nest_start(header, VETH_INFO_PEER);
  (void)message.fixed<ifinfomsg>();
  put_string(message, IFLA_IFNAME, kInside);
  mnl_attr_put_u32(header, IFLA_NET_NS_FD, static_cast<uint32_t>(ns.raw()));
  mnl_attr_nest_end(header, peer);
  mnl_attr_nest_end(header, data);
  mnl_attr_nest_end(header, info);
  TRY(session.change(message));
  return within("let it send packets back where they came from", set_hairpin(session, name));
}

Result<> delete_link(Session& session, std::string_view name) {
  Message message = link_message(RTM_DELLINK, 0, 0);
  put_string(message, IFLA_IFNAME, name);
  Result<> gone = session.change(message);
  if (!gone && gone.error().code == ENODEV) return {};
  return within(cat("delete the device ", name), std::move(gone));
}

Result<> add_address(Session& session, uint32_t index, const Subnet& subnet, uint32_t number) {
  const Subnet address = address_at(subnet, number);
  Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  auto& fixed = message.fixed<ifaddrmsg>();
  fixed.ifa_family = subnet.v6 ? AF_INET6 : AF_INET;
  fixed.ifa_prefixlen = subnet.length;
  fixed.ifa_scope = RT_SCOPE_UNIVERSE;
  fixed.ifa_index = index;
  mnl_attr_put(message.header(), IFA_LOCAL, address.size(), address.bytes.data());
  mnl_attr_put(message.header(), IFA_ADDRESS, address.size(), address.bytes.data());
  if (subnet.v6) {
    mnl_attr_put_u32(message.header(), IFA_FLAGS, IFA_F_NODAD);
  } else {
    Subnet all = address;
    const std::array<uint8_t, 16> mask = mask_of(subnet);
    for (size_t i = 0; i < all.size(); ++i) {
      all.bytes[i] = static_cast<uint8_t>(all.bytes[i] | ~mask[i]);
    }
    mnl_attr_put(message.header(), IFA_BROADCAST, all.size(), all.bytes.data());
  }
  return within(cat("address ", address_text(address)), session.change(message));
}

Result<> add_default_route(Session& session, uint32_t index, const Subnet& gateway) {
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  auto& fixed = message.fixed<rtmsg>();
  fixed.rtm_family = gateway.v6 ? AF_INET6 : AF_INET;
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = RTPROT_STATIC;
  fixed.rtm_scope = RT_SCOPE_UNIVERSE;
  fixed.rtm_type = RTN_UNICAST;
  mnl_attr_put(message.header(), RTA_GATEWAY, gateway.size(), gateway.bytes.data());
  mnl_attr_put_u32(message.header(), RTA_OIF, index);
  return within(cat("default route through ", address_text(gateway)), session.change(message));
}

Result<std::vector<Subnet>> subnets_in_use(Session& session) {
  std::vector<Subnet> used;
  for (uint8_t family : {uint8_t{AF_INET}, uint8_t{AF_INET6}}) {
    Message message(RTM_GETROUTE, NLM_F_DUMP);
    message.fixed<rtmsg>().rtm_family = family;
    const Result<std::vector<Reply>> routes = session.ask(message);
    // A host without IPv6 says EOPNOTSUPP or the like.
    if (!routes && family == AF_INET) return std::unexpected(routes.error());
    if (!routes) continue;
    for (const Reply& route : *routes) {
      if (std::optional<Subnet> subnet = subnet_of(route)) used.push_back(*subnet);
    }
  }
  return used;
}

}  // namespace ocirt::net
