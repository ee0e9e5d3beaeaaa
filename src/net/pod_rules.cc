#include "src/net/pod_rules.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>

#include <array>
#include <cstring>
#include <map>
#include <span>
#include <vector>

#include "src/base/text.h"
#include "src/net/nft_batch.h"
#include "src/net/nft_query.h"
#include "src/net/nft_rule.h"
#include "src/net/subnet.h"

namespace ocirt::net {
namespace {

// Chains. Two that see packets first, two that see connections, and one for both ways in.
constexpr std::string_view kGuard = "guard", kPublished = "published", kPrerouting = "prerouting",
                           kOutput = "output", kPostrouting = "postrouting";
// Maps from (host's address,) protocol and port to a pod's address and port.
constexpr std::string_view kAny4 = "ports4", kAny6 = "ports6", kOne4 = "addressed_ports4",
                           kOne6 = "addressed_ports6";

// How nft(8) shows keys: its numbers of types, six bits each, the first on the left.
constexpr uint32_t kTypeIp = 7, kTypeIp6 = 8, kTypeProtocol = 12, kTypeService = 13;
constexpr uint32_t chained(uint32_t left, uint32_t right) { return (left << 6) | right; }

// Where a family has what.
struct Family {
  bool v6;
  uint8_t protocol;  // NFPROTO_*
  uint32_t size, source, destination;
};
constexpr Family kV4{false, NFPROTO_IPV4, 4, 12, 16};
constexpr Family kV6{true, NFPROTO_IPV6, 16, 8, 24};

std::string byte(uint8_t value) { return {static_cast<char>(value)}; }

// As meta(iifname) is compared: all 16 bytes.
std::string device_bytes(std::string_view name) {
  std::string bytes(name);
  bytes.resize(16);
  return bytes;
}

std::string bytes_of(const Subnet& subnet) {
  return {reinterpret_cast<const char*>(subnet.bytes.data()), subnet.size()};
}

std::string mask_bytes(const Subnet& subnet) {
  const std::array<uint8_t, 16> mask = mask_of(subnet);
  return {reinterpret_cast<const char*>(mask.data()), subnet.size()};
}

// A number in a register, as its word: two bytes in network order, and two of padding.
std::string port_word(uint16_t port) {
  const uint16_t ordered = htons(port);
  std::string word(reinterpret_cast<const char*>(&ordered), sizeof ordered);
  word.resize(4);
  return word;
}

std::string protocol_word(PodProtocol protocol) {
  uint8_t number = IPPROTO_TCP;
  if (protocol == PodProtocol::kUdp) number = IPPROTO_UDP;
  if (protocol == PodProtocol::kSctp) number = IPPROTO_SCTP;
  std::string word = byte(number);
  word.resize(4);
  return word;
}

class Table {
 public:
  Table(NftBatch& batch, std::string_view bridge, const Pool& pool)
      : batch_(batch), name_(table_name(bridge)), bridge_(bridge), pool_(pool) {}

  // What `pods` publish, added or (NFT_MSG_DELSETELEM) taken away.
  Result<> write_ports(uint16_t type, std::span<const PoolPod> pods) {
    Subnet subnet4 = TRY(parse_subnet(pool_.subnet4));
    elements(type, kV4, subnet4, pods);
    if (pool_.subnet6.empty()) return {};
    Subnet subnet6 = TRY(parse_subnet(pool_.subnet6));
    elements(type, kV6, subnet6, pods);
    return {};
  }

  Result<> write() {
    TRY(write_frame());
    return write_ports(NFT_MSG_NEWSETELEM, pool_.pods);
  }

  // All but what is published.
  Result<> write_frame() {
    Subnet subnet4 = TRY(parse_subnet(pool_.subnet4));
    make_table();
    make_chains();
    make_maps(kV4);
    guard(kV4, subnet4);
    publish(kV4, kOne4, kAny4);
    leave(kV4, subnet4);
    from_loopback();
    if (pool_.subnet6.empty()) return {};
    Subnet subnet6 = TRY(parse_subnet(pool_.subnet6));
    make_maps(kV6);
    guard(kV6, subnet6);
    publish(kV6, kOne6, kAny6);
    leave(kV6, subnet6);
    return {};
  }

