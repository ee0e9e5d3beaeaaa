// The resolved pod: what ocirt-pod has made of a pod file, and all that the shim needs to know.
//
// A Kubernetes manifest is written for people: it has defaults, names instead of numbers, images,
// and fields that concern one container's config.json only. Here all of that is settled. Every
// container has a bundle, every port a number, every policy a value; what remains is what the pod
// does: which containers in which order, what becomes of them when they end, what is asked of them
// while they run. It is `pod.json` in the pod's directory and the options of CreateSandbox; both
// sides use the functions below, so that there is one declaration (rows.cc) and one set of rules.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/enumeration.h"
#include "oci-spec/map.h"
#include "oci-spec/resources.h"
#include "src/base/result.h"

namespace ocirt::pod {

// What happens when a container has ended. For an init container kAlways means kOnFailure, since
// its success is what the others wait for.
enum class RestartPolicy : uint8_t { kAlways, kNever, kOnFailure };
inline constexpr std::string_view kRestartPolicyNames[] = {"Always", "Never", "OnFailure"};
constexpr std::span<const std::string_view> names_of(RestartPolicy) { return kRestartPolicyNames; }

// An init container runs to its end before the next one begins. A sidecar is one that the next
// one does not wait for, only for its start; it lives as long as the pod. Apps are the rest.
enum class Role : uint8_t { kApp, kInit, kSidecar };
inline constexpr std::string_view kRoleNames[] = {"app", "init", "sidecar"};
constexpr std::span<const std::string_view> names_of(Role) { return kRoleNames; }

// kUser: by pasta, for an ordinary user.
enum class NetworkMode : uint8_t { kBridge, kCni, kHost, kNone, kUser };
inline constexpr std::string_view kNetworkModeNames[] = {"bridge", "cni", "host", "none", "user"};
constexpr std::span<const std::string_view> names_of(NetworkMode) { return kNetworkModeNames; }

enum class Protocol : uint8_t { kSctp, kTcp, kUdp };
inline constexpr std::string_view kProtocolNames[] = {"SCTP", "TCP", "UDP"};
constexpr std::span<const std::string_view> names_of(Protocol) { return kProtocolNames; }

enum class Scheme : uint8_t { kHttp, kHttps };
inline constexpr std::string_view kSchemeNames[] = {"HTTP", "HTTPS"};
constexpr std::span<const std::string_view> names_of(Scheme) { return kSchemeNames; }

enum class RootfsType : uint8_t { kBind, kOverlay };
inline constexpr std::string_view kRootfsTypeNames[] = {"bind", "overlay"};
constexpr std::span<const std::string_view> names_of(RootfsType) { return kRootfsTypeNames; }

struct Port {
  std::string container = {};   // required; whose it is
  std::string name = {};        // of the port; empty: none
  std::string host_ip = {};     // published on this address only; empty: on all
  uint16_t container_port = 0;  // required
  uint16_t host_port = 0;       // 0: not published
  Protocol protocol = Protocol::kTcp;

  bool operator==(const Port&) const = default;
};

// Whether one port cannot be published on both of these addresses of the host (host_ip), whichever
// way they are written. One that stands for all, also of IPv6, leaves none for others: a socket
// listens on those of IPv4 too.
bool host_ips_meet(const std::string& one, const std::string& other);

struct Network {
  NetworkMode mode = NetworkMode::kBridge;  // required
  std::string cni = {};                     // kCni: name of the network
  std::string netns = {};                   // where its namespace is pinned; empty: network_pin()
  std::vector<Port> ports = {};

  bool operator==(const Network&) const = default;
};

struct HttpHeader {
  std::string name = {};   // required
  std::string value = {};  // required

  bool operator==(const HttpHeader&) const = default;
};

struct HttpGet {
  std::string host = {};  // empty: the pod itself
  uint16_t port = 0;      // required
  std::string path = "/";
  Scheme scheme = Scheme::kHttp;
  std::vector<HttpHeader> headers = {};

  bool operator==(const HttpGet&) const = default;
};

struct TcpSocket {
  std::string host = {};  // empty: the pod itself
  uint16_t port = 0;      // required

  bool operator==(const TcpSocket&) const = default;
};

// How a container is asked whether it is well. Exactly one of exec, http and tcp.
struct Probe {
  std::optional<std::vector<std::string>> exec = {};
  std::optional<HttpGet> http = {};
  std::optional<TcpSocket> tcp = {};
  uint32_t initial_delay_seconds = 0;
  uint32_t period_seconds = 10;
  uint32_t timeout_seconds = 1;
  uint32_t success_threshold = 1;
  uint32_t failure_threshold = 3;
  // Of the container that is ended because this probe failed; absent: the pod's.
  std::optional<uint32_t> termination_grace_seconds = {};

