// One rule of nftables, written expression by expression into a batch, so that it is read from left
// to right like the rule itself. What an expression leaves in a register, the next one takes.
#pragma once

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/text.h"
#include "src/net/nft_batch.h"

namespace ocirt::net {

// Registers are counted in words of four bytes here.
inline constexpr uint32_t kFirstRegister = NFT_REG32_00;

class Rule {
 public:
  // Until its end the batch takes nothing else.
  Rule(NftBatch& batch, std::string_view table, std::string_view chain) : batch_(batch) {
    batch_.begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, cat("rule in ", chain));
    batch_.put_name(NFTA_RULE_TABLE, table);
    batch_.put_name(NFTA_RULE_CHAIN, chain);
    list_ = batch_.open(NFTA_RULE_EXPRESSIONS);
  }
  Rule(const Rule&) = delete;
  Rule& operator=(const Rule&) = delete;
  ~Rule() {
    batch_.close(list_);
    batch_.end();
  }

  // What the kernel knows of the packet, into that register.
  Rule& meta(nft_meta_keys key, uint32_t reg = kFirstRegister) {
    begin("meta");
    batch_.put_number(NFTA_META_KEY, key);
    batch_.put_number(NFTA_META_DREG, reg);
    return done();
  }
  // Bytes of the packet, into that register.
  Rule& payload(nft_payload_bases base, uint32_t offset, uint32_t length,
                uint32_t reg = kFirstRegister) {
    begin("payload");
    batch_.put_number(NFTA_PAYLOAD_DREG, reg);
    batch_.put_number(NFTA_PAYLOAD_BASE, base);
    batch_.put_number(NFTA_PAYLOAD_OFFSET, offset);
    batch_.put_number(NFTA_PAYLOAD_LEN, length);
    return done();
  }
  // Goes on only when what the first register holds compares so.
  Rule& compare(nft_cmp_ops operation, std::string_view with) {
    begin("cmp");
    batch_.put_number(NFTA_CMP_SREG, kFirstRegister);
    batch_.put_number(NFTA_CMP_OP, operation);
    value(NFTA_CMP_DATA, with);
    return done();
  }
  // Keeps these bits of the first register.
  Rule& mask(std::string_view bits) {
    begin("bitwise");
    batch_.put_number(NFTA_BITWISE_SREG, kFirstRegister);
    batch_.put_number(NFTA_BITWISE_DREG, kFirstRegister);
    batch_.put_number(NFTA_BITWISE_LEN, static_cast<uint32_t>(bits.size()));
    value(NFTA_BITWISE_MASK, bits);
    value(NFTA_BITWISE_XOR, std::string(bits.size(), '\0'));
    return done();
  }
  // Goes on only for an address of this host.
  Rule& to_this_host() {
    begin("fib");
    batch_.put_number(NFTA_FIB_DREG, kFirstRegister);
    batch_.put_number(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
    batch_.put_number(NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
    done();
    return compare(NFT_CMP_EQ, native(RTN_LOCAL));
  }
  // Goes on only when the connection has one of these bits (IPS_*).
  Rule& status(uint32_t bits) {
    begin("ct");
    batch_.put_number(NFTA_CT_DREG, kFirstRegister);
    batch_.put_number(NFTA_CT_KEY, NFT_CT_STATUS);
    done();
    return mask(native(bits)).compare(NFT_CMP_NEQ, native(0));
  }
  // What the map has for the registers; goes on only when there is something.
  Rule& lookup(std::string_view set) {
    begin("lookup");
    batch_.put_name(NFTA_LOOKUP_SET, set);
    batch_.put_number(NFTA_LOOKUP_SREG, kFirstRegister);
    batch_.put_number(NFTA_LOOKUP_DREG, kFirstRegister);
    return done();
  }
  // What has been looked up becomes the destination.
  void to_pod(bool v6) {
    begin("nat");
    batch_.put_number(NFTA_NAT_TYPE, NFT_NAT_DNAT);
    batch_.put_number(NFTA_NAT_FAMILY, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
    batch_.put_number(NFTA_NAT_REG_ADDR_MIN, kFirstRegister);
    batch_.put_number(NFTA_NAT_REG_PROTO_MIN, kFirstRegister + (v6 ? 4 : 1));
    done();
  }
  // The source becomes the host's address.
  void masquerade() {
    begin("masq");
    done();
  }
  // The ends of a rule: the packet goes nowhere, or through that chain.
  void drop() { verdict(NF_DROP, {}); }
  void jump(std::string_view chain) { verdict(NFT_JUMP, chain); }

  // A number as the kernel has it in a register.
  static std::string native(uint32_t number) {
    return {reinterpret_cast<const char*>(&number), sizeof number};
  }

 private:
  void begin(std::string_view name) {
    element_ = batch_.open(NFTA_LIST_ELEM);
    batch_.put_name(NFTA_EXPR_NAME, name);
    data_ = batch_.open(NFTA_EXPR_DATA);
  }
  Rule& done() {
    batch_.close(data_);
    batch_.close(element_);
    return *this;
  }
  void value(uint16_t type, std::string_view bytes) {
    const size_t at = batch_.open(type);
    batch_.put(NFTA_DATA_VALUE, bytes);
    batch_.close(at);
  }
  void verdict(int code, std::string_view chain) {
    begin("immediate");
    batch_.put_number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    const size_t data = batch_.open(NFTA_IMMEDIATE_DATA);
    const size_t inner = batch_.open(NFTA_DATA_VERDICT);
    batch_.put_number(NFTA_VERDICT_CODE, static_cast<uint32_t>(code));
    if (!chain.empty()) batch_.put_name(NFTA_VERDICT_CHAIN, chain);
    batch_.close(inner);
    batch_.close(data);
    done();
  }

  NftBatch& batch_;
  size_t list_ = 0, element_ = 0, data_ = 0;
};

}  // namespace ocirt::net