  // What has been written so far.
  size_t rules() const { return rules_; }
  size_t elements_in(std::string_view map) const {
    const auto found = elements_.find(map);
    return found == elements_.end() ? 0 : found->second;
  }

 private:
  void make_table() {
    // The first is there for the second, which would fail without a table.
    for (uint16_t type :
         {uint16_t{NFT_MSG_NEWTABLE}, uint16_t{NFT_MSG_DELTABLE}, uint16_t{NFT_MSG_NEWTABLE}}) {
      batch_.begin(type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0, "table");
      batch_.put_name(NFTA_TABLE_NAME, name_);
      batch_.end();
    }
  }

  void chain(std::string_view name, std::string_view type = {}, uint32_t hook = 0,
             int priority = 0) {
    batch_.begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE, cat("chain ", name));
    batch_.put_name(NFTA_CHAIN_TABLE, name_);
    batch_.put_name(NFTA_CHAIN_NAME, name);
    if (!type.empty()) {
      const size_t at = batch_.open(NFTA_CHAIN_HOOK);
      batch_.put_number(NFTA_HOOK_HOOKNUM, hook);
      batch_.put_number(NFTA_HOOK_PRIORITY, static_cast<uint32_t>(priority));
      batch_.close(at);
      batch_.put_number(NFTA_CHAIN_POLICY, NF_ACCEPT);
      batch_.put_name(NFTA_CHAIN_TYPE, type);
    }
    batch_.end();
  }

  void make_chains() {
    constexpr int kRaw = -300, kDnat = -100, kSnat = 100;
    chain(kPublished);
    chain(kGuard, "filter", NF_INET_PRE_ROUTING, kRaw);
    chain(kPrerouting, "nat", NF_INET_PRE_ROUTING, kDnat);
    chain(kOutput, "nat", NF_INET_LOCAL_OUT, kDnat);
    chain(kPostrouting, "nat", NF_INET_POST_ROUTING, kSnat);
    for (std::string_view from : {kPrerouting, kOutput}) {
      rule(from).to_this_host().jump(kPublished);
    }
  }

  void make_map(std::string_view name, uint32_t key_type, uint32_t key_length,
                const Family& family) {
    batch_.begin(NFT_MSG_NEWSET, NLM_F_CREATE, cat("map ", name));
    batch_.put_name(NFTA_SET_TABLE, name_);
    batch_.put_name(NFTA_SET_NAME, name);
    batch_.put_number(NFTA_SET_FLAGS, NFT_SET_MAP);
    batch_.put_number(NFTA_SET_KEY_TYPE, key_type);
    batch_.put_number(NFTA_SET_KEY_LEN, key_length);
    batch_.put_number(NFTA_SET_DATA_TYPE, chained(family.v6 ? kTypeIp6 : kTypeIp, kTypeService));
    batch_.put_number(NFTA_SET_DATA_LEN, family.size + 4);
    batch_.put_number(NFTA_SET_ID, ++sets_);
    batch_.end();
  }

  void make_maps(const Family& family) {
    const uint32_t service = chained(kTypeProtocol, kTypeService);
    const uint32_t addressed =
        chained(chained(family.v6 ? kTypeIp6 : kTypeIp, kTypeProtocol), kTypeService);
    make_map(family.v6 ? kAny6 : kAny4, service, 8, family);
    make_map(family.v6 ? kOne6 : kOne4, addressed, family.size + 8, family);
  }

  Rule rule(std::string_view chain_name) {
    ++rules_;
    return {batch_, name_, chain_name};
  }

  static Rule& only(Rule& rule, const Family& family) {
    return rule.meta(NFT_META_NFPROTO).compare(NFT_CMP_EQ, byte(family.protocol));
  }
  static Rule& source(Rule& rule, const Family& family, const Subnet& subnet, nft_cmp_ops how) {
    return rule.payload(NFT_PAYLOAD_NETWORK_HEADER, family.source, family.size)
        .mask(mask_bytes(subnet))
        .compare(how, bytes_of(subnet));
  }
  static Rule& destination(Rule& rule, const Family& family, const Subnet& subnet,
                           nft_cmp_ops how) {
    return rule.payload(NFT_PAYLOAD_NETWORK_HEADER, family.destination, family.size)
        .mask(mask_bytes(subnet))
        .compare(how, bytes_of(subnet));
  }

