#include "src/net/nft_batch.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "src/base/text.h"
#include "src/net/netlink.h"

namespace ocirt::net {

NftBatch::NftBatch() {
  header(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  names_ += "begin\n";
  end();
}

void NftBatch::align() { bytes_.resize(MNL_ALIGN(bytes_.size())); }

void NftBatch::header(uint16_t type, uint16_t flags, uint8_t family, uint16_t resource) {
  message_ = bytes_.size();
  const nlmsghdr header{.nlmsg_len = 0,
                        .nlmsg_type = type,
                        .nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags),
                        .nlmsg_seq = sequence_++,
                        .nlmsg_pid = 0};
  bytes_.append(reinterpret_cast<const char*>(&header), sizeof header);
  const nfgenmsg general{
      .nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)};
  bytes_.append(reinterpret_cast<const char*>(&general), sizeof general);
}

void NftBatch::begin(uint16_t type, uint16_t flags, std::string_view what) {
  names_ += cat(what, "\n");
  header(static_cast<uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | type), flags, NFPROTO_INET, 0);
}

void NftBatch::end() {
  align();
  const auto length = static_cast<uint32_t>(bytes_.size() - message_);
  std::memcpy(bytes_.data() + message_, &length, sizeof length);
}

void NftBatch::put(uint16_t type, std::string_view bytes) {
  const nlattr attribute{.nla_len = static_cast<uint16_t>(sizeof(nlattr) + bytes.size()),
                         .nla_type = type};
  bytes_.append(reinterpret_cast<const char*>(&attribute), sizeof attribute);
  bytes_.append(bytes);
  align();
}

void NftBatch::put_name(uint16_t type, std::string_view name) { put(type, cat(name, '\0')); }

void NftBatch::put_number(uint16_t type, uint32_t number) {
  const uint32_t ordered = htonl(number);
  put(type, {reinterpret_cast<const char*>(&ordered), sizeof ordered});
}

size_t NftBatch::open(uint16_t type) {
  const size_t at = bytes_.size();
  put(static_cast<uint16_t>(type | NLA_F_NESTED), {});
  return at;
}

void NftBatch::close(size_t at) {
  const auto length = static_cast<uint16_t>(bytes_.size() - at);
  std::memcpy(bytes_.data() + at, &length, sizeof length);
}

std::string_view NftBatch::name_of(uint32_t sequence) const {
  std::string_view rest = names_;
  for (uint32_t i = 0; i < sequence; ++i) (void)next_line(rest);
  return next_line(rest).value_or("?");
}

Result<> NftBatch::commit() {
  header(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  names_ += "commit\n";
  end();
  Session session = TRY(Session::open(NETLINK_NETFILTER));
  // Nothing asked for an answer: what there is are errors, and the first says it.
  const std::vector<Reply> answers = TRY(within("nftables", session.send(bytes_)));
  for (const Reply& answer : answers) {
    if (answer.header()->nlmsg_type != NLMSG_ERROR) continue;
    Result<> verdict = verdict_of(answer.header());
    if (!verdict) {
      return within(cat("nftables: ", name_of(answer.header()->nlmsg_seq)), std::move(verdict));
    }
  }
  return {};
}

}  // namespace ocirt::net
