#include "src/net/pod_request.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

#include "oci-spec/json/reader.h"
#include "oci-spec/json/writer.h"
#include "src/base/text.h"
#include "src/net/rows.h"

namespace ocirt::net {

static_assert(oci::names_agree(PodVerb::kUp));
static_assert(oci::names_agree(PodMode::kUser));
static_assert(oci::names_agree(PodProtocol::kUdp));

}  // namespace ocirt::net

namespace oci::schema {

namespace net = ocirt::net;

namespace {

constexpr Field kPodPort[] = {
    OCI_FIELD(net::PodPort, protocol, "protocol"),
    OCI_FIELD(net::PodPort, host_ip, "hostIP"),
    OCI_FIELD(net::PodPort, host_port, "hostPort", {.required = true, .minimum = 1}),
    OCI_FIELD(net::PodPort, pod_port, "podPort", {.required = true, .minimum = 1}),
};

constexpr Field kPodRequest[] = {
    OCI_FIELD(net::PodRequest, verb, "verb", kRequired),
    OCI_FIELD(net::PodRequest, name, "name", kRequired),
    OCI_FIELD(net::PodRequest, uid, "uid", kRequired),
    OCI_FIELD(net::PodRequest, mode, "mode", kRequired),
    OCI_FIELD(net::PodRequest, netns, "netns"),
    OCI_FIELD(net::PodRequest, directory, "directory"),
    OCI_FIELD(net::PodRequest, hosts, "hosts"),
    OCI_FIELD(net::PodRequest, hostname, "hostname"),
    OCI_FIELD(net::PodRequest, ports, "ports"),
    OCI_FIELD(net::PodRequest, pool, "pool"),
    OCI_FIELD(net::PodRequest, bridge, "bridge"),
    OCI_FIELD(net::PodRequest, subnet4, "subnet4"),
    OCI_FIELD(net::PodRequest, subnet6, "subnet6"),
    OCI_FIELD(net::PodRequest, cni, "cni"),
    OCI_FIELD(net::PodRequest, cni_directory, "cniDirectory"),
    OCI_FIELD(net::PodRequest, cni_path, "cniPath"),
    OCI_FIELD(net::PodRequest, plugin_timeout_seconds, "pluginTimeoutSeconds",
              {.minimum = 1, .maximum = 3600}),
    OCI_FIELD(net::PodRequest, force, "force"),
};

constexpr Field kPodNetwork[] = {
    OCI_FIELD(net::PodNetwork, mode, "mode", kRequired),
    OCI_FIELD(net::PodNetwork, netns, "netns"),
    OCI_FIELD(net::PodNetwork, interface, "interface"),
    OCI_FIELD(net::PodNetwork, addresses, "addresses"),
    OCI_FIELD(net::PodNetwork, gateways, "gateways"),
    OCI_FIELD(net::PodNetwork, host_interface, "hostInterface"),
    OCI_FIELD(net::PodNetwork, bridge, "bridge"),
    OCI_FIELD(net::PodNetwork, ports, "ports"),
    OCI_FIELD(net::PodNetwork, nameservers, "nameservers"),
    OCI_FIELD(net::PodNetwork, searches, "searches"),
    OCI_FIELD(net::PodNetwork, notes, "notes"),
};

}  // namespace

template <>
constinit const Type Object<net::PodPort>::type = object(kPodPort);
template <>
constinit const Type Object<net::PodRequest>::type = object(kPodRequest);
template <>
constinit const Type Object<net::PodNetwork>::type = object(kPodNetwork);

}  // namespace oci::schema

