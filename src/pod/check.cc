// Rules between the fields of a pod. They are here and not only in the reader of pod files, since
// the shim believes nobody: it gets pod.json from a file.
#include <arpa/inet.h>

#include "src/base/text.h"
#include "src/pod/paths.h"
#include "src/pod/pod.h"

namespace ocirt::pod {
namespace {

Result<> check_http(const HttpGet& http) {
  if (http.scheme == Scheme::kHttps) {
    return refuse("scheme: HTTPS is not supported, ocirt has no TLS; use tcpSocket or exec");
  }
  if (http.port == 0) return refuse("port: must be 1 to 65535");
  if (!http.path.starts_with('/')) {
    return refuse(cat("path: ", quoted(http.path), " does not begin with \"/\""));
  }
  // What is put into a request must not be able to end a line of it.
  const auto harmless = [](std::string_view text) {
    for (char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    }
    return true;
  };
  if (!harmless(http.path) || http.path.contains(' ')) {
    return refuse(cat("path: ", quoted(http.path), " has a space or control character"));
  }
  if (!harmless(http.host) || http.host.contains(' ')) {
    return refuse(cat("host: ", quoted(http.host), " is not a host"));
  }
  for (const HttpHeader& header : http.headers) {
    if (header.name.empty() || !harmless(header.name) ||
        header.name.find_first_of(" :") != std::string::npos) {
      return refuse(cat("httpHeaders: ", quoted(header.name), " is not the name of a header"));
    }
    if (!harmless(header.value)) {
      return refuse(
          cat("httpHeaders: the value of ", quoted(header.name), " has a control character"));
    }
  }
  return {};
}

Result<> check_exec(const std::vector<std::string>& args) {
  if (args.empty() || args.front().empty()) return refuse("exec: has no program");
  return {};
}

Result<> check_probe(const Probe& probe, bool gates_nothing_but_restart) {
  if (int{probe.exec.has_value()} + int{probe.http.has_value()} + int{probe.tcp.has_value()} != 1) {
    return refuse("must have exactly one of exec, httpGet and tcpSocket");
  }
  if (probe.exec) TRY(check_exec(*probe.exec));
  if (probe.http) TRY(within("httpGet", check_http(*probe.http)));
  if (probe.tcp && probe.tcp->port == 0) return refuse("tcpSocket.port: must be 1 to 65535");
  if (probe.period_seconds == 0 || probe.timeout_seconds == 0 || probe.success_threshold == 0 ||
      probe.failure_threshold == 0) {
    return refuse("period, timeout and thresholds must be at least 1");
  }
  if (gates_nothing_but_restart && probe.success_threshold != 1) {
    return refuse("successThreshold: must be 1, only a readiness probe may have another one");
  }
  if (!gates_nothing_but_restart && probe.termination_grace_seconds) {
    return refuse("terminationGracePeriodSeconds: a readiness probe ends nothing, leave it out");
  }
  return {};
}

Result<> check_handler(const Handler& handler) {
  if (int{handler.exec.has_value()} + int{handler.http.has_value()} +
          int{handler.sleep_seconds.has_value()} !=
      1) {
    return refuse("must have exactly one of exec, httpGet and sleep");
  }
  if (handler.exec) TRY(check_exec(*handler.exec));
  if (handler.http) TRY(within("httpGet", check_http(*handler.http)));
  return {};
}

Result<> check_container(const Container& container) {
  if (!is_dns_label(container.name)) {
    return refuse(cat("name: ", quoted(container.name), " ", kNameRule));
  }
  if (!container.bundle.starts_with('/')) {
    return refuse(cat("bundle: ", quoted(container.bundle), " is not an absolute path"));
  }
  if (container.rootfs && !container.rootfs->source.starts_with('/')) {
    return refuse(
        cat("rootfs.source: ", quoted(container.rootfs->source), " is not an absolute path"));
  }
  // Nobody would wait for what these do: an init container is done when it has ended.
  if (container.role == Role::kInit &&
      (container.startup || container.liveness || container.readiness || container.post_start ||
       container.pre_stop)) {
    return refuse(
        "an init container that runs to its end can have no probes and no postStart or "
        "preStop; give it restartPolicy Always to make it a sidecar");
  }
  if (container.role == Role::kSidecar && container.restart != RestartPolicy::kAlways) {
    return refuse("restart: must be Always for a sidecar");
  }
  if (container.startup) TRY(within("startupProbe", check_probe(*container.startup, true)));
  if (container.liveness) TRY(within("livenessProbe", check_probe(*container.liveness, true)));
  if (container.readiness) TRY(within("readinessProbe", check_probe(*container.readiness, false)));
  if (container.post_start) TRY(within("postStart", check_handler(*container.post_start)));
  if (container.pre_stop) TRY(within("preStop", check_handler(*container.pre_stop)));
  if (container.stop_signal == 0 || container.stop_signal > 64) {
    return refuse("stopSignal: must be 1 to 64");
  }
  if (container.log_max_bytes == 0 || container.log_max_files == 0) {
    return refuse("logMaxBytes and logMaxFiles must be at least 1");
  }
  return {};
}

// A path that stays below where it begins.
bool stays_inside(std::string_view path) {
  if (path.empty() || path.front() == '/') return false;
  for (std::string_view part : split(path, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

Result<> check_mount(const PodMount& mount) {
  if (!stays_inside(mount.target)) {
    return refuse(cat("target: ", quoted(mount.target),
                      " is not a path below the pod's directory without \".\" and \"..\""));
  }
  if (mount.type != MountType::kBind) return {};
  if (!mount.source.starts_with('/') && !stays_inside(mount.source)) {
    return refuse(cat("source: ", quoted(mount.source),
                      " is neither absolute nor a path below the pod's directory"));
  }
  if (!mount.inside.empty() && !stays_inside(mount.inside)) {
    return refuse(
        cat("inside: ", quoted(mount.inside), " is not a path that stays inside the source"));
  }
  return {};
}

// One port space: two containers cannot listen on the same port, and a port of the host leads to
// one place.
Result<> check_ports(const Pod& pod) {
  const std::vector<Port>& ports = pod.network.ports;
  std::vector<bool> free_for_others;  // when those come
  for (size_t i = 0; i < ports.size(); ++i) {
    const Port& port = ports[i];
    const std::string where = cat("network.ports[", i, "]");
    const Container* const container = pod.find(port.container);
    if (container == nullptr) {
      return refuse(cat(where, ".container: there is no container ", quoted(port.container)));
    }
    free_for_others.push_back(container->role == Role::kInit);
    if (port.container_port == 0) return refuse(cat(where, ".containerPort: must be 1 to 65535"));
    if (port.host_port != 0 && pod.network.mode == NetworkMode::kNone) {
      return refuse(cat(where, ".hostPort: ", port.host_port,
                        " cannot be published without a network; use bridge, cni or host"));
    }
    for (size_t j = 0; j < i; ++j) {
      const Port& other = ports[j];
      if (other.protocol != port.protocol) continue;
      if (other.container_port == port.container_port && other.container != port.container &&
          !free_for_others[j]) {
        return refuse(cat(where, ".containerPort: ", port.container_port, "/",
                          oci::to_string(port.protocol), " of container ", port.container,
                          " is declared by container ", other.container,
                          " too, and all containers of a pod share one port space"));
      }
      if (port.host_port != 0 && other.host_port == port.host_port &&
          host_ips_meet(other.host_ip, port.host_ip)) {
        return refuse(cat(where, ".hostPort: ", port.host_port, "/", oci::to_string(port.protocol),
                          " of container ", port.container, " is published by container ",
                          other.container, " too"));
      }
    }
  }
  return {};
}

// The bytes of an address, of one that stands for all: none.
std::string bytes_of(const std::string& address) {
  const bool v6 = address.contains(':');
  std::string bytes(v6 ? sizeof(in6_addr) : sizeof(in_addr), '\0');
  if (::inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), bytes.data()) != 1) return address;
  return bytes.find_first_not_of('\0') == std::string::npos ? std::string() : bytes;
}

}  // namespace

bool host_ips_meet(const std::string& one, const std::string& other) {
  const std::string first = bytes_of(one), second = bytes_of(other);
  return first.empty() || second.empty() || first == second;
}

const Container* Pod::find(std::string_view container) const {
  for (const Container& one : containers) {
    if (one.name == container) return &one;
  }
  return nullptr;
}

std::string Pod::netns() const {
  if (network.mode == NetworkMode::kHost) return {};
  return network.netns.empty() ? network_pin(name) : network.netns;
}

Result<> check_pod(const Pod& pod) {
  if (!is_dns_label(pod.name)) return refuse(cat("name: ", quoted(pod.name), " ", kNameRule));
  if (pod.uid.empty()) return refuse("uid: is empty");
  if (!pod.network.netns.empty() && !pod.network.netns.starts_with('/')) {
    return refuse(cat("network.netns: ", quoted(pod.network.netns), " is not an absolute path"));
  }
  if (pod.cgroup.empty() && pod.resources) {
    return refuse("resources: limits take a cgroup, and the pod has none");
  }
  if (!pod.cgroup.empty() && !pod.cgroup.starts_with('/')) {
    return refuse(cat("cgroup: ", quoted(pod.cgroup), " is not an absolute path"));
  }
  if (pod.network.mode == NetworkMode::kCni && pod.network.cni.empty()) {
    return refuse("network.cni: is empty, expected the name of a network");
  }
  if (pod.restart_backoff_ms == 0 || pod.restart_backoff_max_ms < pod.restart_backoff_ms) {
    return refuse("restartBackoffMaxMs: must be at least restartBackoffMs, and that at least 1");
  }
  for (size_t i = 0; i < pod.mounts.size(); ++i) {
    TRY(within(cat("mounts[", i, "]"), check_mount(pod.mounts[i])));
  }
  for (const auto& [name, value] : pod.sysctls) {
    if (name.empty() || name.contains("..") || name.contains('\n') || value.contains('\n')) {
      return refuse(cat("sysctls: ", quoted(name),
                        " is not the name of a sysctl, or its value is not one line"));
    }
  }
  bool apps = false;
  for (size_t i = 0; i < pod.containers.size(); ++i) {
    const Container& container = pod.containers[i];
    const std::string where = cat("containers[", i, "]");
    TRY(within(where, check_container(container)));
    for (size_t j = 0; j < i; ++j) {
      if (pod.containers[j].name == container.name) {
        return refuse(cat(where, ".name: ", quoted(container.name), " is the name of containers[",
                          j, "] too"));
      }
    }
    if (container.role == Role::kApp) {
      apps = true;
    } else if (apps) {
      return refuse(cat(where, ": init containers and sidecars must stand before the apps"));
    }
  }
  if (!apps) return refuse("containers: there is no app, only init containers");
  return check_ports(pod);
}

}  // namespace ocirt::pod
