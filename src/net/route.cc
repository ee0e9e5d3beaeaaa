#include "src/net/route.h"

#include <cerrno>

namespace ocirt::net {
namespace {

bool is_made(const Reply& route, uint32_t index) {
  if (route.header()->nlmsg_type != RTM_NEWROUTE) return false;
  const auto& fixed = route.fixed<rtmsg>();
  const nlattr* device = route.attribute<rtmsg>(RTA_OIF);
  if (device == nullptr || mnl_attr_get_u32(device) != index) return false;
  if ((fixed.rtm_flags & RTM_F_CLONED) != 0 || fixed.rtm_type != RTN_UNICAST) return false;
  return fixed.rtm_protocol != RTPROT_KERNEL && fixed.rtm_protocol != RTPROT_REDIRECT &&
         fixed.rtm_protocol != RTPROT_RA;
}

Result<> add_route(Session& session, uint32_t index, const Reply& route) {
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  auto& fixed = message.fixed<rtmsg>();
  fixed = route.fixed<rtmsg>();
  fixed.rtm_flags &= RTNH_F_ONLINK;  // the others are the kernel's account of the device's state
  route.each_attribute<rtmsg>([&](const nlattr* attribute) {
    const uint16_t type = mnl_attr_get_type(attribute);
    if (type == RTA_OIF || type == RTA_CACHEINFO) return;
    mnl_attr_put(message.header(), type, mnl_attr_get_payload_len(attribute),
                 mnl_attr_get_payload(attribute));
  });
  mnl_attr_put_u32(message.header(), RTA_OIF, index);
  Result<> added = session.change(message);
  if (!added && added.error().code == EEXIST) return {};
  return within("route", std::move(added));
}

}  // namespace

Result<std::vector<Reply>> made_routes(Session& session, uint32_t index) {
  Message message(RTM_GETROUTE, NLM_F_DUMP);
  message.fixed<rtmsg>() = {};
  std::vector<Reply> all = TRY(session.ask(message));
  std::vector<Reply> made;
  for (Reply& route : all) {
    if (is_made(route, index)) made.push_back(std::move(route));
  }
  return made;
}

Result<> add_routes(Session& session, uint32_t index, const std::vector<Reply>& routes) {
  // The way to a gateway may be a route that is listed later: those that fail are tried once more.
  std::vector<const Reply*> left;
  for (const Reply& route : routes) {
    if (!add_route(session, index, route)) left.push_back(&route);
  }
  Result<> first;
  for (const Reply* route : left) {
    Result<> added = add_route(session, index, *route);
    if (!added && first) first = std::move(added);
  }
  return first;
}

}  // namespace ocirt::net