namespace ocirt::net {
namespace {

constexpr size_t kMostLabel = 63;      // RFC 1123
constexpr size_t kMostInterface = 15;  // IFNAMSIZ with its NUL

constexpr bool is_between(char c, char first, char last) { return c >= first && c <= last; }

bool is_label(std::string_view text) {
  if (text.empty() || text.size() > kMostLabel || text.front() == '-' || text.back() == '-') {
    return false;
  }
  return std::ranges::all_of(
      text, [](char c) { return is_between(c, 'a', 'z') || is_between(c, '0', '9') || c == '-'; });
}

// A name of a host, a uid or a CNI network: no byte that means something in a hosts file, a path or
// a line of ours.
bool is_plain(std::string_view text) {
  if (text.size() > 253 || text.starts_with('.')) return false;
  return std::ranges::all_of(text, [](char c) {
    return is_between(c, 'a', 'z') || is_between(c, 'A', 'Z') || is_between(c, '0', '9') ||
           c == '-' || c == '_' || c == '.';
  });
}

bool is_interface(std::string_view text) {
  return !text.empty() && text.size() <= kMostInterface && is_plain(text);
}

bool is_address(const std::string& text) {
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

Result<> check_path(std::string_view field, std::string_view path, bool required) {
  if (path.empty() && !required) return {};
  if (!path.starts_with('/') || path.contains('\n')) {
    return refuse(cat(field, ": must be an absolute path, found ", quoted(path)));
  }
  return {};
}

Result<> check_ports(const std::vector<PodPort>& ports) {
  for (size_t i = 0; i < ports.size(); ++i) {
    if (!ports[i].host_ip.empty() && !is_address(ports[i].host_ip)) {
      return refuse(
          cat("ports[", i, "].hostIP: must be an address, found ", quoted(ports[i].host_ip)));
    }
    for (size_t before = 0; before < i; ++before) {
      if (!ports_meet(ports[before], ports[i])) continue;
      return refuse(cat("ports[", i, "]: host port ", port_text(ports[i]),
                        " is published by ports[", before, "] already"));
    }
  }
  return {};
}

Result<> check(const PodRequest& request) {
  if (!is_label(request.name)) {
    return refuse(cat("name: must be a DNS label, found ", quoted(request.name)));
  }
  if (request.uid.empty() || !is_plain(request.uid)) {
    return refuse(cat("uid: must be letters, digits and \"-\", found ", quoted(request.uid)));
  }
  if (!is_plain(request.hostname)) {
    return refuse(cat("hostname: must be a host's name, found ", quoted(request.hostname)));
  }
  if (!is_interface(request.bridge)) {
    return refuse(
        cat("bridge: must be 1 to 15 letters and digits, found ", quoted(request.bridge)));
  }
  if (request.mode == PodMode::kCni && (request.cni.empty() || !is_plain(request.cni))) {
    return refuse(cat("cni: must be the name of a network, found ", quoted(request.cni)));
  }
  const bool is_host = request.mode == PodMode::kHost;
  TRY(check_path("netns", request.netns, !is_host));
  TRY(check_path("directory", request.directory, !is_host));
  TRY(check_path("hosts", request.hosts, false));
  TRY(check_path("pool", request.pool, true));
  TRY(check_path("cniDirectory", request.cni_directory, true));
  return check_ports(request.ports);
}

template <class T>
Result<T> read_document(std::string_view text, std::string_view name) {
  T value;
  if (std::optional<oci::Error> error =
          oci::json::read(text, name, oci::schema::Object<T>::type, &value)) {
    return refuse(error->message());
  }
  return value;
}

// "::ffff:10.0.0.1" and "10.0.0.1" are not the same here: the kernel hands them to different rules.
bool is_any(std::string_view address) {
  return address.empty() || address == "0.0.0.0" || address == "::";
}

bool is_v6(std::string_view address) { return address.contains(':'); }

bool same_address(const std::string& one, const std::string& other) {
  unsigned char first[sizeof(in6_addr)] = {};
  unsigned char second[sizeof(in6_addr)] = {};
  const int family = is_v6(one) ? AF_INET6 : AF_INET;
  return ::inet_pton(family, one.c_str(), first) == 1 &&
         ::inet_pton(family, other.c_str(), second) == 1 &&
         std::string_view(reinterpret_cast<char*>(first), sizeof first) ==
             std::string_view(reinterpret_cast<char*>(second), sizeof second);
}

}  // namespace

std::string write_pod_request(const PodRequest& request) {
  return cat(kPodWord, oci::json::write(oci::schema::Object<PodRequest>::type, &request, false),
             "\n");
}

Result<PodRequest> read_pod_request(std::string_view text) {
  if (!text.starts_with(kPodWord)) return refuse("not a request about a pod");
  text.remove_prefix(kPodWord.size());
  PodRequest request = TRY(read_document<PodRequest>(text, "the pod's network"));
  TRY(within("the pod's network", check(request)));
  return request;
}

std::string write_pod_network(const PodNetwork& network) {
  return oci::json::write(oci::schema::Object<PodNetwork>::type, &network, false);
}

Result<PodNetwork> read_pod_network(std::string_view text) {
  return read_document<PodNetwork>(text, "ocirt-net's answer");
}

std::string_view without_length(std::string_view address) {
  return address.substr(0, address.find('/'));
}

bool ports_meet(const PodPort& one, const PodPort& other) {
  if (one.protocol != other.protocol || one.host_port != other.host_port) return false;
  if (one.host_ip.empty() || other.host_ip.empty()) return true;
  if (is_v6(one.host_ip) != is_v6(other.host_ip)) return false;
  return is_any(one.host_ip) || is_any(other.host_ip) || same_address(one.host_ip, other.host_ip);
}

std::string port_text(const PodPort& port) {
  const std::string_view protocol = kPodProtocolNames[static_cast<size_t>(port.protocol)];
  if (port.host_ip.empty()) return cat(protocol, " ", port.host_port);
  if (is_v6(port.host_ip)) return cat(protocol, " [", port.host_ip, "]:", port.host_port);
  return cat(protocol, " ", port.host_ip, ":", port.host_port);
}

}  // namespace ocirt::net
