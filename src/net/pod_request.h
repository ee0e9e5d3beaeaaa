// What a pod's shim asks of ocirt-net and what it hears back: the pod's network made, looked at,
// and taken away again. One line of JSON each way, by rows as all documents here have them
// (oci-spec/schema/field.h). Pure; with request.h the part of this folder that other programs
// contain. Both programs are built together, so the form has no version.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/enumeration.h"
#include "src/base/result.h"

namespace ocirt::net {

// The first word of a request of this kind; request.h has those about devices.
inline constexpr std::string_view kPodWord = "pod ";

enum class PodVerb : uint8_t {
  kCheck,  // is everything there that `up` made? Changes nothing
  kDown,   // takes everything away; no error when nothing is there (any more)
  kUp      // makes everything, or nothing when something fails
};
inline constexpr std::string_view kPodVerbNames[] = {"check", "down", "up"};
constexpr std::span<const std::string_view> names_of(PodVerb) { return kPodVerbNames; }

enum class PodMode : uint8_t {
  kBridge,  // ocirt0: an address of the pool, other pods by address and by name
  kCni,     // what the plugins of a CNI configuration make
  kHost,    // the host's network: nothing is made
  kNone,    // a network namespace with the loopback device
  kUser     // by pasta, for an ordinary user; `netns` is below a directory of its own
};
inline constexpr std::string_view kPodModeNames[] = {"bridge", "cni", "host", "none", "user"};
constexpr std::span<const std::string_view> names_of(PodMode) { return kPodModeNames; }

enum class PodProtocol : uint8_t { kSctp, kTcp, kUdp };
inline constexpr std::string_view kPodProtocolNames[] = {"sctp", "tcp", "udp"};
constexpr std::span<const std::string_view> names_of(PodProtocol) { return kPodProtocolNames; }

// A port of the host that leads to one of the pod.
struct PodPort {
  PodProtocol protocol = PodProtocol::kTcp;
  std::string host_ip = {};  // IPv4 or IPv6; empty: every address of the host, of both
  uint16_t host_port = 0;    // not 0
  uint16_t pod_port = 0;     // not 0
  bool operator==(const PodPort&) const = default;
};

inline constexpr std::string_view kPoolDirectory = "/run/ocirt/network";
inline constexpr std::string_view kBridgeName = "ocirt0";
inline constexpr std::string_view kCniConfigurations = "/etc/cni/net.d";
inline constexpr std::string_view kCniPlugins = "/usr/lib/cni:/opt/cni/bin";

// The same for all three verbs; kDown and kCheck need `name`, `uid`, `mode`, `netns` and
// `directory` only, and `pool` where it is not the default.
struct PodRequest {
  PodVerb verb = PodVerb::kUp;  // required
  std::string name = {};        // required; a DNS label
  std::string uid = {};         // required; with the name it tells pods apart, also later ones
  PodMode mode = PodMode::kBridge;

  // Where the pod's network namespace is, or is made and pinned (/run/netns/NAME): absolute. Not
  // for kHost. One that is there already when the pod is made is an error.
  std::string netns = {};
  // The pod's directory, which exists: network.json is written here before anything is made. A pod
  // whose directory is gone has no claim to its address any more.
  std::string directory = {};
  // The pod's hosts file, which exists: the names of all pods on the bridge are kept at its end. It
  // is changed in place, so that containers may have it bind-mounted. Empty: none.
  std::string hosts = {};
  std::string hostname = {};  // one more name of this pod in its own hosts file; may be empty
  std::vector<PodPort> ports = {};

  // kBridge. The pool directory holds the lock, the addresses and what the host was like before.
  std::string pool = std::string(kPoolDirectory);
  std::string bridge = std::string(kBridgeName);
  // "10.1.0.0/16", "fd00:1::/64". Empty: the bridge's own if it is there, else the first of a list
  // that no route of the host meets. A subnet other than that of a bridge with pods is an error.
  // subnet6 "none": pods have no IPv6, as on a host without it.
  std::string subnet4 = {};
  std::string subnet6 = {};

  // kCni. The network's name, the directory of configurations, directories of plugins (colons).
  std::string cni = {};
  std::string cni_directory = std::string(kCniConfigurations);
  std::string cni_path = std::string(kCniPlugins);
  uint32_t plugin_timeout_seconds = 30;  // each plugin is ended after this
  // kDown: go on although a plugin fails to take away what it made.
  bool force = false;

  bool operator==(const PodRequest&) const = default;
};

// The answer to kUp and kCheck, and the better part of network.json.
struct PodNetwork {
  PodMode mode = PodMode::kBridge;
  std::string netns = {};
  std::string interface = {};               // in the pod: "eth0"; empty for kHost, "lo" for kNone
  std::vector<std::string> addresses = {};  // "10.130.0.5/16", "fd12:3456:789a::5/64"; IPv4 first
  std::vector<std::string> gateways = {};
  std::string host_interface = {};  // the other end, on the host
  std::string bridge = {};
  std::vector<PodPort> ports = {};
  std::vector<std::string> nameservers = {};  // what a CNI plugin said about DNS
  std::vector<std::string> searches = {};
  // What changed on the host and may surprise its owner, a sentence each: for the shim's log.
  std::vector<std::string> notes = {};
  bool operator==(const PodNetwork&) const = default;
};

std::string write_pod_request(const PodRequest& request);
// Refuses what no request may hold: a name that is not a DNS label, relative paths, port 0, two
// ports that meet, an address that is none. Errors name the field.
Result<PodRequest> read_pod_request(std::string_view text);

std::string write_pod_network(const PodNetwork& network);
Result<PodNetwork> read_pod_network(std::string_view text);

// The first of an address with its length: "10.130.0.5/16" -> "10.130.0.5".
std::string_view without_length(std::string_view address);

// Whether both could receive the same packet: the same port and protocol on the same address, or
// one of them on all.
bool ports_meet(const PodPort& one, const PodPort& other);
// "tcp 127.0.0.1:8080", "udp [::1]:53", "tcp 80"
std::string port_text(const PodPort& port);

}  // namespace ocirt::net
