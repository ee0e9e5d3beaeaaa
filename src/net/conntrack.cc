#include "src/net/conntrack.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include <cstring>
#include <optional>

#include "src/net/netlink.h"

namespace ocirt::net {
namespace {

// Bits of CTA_FILTER_*_FLAGS: which parts of a tuple have to agree. The kernel's own, since 5.8.
constexpr uint32_t kSource = 1U << 0, kProtocol = 1U << 3, kDestinationPort = 1U << 5;

Message conntrack_message(uint8_t what, uint16_t flags, bool v6) {
  Message message(static_cast<uint16_t>((NFNL_SUBSYS_CTNETLINK << 8) | what), flags);
  auto& general = message.fixed<nfgenmsg>();
  general.nfgen_family = v6 ? AF_INET6 : AF_INET;
  general.version = NFNETLINK_V0;
  return message;
}

void put_filter(nlmsghdr* header, uint32_t original, uint32_t reply) {
  nlattr* filter = mnl_attr_nest_start(header, CTA_FILTER);
  mnl_attr_put_u32(header, CTA_FILTER_ORIG_FLAGS, original);
  mnl_attr_put_u32(header, CTA_FILTER_REPLY_FLAGS, reply);
  mnl_attr_nest_end(header, filter);
}

// Forgets what the question finds, but for translated connections if `plain`.
void forget(Message& question, bool v6, bool plain) {
  Result<Session> session = Session::open(NETLINK_NETFILTER);
  if (!session) return;
  const Result<std::vector<Reply>> found = session->ask(question);
  if (!found) return;
  for (const Reply& connection : *found) {
    const nlattr* status = connection.attribute<nfgenmsg>(CTA_STATUS);
    const nlattr* tuple = connection.attribute<nfgenmsg>(CTA_TUPLE_ORIG);
    if (status == nullptr || tuple == nullptr) continue;
    if (plain && (ntohl(mnl_attr_get_u32(status)) & IPS_NAT_MASK) != 0) continue;
    Message removal = conntrack_message(IPCTNL_MSG_CT_DELETE, 0, v6);
    for (uint16_t type : {uint16_t{CTA_TUPLE_ORIG}, uint16_t{CTA_ID}, uint16_t{CTA_ZONE}}) {
      const nlattr* part = connection.attribute<nfgenmsg>(type);
      if (part == nullptr) continue;
      const auto whole = static_cast<uint16_t>(part->nla_type);  // with the bit that says "nested"
      mnl_attr_put(removal.header(), whole, mnl_attr_get_payload_len(part),
                   mnl_attr_get_payload(part));
    }
    (void)session->change(removal);
  }
}

}  // namespace

void forget_pod(const Subnet& address) {
  Message question = conntrack_message(IPCTNL_MSG_CT_GET, NLM_F_DUMP, address.v6);
  nlmsghdr* header = question.header();
  nlattr* tuple = mnl_attr_nest_start(header, CTA_TUPLE_REPLY);
  nlattr* ip = mnl_attr_nest_start(header, CTA_TUPLE_IP);
  mnl_attr_put(header, address.v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, address.size(),
               address.bytes.data());
  mnl_attr_nest_end(header, ip);
  mnl_attr_nest_end(header, tuple);
  put_filter(header, 0, kSource);
  forget(question, address.v6, false);
}

void forget_port(const PodPort& port) {
  if (port.protocol != PodProtocol::kUdp) return;
  const std::optional<Subnet> host = parse_address(port.host_ip);
  for (bool v6 : {false, true}) {
    if (host && host->v6 != v6) continue;
    Message question = conntrack_message(IPCTNL_MSG_CT_GET, NLM_F_DUMP, v6);
    nlmsghdr* header = question.header();
    nlattr* tuple = mnl_attr_nest_start(header, CTA_TUPLE_ORIG);
    nlattr* protocol = mnl_attr_nest_start(header, CTA_TUPLE_PROTO);
    mnl_attr_put_u8(header, CTA_PROTO_NUM, IPPROTO_UDP);
    mnl_attr_put_u16(header, CTA_PROTO_DST_PORT, htons(port.host_port));
    mnl_attr_nest_end(header, protocol);
    mnl_attr_nest_end(header, tuple);
    put_filter(header, kProtocol | kDestinationPort, 0);
    forget(question, v6, true);
  }
}

}  // namespace ocirt::net