  bool operator==(const Probe&) const = default;
};

// What runs after a container's start or before its stop. Exactly one of exec, http and sleep.
struct Handler {
  std::optional<std::vector<std::string>> exec = {};
  std::optional<HttpGet> http = {};
  std::optional<uint32_t> sleep_seconds = {};

  bool operator==(const Handler&) const = default;
};

// Mounted onto containers/C/rootfs before the container is created. Absent for a bundle that has
// its root already.
struct Rootfs {
  RootfsType type = RootfsType::kOverlay;  // required
  std::string source = {};                 // required; bind: the directory, overlay: the lower one
  std::vector<std::string> options = {};

  bool operator==(const Rootfs&) const = default;
};

struct Container {
  std::string name = {};    // required; a DNS label, unique in the pod; also its id
  Role role = Role::kApp;   // required
  std::string bundle = {};  // required; absolute path, config.json in it
  std::optional<Rootfs> rootfs = {};
  RestartPolicy restart = RestartPolicy::kAlways;
  bool tty = false;
  bool stdin_open = false;
  bool stdin_once = false;              // with stdin_open: it ends with the first who attaches
  std::optional<Probe> startup = {};    // until it succeeds, the other two are not asked
  std::optional<Probe> liveness = {};   // its failure ends the container, the policy restarts it
  std::optional<Probe> readiness = {};  // its answer is `ready` in the status
  std::optional<Handler> post_start = {};
  std::optional<Handler> pre_stop = {};
  uint8_t stop_signal = 15;  // a number, of the container's architecture
  uint64_t log_max_bytes = 10u << 20;
  uint32_t log_max_files = 5;  // the current one included

  bool operator==(const Container&) const = default;
};

enum class MountType : uint8_t { kBind, kDisk, kTmpfs };
inline constexpr std::string_view kMountTypeNames[] = {"bind", "disk", "tmpfs"};
constexpr std::span<const std::string_view> names_of(MountType) { return kMountTypeNames; }

// A mount of the pod's own, made before any container, in the order of the list, and undone in the
// reverse order: an emptyDir in memory or of limited size ("tmpfs") or on the disk ("disk": an
// empty directory below the pod's state directory, with the mode and group of the target), the
// pod's /dev/shm, and sub-paths of volumes, which a container could otherwise redirect while they
// are being resolved.
struct PodMount {
  std::string target = {};  // required; relative to the pod's directory: "volumes/cache", "shm"
  MountType type = MountType::kBind;  // required
  std::string source = {};            // bind: absolute, or relative to the pod's directory
  // Bind: a path inside of the source, which is resolved without leaving it and without symbolic
  // links; directories that are missing are made with mode 0755. Empty: the source itself.
  std::string inside = {};
  std::vector<std::string> options = {};

  bool operator==(const PodMount&) const = default;
};

struct Pod {
  std::string name = {};      // required; a DNS label
  std::string uid = {};       // required; another pod of the same name has another one
  std::string hostname = {};  // empty: the host's, with the host's uts namespace
  oci::Map<std::string> labels = {};
  oci::Map<std::string> annotations = {};
  std::string cgroup = {};  // required; "/ocirt/NAME". Empty: none, an ordinary user has no right
  std::optional<oci::Resources> resources = {};  // of the pod's cgroup
  bool share_pid = false;                        // one pid namespace, with a first process of ours
  bool host_ipc = false;
  bool host_uts = false;
  Network network = {};          // required
  bool wants_addresses = false;  // some config.json has what stands for the addresses (addresses.h)
  uint32_t grace_seconds = 30;
  std::optional<uint64_t> active_deadline_seconds = {};  // the pod fails when it takes longer
  // Back-off of restarts: the first wait, the longest, and how long a container must have run for
  // the next wait to be the first one again. Kubernetes' numbers; tests set smaller ones.
  uint32_t restart_backoff_ms = 10'000;
  uint32_t restart_backoff_max_ms = 300'000;
  uint32_t restart_backoff_reset_ms = 600'000;
  std::vector<PodMount> mounts = {};
  oci::Map<std::string> sysctls = {};  // of its namespaces, written before any container is made
  std::vector<Container> containers = {};  // required; in the file's order, init and sidecars first

  bool operator==(const Pod&) const = default;

  // Where the network namespace is pinned. Empty: the host's.
  std::string netns() const;
  // The container of that name, or nullptr.
  const Container* find(std::string_view container) const;
};

// As pod.json, on one line.
std::string write_pod(const Pod& pod);

// And back. Types, ranges and the rules of check_pod() are checked; `document` is the name for
// errors, which read "pod.json: containers[1].name: reason".
Result<Pod> read_pod(std::string_view json, std::string_view document = "pod.json");

// The rules between fields: names are DNS labels and unique, each probe has one handler, no port
// twice, and so on. read_pod() calls it; ocirt-pod does before it writes.
Result<> check_pod(const Pod& pod);

}  // namespace ocirt::pod
