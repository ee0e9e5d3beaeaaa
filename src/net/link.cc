#include "src/net/link.h"

#include <linux/if.h>
#include <linux/if_link.h>

#include <cerrno>

namespace ocirt::net {
namespace {

Message link_message(uint16_t type, uint32_t index, uint32_t flags = 0) {
  Message message(type, 0);
  auto& link = message.fixed<ifinfomsg>();
  link.ifi_index = static_cast<int>(index);
  link.ifi_flags = flags;
  link.ifi_change = flags;
  return message;
}

void put_name(Message& message, std::string_view name) {
  mnl_attr_put_strz(message.header(), IFLA_IFNAME, std::string(name).c_str());
}

Result<std::optional<Link>> the_link(Session& session, Message& message) {
  Result<std::vector<Reply>> replies = session.ask(message);
  if (!replies && replies.error().code == ENODEV) return std::nullopt;
  if (!replies) return std::unexpected(std::move(replies).error());
  if (replies->empty()) return std::nullopt;
  const Reply& reply = replies->front();
  const auto& fixed = reply.fixed<ifinfomsg>();
  Link link;
  link.index = static_cast<uint32_t>(fixed.ifi_index);
  link.up = (fixed.ifi_flags & IFF_UP) != 0;
  if (const nlattr* name = reply.attribute<ifinfomsg>(IFLA_IFNAME)) {
    link.name = mnl_attr_get_str(name);
  }
  if (const nlattr* master = reply.attribute<ifinfomsg>(IFLA_MASTER)) {
    link.master = mnl_attr_get_u32(master);
  }
  return link;
}

}  // namespace

Result<std::optional<Link>> find_link(Session& session, std::string_view name) {
  Message message = link_message(RTM_GETLINK, 0);
  put_name(message, name);
  return the_link(session, message);
}

Result<std::optional<Link>> find_link(Session& session, uint32_t index) {
  Message message = link_message(RTM_GETLINK, index);
  return the_link(session, message);
}

Result<> move_link(Session& session, uint32_t index, Fd ns, std::string_view name) {
  Message message = link_message(RTM_NEWLINK, index);
  mnl_attr_put_u32(message.header(), IFLA_NET_NS_FD, static_cast<uint32_t>(ns.raw()));
  put_name(message, name);
  return session.change(message);
}

Result<> rename_link(Session& session, uint32_t index, std::string_view name) {
  Message message = link_message(RTM_NEWLINK, index);
  put_name(message, name);
  return session.change(message);
}

Result<> set_up(Session& session, uint32_t index) {
  Message message = link_message(RTM_NEWLINK, index, IFF_UP);
  return session.change(message);
}

Result<> set_master(Session& session, uint32_t index, uint32_t master) {
  Message message = link_message(RTM_NEWLINK, index);
  mnl_attr_put_u32(message.header(), IFLA_MASTER, master);
  return session.change(message);
}

}  // namespace ocirt::net