  // From no other host or pod anything for the host's loopback addresses: a port that is published
  // there would be translated before the kernel looks at the address, and for the bridge
  // route_localnet lets it in. And nothing from the bridge with an address that no pod has.
  void guard(const Family& family, const Subnet& subnet) {
    if (!family.v6) {
      Rule loopback = rule(kGuard);
      only(loopback.meta(NFT_META_IIFNAME).compare(NFT_CMP_NEQ, device_bytes("lo")), family);
      destination(loopback, family, {.length = 8, .bytes = {127}}, NFT_CMP_EQ).drop();
    }
    Rule foreign = rule(kGuard);
    from_bridge(foreign, family);
    if (family.v6) {
      source(foreign, family, {.v6 = true, .length = 10, .bytes = {0xfe, 0x80}}, NFT_CMP_NEQ);
      source(foreign, family, {.v6 = true, .length = 128, .bytes = {}}, NFT_CMP_NEQ);
    }
    source(foreign, family, subnet, NFT_CMP_NEQ).drop();
  }

  Rule& from_bridge(Rule& rule, const Family& family) {
    return only(rule.meta(NFT_META_IIFNAME).compare(NFT_CMP_EQ, device_bytes(bridge_)), family);
  }

  // The host's address first, since it says more than the port alone.
  void publish(const Family& family, std::string_view one, std::string_view any) {
    const uint32_t behind = kFirstRegister + family.size / 4;
    {
      Rule addressed = rule(kPublished);
      only(addressed, family)
          .payload(NFT_PAYLOAD_NETWORK_HEADER, family.destination, family.size)
          .meta(NFT_META_L4PROTO, behind)
          .payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, behind + 1)
          .lookup(one)
          .to_pod(family.v6);
    }
    Rule everywhere = rule(kPublished);
    only(everywhere, family)
        .meta(NFT_META_L4PROTO)
        .payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, kFirstRegister + 1)
        .lookup(any)
        .to_pod(family.v6);
  }

  // What pods send elsewhere, and to a pod by way of the host's address: the answer has to come
  // back through the host, or the pod would get it from somebody whom it never asked.
  void leave(const Family& family, const Subnet& subnet) {
    {
      Rule elsewhere = rule(kPostrouting);
      // Not on the bridge itself: multicast, which br_netfilter shows us too.
      only(elsewhere, family).meta(NFT_META_OIFNAME).compare(NFT_CMP_NEQ, device_bytes(bridge_));
      source(elsewhere, family, subnet, NFT_CMP_EQ);
      destination(elsewhere, family, subnet, NFT_CMP_NEQ).masquerade();
    }
    Rule hairpin = rule(kPostrouting);
    only(hairpin, family);
    source(hairpin, family, subnet, NFT_CMP_EQ);
    destination(hairpin, family, subnet, NFT_CMP_EQ).status(IPS_DST_NAT).masquerade();
  }

  // The host's own clients that ask 127.0.0.1: a pod could not answer them there.
  void from_loopback() {
    Rule made = rule(kPostrouting);
    only(made, kV4).meta(NFT_META_OIFNAME).compare(NFT_CMP_EQ, device_bytes(bridge_));
    source(made, kV4, {.length = 8, .bytes = {127}}, NFT_CMP_EQ).masquerade();
  }

  struct Element {
    std::string key, data, comment;
  };

  void put_elements(uint16_t type, std::string_view set, std::span<const Element> elements) {
    constexpr size_t kMostAtOnce = 256;  // an attribute has 64 KB
    elements_[set] += elements.size();
    while (!elements.empty()) {
      const size_t count = std::min(elements.size(), kMostAtOnce);
      batch_.begin(type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, cat("ports in ", set));
      batch_.put_name(NFTA_SET_ELEM_LIST_TABLE, name_);
      batch_.put_name(NFTA_SET_ELEM_LIST_SET, set);
      const size_t list = batch_.open(NFTA_SET_ELEM_LIST_ELEMENTS);
      for (const Element& element : elements.first(count)) put_element(type, element);
      batch_.close(list);
      batch_.end();
      elements = elements.subspan(count);
    }
  }

  void put_element(uint16_t type, const Element& element) {
    const size_t at = batch_.open(NFTA_LIST_ELEM);
    const size_t key = batch_.open(NFTA_SET_ELEM_KEY);
    batch_.put(NFTA_DATA_VALUE, element.key);
    batch_.close(key);
    if (type == NFT_MSG_DELSETELEM) {
      batch_.close(at);
      return;
    }
    const size_t data = batch_.open(NFTA_SET_ELEM_DATA);
    batch_.put(NFTA_DATA_VALUE, element.data);
    batch_.close(data);
    // As nft(8) keeps comments: type, length, text with its NUL.
    batch_.put(NFTA_SET_ELEM_USERDATA,
               cat('\0', static_cast<char>(element.comment.size() + 1), element.comment, '\0'));
    batch_.close(at);
  }

  void elements(uint16_t type, const Family& family, const Subnet& subnet,
                std::span<const PoolPod> pods) {
    std::vector<Element> addressed, everywhere;
    for (const PoolPod& pod : pods) {
      const std::string address = bytes_of(address_at(subnet, pod.number));
      for (const PodPort& port : pod.ports) {
        const std::optional<Subnet> host = parse_address(port.host_ip);
        if (host && host->v6 != family.v6) continue;
        Element element;
        element.key = cat(protocol_word(port.protocol), port_word(port.host_port));
        element.data = cat(address, port_word(port.pod_port));
        element.comment = cat("pod ", pod.name);
        const bool is_any = !host || bytes_of(*host) == std::string(host->size(), '\0');
        if (!is_any) element.key.insert(0, bytes_of(*host));
        (is_any ? everywhere : addressed).push_back(std::move(element));
      }
    }
    put_elements(type, family.v6 ? kOne6 : kOne4, addressed);
    put_elements(type, family.v6 ? kAny6 : kAny4, everywhere);
  }

  NftBatch& batch_;
  std::string name_;
  std::string bridge_;
  const Pool& pool_;
  uint32_t sets_ = 0;
  size_t rules_ = 0;
  std::map<std::string_view, size_t> elements_;  // of each map
};

}  // namespace

