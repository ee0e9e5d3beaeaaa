#include "src/net/nft_query.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>
#include <string>
#include <vector>

#include "src/net/netlink.h"

namespace ocirt::net {
namespace {

Message query(uint8_t what, uint16_t flags) {
  Message message(static_cast<uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | what), flags);
  auto& general = message.fixed<nfgenmsg>();
  general = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0, .res_id = 0};
  return message;
}

void put_name(Message& message, uint16_t type, std::string_view name) {
  mnl_attr_put_strz(message.header(), type, std::string(name).c_str());
}

Result<std::vector<Reply>> ask(Message& message) {
  Session session = TRY(Session::open(NETLINK_NETFILTER));
  return within("nftables", session.ask(message));
}

// The same for a list, which is empty where there is nothing to have one.
Result<std::vector<Reply>> list(Message& message) {
  Result<std::vector<Reply>> replies = ask(message);
  if (!replies && replies.error().code == ENOENT) return std::vector<Reply>();
  return replies;
}

}  // namespace

Result<bool> has_table(std::string_view name) {
  Message message = query(NFT_MSG_GETTABLE, 0);
  put_name(message, NFTA_TABLE_NAME, name);
  const Result<std::vector<Reply>> table = ask(message);
  if (table) return true;
  if (table.error().code == ENOENT) return false;
  return std::unexpected(table.error());
}

Result<size_t> count_rules(std::string_view table) {
  Message message = query(NFT_MSG_GETRULE, NLM_F_DUMP);
  put_name(message, NFTA_RULE_TABLE, table);
  const std::vector<Reply> rules = TRY(list(message));
  return rules.size();
}

Result<size_t> count_elements(std::string_view table, std::string_view set) {
  Message message = query(NFT_MSG_GETSETELEM, NLM_F_DUMP);
  put_name(message, NFTA_SET_ELEM_LIST_TABLE, table);
  put_name(message, NFTA_SET_ELEM_LIST_SET, set);
  size_t count = 0;
  for (const Reply& reply : TRY(list(message))) {
    const nlattr* elements = reply.attribute<nfgenmsg>(NFTA_SET_ELEM_LIST_ELEMENTS);
    if (elements == nullptr) continue;
    int left = mnl_attr_get_payload_len(elements);
    const auto* element = static_cast<const nlattr*>(mnl_attr_get_payload(elements));
    for (; mnl_attr_ok(element, left); element = mnl_attr_next(element)) {
      left -= MNL_ALIGN(element->nla_len);
      ++count;
    }
  }
  return count;
}

}  // namespace ocirt::net
