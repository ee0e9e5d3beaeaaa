#include "src/net/pod_listeners.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/text.h"
#include "src/net/subnet.h"
#include "src/sys/file.h"

namespace ocirt::net {
namespace {

constexpr size_t kMostSockets = size_t{64} << 20;  // of /proc/net/tcp: a busy host has many

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

Address address_of(const Subnet& host, uint16_t port) {
  Address address = {};
  if (host.v6) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
    std::memcpy(&address.v6.sin6_addr, host.bytes.data(), host.size());
  } else {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(port);
    std::memcpy(&address.v4.sin_addr, host.bytes.data(), host.size());
  }
  return address;
}

// errno of an attempt to listen there, or 0. The kernel knows best what meets what: an IPv6 socket
// on all addresses takes IPv4's ports too, unless it says not to.
int try_bind(PodProtocol protocol, const Subnet& host, uint16_t port) {
  int type = SOCK_STREAM;
  int number = IPPROTO_TCP;
  if (protocol == PodProtocol::kUdp) {
    type = SOCK_DGRAM;
    number = IPPROTO_UDP;
  }
  if (protocol == PodProtocol::kSctp) number = IPPROTO_SCTP;
  UniqueFd socket(::socket(host.v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, number));
  if (!socket.valid()) return 0;  // no such protocol here: nobody listens
  const int yes = 1;
  // TCP: connections that are over do not count. UDP: it would let two have the port.
  if (type == SOCK_STREAM) {
    (void)::setsockopt(socket.raw(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  }
  if (host.v6) (void)::setsockopt(socket.raw(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  const Address address = address_of(host, port);
  const socklen_t size = host.v6 ? sizeof address.v6 : sizeof address.v4;
  return ::bind(socket.raw(), &address.any, size) == 0 ? 0 : errno;
}

// The inode of a socket on the port, from /proc/net/{tcp,tcp6,udp,udp6}: "sl local remote st ...",
// the inode is the tenth field.
std::optional<std::string> socket_on(PodProtocol protocol, uint16_t port) {
  const bool tcp = protocol == PodProtocol::kTcp;
  for (std::string_view family : {"", "6"}) {
    const Result<std::string> table =
        sys::read_file(sys::kCwd, cat("/proc/net/", tcp ? "tcp" : "udp", family), kMostSockets);
    if (!table) continue;
    std::string_view rest = *table;
    (void)next_line(rest);
    while (std::optional<std::string_view> line = next_line(rest)) {
      std::vector<std::string_view> fields;
      for (std::string_view field : split(*line, ' ')) {
        if (!field.empty()) fields.push_back(field);
      }
      if (fields.size() < 10 || (tcp && fields[3] != "0A")) continue;
      const std::string_view local = fields[1];
      if (to_number<uint16_t>(local.substr(local.rfind(':') + 1), 16) != port) continue;
      return std::string(fields[9]);
    }
  }
  return std::nullopt;
}

// "nginx (pid 42)", or nothing when it cannot be found out.
std::string owner_of(std::string_view inode) {
  const std::string wanted = cat("socket:[", inode, "]");
  const Result<std::vector<std::string>> processes = sys::list_directory(sys::kCwd, "/proc");
  if (!processes) return {};
  for (const std::string& pid : *processes) {
    if (!to_number<int>(pid)) continue;
    const std::string directory = cat("/proc/", pid, "/fd");
    const Result<std::vector<std::string>> descriptors = sys::list_directory(sys::kCwd, directory);
    if (!descriptors) continue;
    for (const std::string& descriptor : *descriptors) {
      const Result<std::string> link = sys::read_link(sys::kCwd, cat(directory, "/", descriptor));
      if (!link || *link != wanted) continue;
      const Result<std::string> name = sys::read_file(sys::kCwd, cat("/proc/", pid, "/comm"));
      return cat(name ? trim(*name) : "?", " (pid ", pid, ")");
    }
  }
  return {};
}

Result<> check_one(const PodPort& port, std::string_view address) {
  const std::optional<Subnet> host = parse_address(address);
  if (!host) return refuse(cat("host port ", port_text(port), ": not an address"));
  const int code = try_bind(port.protocol, *host, port.host_port);
  if (code == EADDRNOTAVAIL) {
    return std::unexpected(
        Error{code, cat("host port ", port_text(port), ": this host has no address ", address)});
  }
  if (code == EACCES) {
    return std::unexpected(Error{code, cat("host port ", port_text(port),
                                           ": an ordinary user may not have it "
                                           "(net.ipv4.ip_unprivileged_port_start)")});
  }
  if (code != EADDRINUSE) return {};
  const std::optional<std::string> inode = socket_on(port.protocol, port.host_port);
  const std::string owner = inode ? owner_of(*inode) : std::string();
  return std::unexpected(
      Error{code, cat("host port ", port_text(port), " is in use: ",
                      owner.empty() ? "a process of the host" : owner, " listens on it")});
}

}  // namespace

Result<> check_unused(const std::vector<PodPort>& ports) {
  for (const PodPort& port : ports) {
    if (!port.host_ip.empty()) {
      TRY(check_one(port, port.host_ip));
      continue;
    }
    TRY(check_one(port, "0.0.0.0"));
    TRY(check_one(port, "::"));
  }
  return {};
}

}  // namespace ocirt::net