std::string table_name(std::string_view bridge) {
  return bridge == kBridgeName ? "ocirt" : cat("ocirt-", bridge);
}

Result<> write_rules(std::string_view bridge, const Pool& pool) {
  NftBatch batch;
  TRY(Table(batch, bridge, pool).write());
  return batch.commit();
}

Result<bool> are_rules_whole(std::string_view bridge, const Pool& pool) {
  NftBatch batch;  // never committed: what would be written is counted
  Table table(batch, bridge, pool);
  TRY(table.write());
  const size_t rules = TRY(count_rules(table_name(bridge)));
  if (rules < table.rules()) return false;
  for (std::string_view map : {kAny4, kAny6, kOne4, kOne6}) {
    if (table.elements_in(map) == 0) continue;
    const size_t elements = TRY(count_elements(table_name(bridge), map));
    if (elements < table.elements_in(map)) return false;
  }
  return true;
}

Result<> add_ports(std::string_view bridge, const Pool& pool, const PoolPod& pod) {
  NftBatch batch;
  TRY(Table(batch, bridge, pool).write_ports(NFT_MSG_NEWSETELEM, {&pod, 1}));
  return batch.commit() ? Result<>() : write_rules(bridge, pool);
}

Result<> remove_ports(std::string_view bridge, const Pool& pool, const PoolPod& pod) {
  NftBatch batch;
  TRY(Table(batch, bridge, pool).write_ports(NFT_MSG_DELSETELEM, {&pod, 1}));
  return batch.commit() ? Result<>() : write_rules(bridge, pool);
}

Result<bool> has_rules(std::string_view bridge) { return has_table(table_name(bridge)); }

Result<> remove_rules(std::string_view bridge) {
  NftBatch batch;
  for (uint16_t type : {uint16_t{NFT_MSG_NEWTABLE}, uint16_t{NFT_MSG_DELTABLE}}) {
    batch.begin(type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0, "table");
    batch.put_name(NFTA_TABLE_NAME, table_name(bridge));
    batch.end();
  }
  return batch.commit();
}

}  // namespace ocirt::net
