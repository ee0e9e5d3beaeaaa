#include "src/net/nft_batch.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "src/base/text.h"

namespace ocirt::net {
namespace {

struct Closer {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};
using Socket = std::unique_ptr<mnl_socket, Closer>;

Result<Socket> open_socket() {
  Socket socket(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC));
  if (!socket) return os_error("nftables: open", errno);
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return os_error("nftables: bind", errno);
  }
  return socket;
}

// A transaction is one datagram; the usual limit holds about two thousand ports.
void make_room(mnl_socket* socket, size_t size) {
  const int wanted = static_cast<int>(size * 2);
  (void)::setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof wanted);
}

}  // namespace

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
  Socket socket = TRY(open_socket());
  make_room(socket.get(), bytes_.size());
  if (mnl_socket_sendto(socket.get(), bytes_.data(), bytes_.size()) < 0) {
    return os_error("nftables: send", errno);
  }
  // Nothing asked for an answer: what waits here already are errors, and the first says it.
  alignas(nlmsghdr) char buffer[8192];
  Result<> verdict;
  for (;;) {
    const ssize_t got =
        ::recv(mnl_socket_get_fd(socket.get()), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ENOBUFS && verdict) return os_error("nftables", ENOBUFS);
    if (got <= 0) return verdict;
    int left = static_cast<int>(got);
    for (const auto* reply = reinterpret_cast<const nlmsghdr*>(buffer); mnl_nlmsg_ok(reply, left);
         reply = mnl_nlmsg_next(reply, &left)) {
      if (reply->nlmsg_type != NLMSG_ERROR || !verdict) continue;
      const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(reply));
      if (error->error == 0) continue;
      verdict = os_error(cat("nftables: ", name_of(reply->nlmsg_seq)), -error->error);
    }
  }
}

Result<bool> has_table(std::string_view name) {
  Socket socket = TRY(open_socket());
  alignas(nlmsghdr) char buffer[8192];
  nlmsghdr* header = mnl_nlmsg_put_header(buffer);
  header->nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE;
  header->nlmsg_flags = NLM_F_REQUEST;
  auto* general = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
  general->nfgen_family = NFPROTO_INET;
  mnl_attr_put_strz(header, NFTA_TABLE_NAME, std::string(name).c_str());
  if (mnl_socket_sendto(socket.get(), header, header->nlmsg_len) < 0) {
    return os_error("nftables: send", errno);
  }
  const ssize_t got = mnl_socket_recvfrom(socket.get(), buffer, sizeof buffer);
  if (got < 0) return os_error("nftables: receive", errno);
  const auto* reply = reinterpret_cast<const nlmsghdr*>(buffer);
  if (reply->nlmsg_type != NLMSG_ERROR) return true;
  const int code = -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(reply))->error;
  if (code == ENOENT) return false;
  return os_error("nftables", code);
}

}  // namespace ocirt::net
