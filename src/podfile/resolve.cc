#include "src/podfile/resolve.h"

#include <cerrno>

#include "oci-spec/documents.h"
#include "oci-spec/json/reader.h"
#include "oci-spec/schema/schema.h"
#include "src/base/text.h"
#include "src/linux/signals.h"
#include "src/podfile/backoff.h"
#include "src/podfile/check.h"
#include "src/podfile/container_spec.h"
#include "src/podfile/environment.h"
#include "src/podfile/host_devices.h"
#include "src/podfile/name_files.h"
#include "src/podfile/quantity.h"
#include "src/podfile/volumes.h"
#include "src/sys/file.h"

namespace ocirt::podfile {
namespace {

using manifest::Container;

class Resolver {
 public:
  Resolver(const File& file, const pod::Layout& layout, const ResolveOptions& options)
      : file_(file), spec_(file.pod.spec), layout_(layout), options_(options) {}

  Result<Resolved> resolve();

 private:
  Result<> resolve_container(size_t index);
  void set_pod();
  void give_up_host_port(const Container& container, const manifest::ContainerPort& port);
  Result<> add_files();
  pod::Probe probe_of(const Container& container, const manifest::Probe& probe) const;
  pod::Handler handler_of(const Container& container, const manifest::Handler& handler) const;
  pod::HttpGet http_of(const Container& container, const manifest::HttpGet& http) const;
  Result<oci::Seccomp> read_profile(const std::string& name) const;

  // An error with the place of a property in the file in front.
  template <class T>
  Result<T> at(std::string_view property, Result<T> result) const {
    if (result) return result;
    const Place place = place_of(file_.tree, property);
    return std::unexpected(Error{
        result.error().code,
        oci::Error{file_.name, place.line, place.column, std::string(property), result.error().text}
            .message()});
  }

  const File& file_;
  const manifest::PodSpec& spec_;
  const pod::Layout& layout_;
  const ResolveOptions& options_;
  Resolved out_;
};

Result<Resolved> Resolver::resolve() {
  set_pod();
  if (options_.ordinary) TRY(at("spec", adapt_pod(out_.pod, layout_, *options_.ordinary)));
  TRY(add_files());
  for (size_t i = 0; i < spec_.volumes.size(); ++i) {
    TRY(at(cat("spec.volumes[", i, "]"), resolve_volume(file_, i, options_.touch_host, out_)));
  }
  for (size_t i = 0; i < container_count(spec_); ++i)
    add_mount_points(file_, container_at(spec_, i), layout_, out_);
  for (size_t i = 0; i < container_count(spec_); ++i) TRY(resolve_container(i));
  TRY(within(file_.name, pod::check_pod(out_.pod)));
  return std::move(out_);
}

void Resolver::set_pod() {
  pod::Pod& pod = out_.pod;
  const manifest::Metadata& metadata = file_.pod.metadata;
  pod.name = metadata.name;
  pod.uid = metadata.uid ? *metadata.uid : options_.uid;
  pod.labels = metadata.labels;
  pod.annotations = metadata.annotations;
  pod.cgroup = cat("/ocirt/", pod.name);
  pod.host_uts = spec_.host_network && !spec_.hostname;
  if (!pod.host_uts) pod.hostname = spec_.hostname.value_or(pod.name);
  pod.host_ipc = spec_.host_ipc;
  pod.share_pid = spec_.share_process_namespace;
  pod.wants_addresses = wants_addresses(spec_);
  pod.grace_seconds = spec_.termination_grace_period_seconds.value_or(30);
  pod.active_deadline_seconds = spec_.active_deadline_seconds;
  if (spec_.resources) pod.resources = cgroup_resources(*spec_.resources, options_.machine);
  if (spec_.security_context) {
    for (const manifest::Sysctl& sysctl : spec_.security_context->sysctls) {
      pod.sysctls.set(sysctl.name, sysctl.value);
    }
  }
  if (const std::string* backoff = metadata.annotations.find(kBackoffAnnotation)) {
    const Waits waits = read_waits(*backoff).value_or(Waits{1, 1});  // check.cc has read it
    pod.restart_backoff_ms = waits.first_ms;
    pod.restart_backoff_max_ms = waits.longest_ms;
  }
  const std::string* network = metadata.annotations.find(kNetworkAnnotation);
  if (spec_.host_network) {
    pod.network.mode = pod::NetworkMode::kHost;
  } else if (network != nullptr && *network == "none") {
    pod.network.mode = pod::NetworkMode::kNone;
  } else if (network != nullptr && network->starts_with("cni:")) {
    pod.network.mode = pod::NetworkMode::kCni;
    pod.network.cni = network->substr(4);
  }
  for (size_t i = 0; i < container_count(spec_); ++i) {
    const Container& container = container_at(spec_, i);
    for (const manifest::ContainerPort& port : container.ports) {
      give_up_host_port(container, port);
      pod.network.ports.push_back({.container = container.name,
                                   .name = port.name,
                                   .host_ip = port.host_ip,
                                   .container_port = port.container_port,
                                   .host_port = port.host_port,
                                   .protocol = port.protocol});
    }
  }
  if (!spec_.host_ipc) {
    pod.mounts.push_back({.target = "shm",
                          .type = pod::MountType::kTmpfs,
                          .options = {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}});
  }
}

// What init containers before this one have published is this one's, as they have ended by then.
// (check_ports() has seen to it that nobody else has published the same.)
void Resolver::give_up_host_port(const Container& container, const manifest::ContainerPort& port) {
  if (port.host_port == 0) return;
  for (pod::Port& earlier : out_.pod.network.ports) {
    if (earlier.host_port != port.host_port || earlier.protocol != port.protocol) continue;
    if (!pod::host_ips_meet(earlier.host_ip, port.host_ip)) continue;
    if (earlier.container != container.name) earlier.host_port = 0;
  }
}

// The host's files may be missing; what else stands in the way is an error.
Result<std::string> read_of_host(const char* path) {
  Result<std::string> text = sys::read_file(sys::kCwd, path);
  if (!text && text.error().code == ENOENT) return std::string{};
  return text;
}

Result<> Resolver::add_files() {
  const auto add = [&](std::string name, std::string content) {
    out_.entries.push_back({.path = std::move(name), .mode = 0644, .content = std::move(content)});
  };
  std::string hostname = out_.pod.hostname;
  if (out_.pod.host_uts) hostname = trim(TRY(read_of_host("/proc/sys/kernel/hostname")));
  const std::string hosts = TRY(read_of_host("/etc/hosts"));
  std::string resolver = TRY(read_of_host("/etc/resolv.conf"));
  if (!spec_.host_network && has_only_local_servers(resolver)) {
    std::string asked = TRY(read_of_host("/run/systemd/resolve/resolv.conf"));
    if (!asked.empty()) resolver = std::move(asked);
  }
  add("hostname", cat(hostname, "\n"));
  add("hosts", hosts_text(spec_, hosts));
  add("resolv.conf", resolv_text(spec_, resolver));
  out_.entries.push_back({.path = "volumes", .is_directory = true, .mode = 0700});
  out_.entries.push_back({.path = "containers", .is_directory = true, .mode = 0700});
  return {};
}

pod::HttpGet Resolver::http_of(const Container& container, const manifest::HttpGet& http) const {
  pod::HttpGet out;
  out.host = http.host.value_or("");
  out.port = port_of(container, http.port).value_or(0);
  out.path = http.path.starts_with('/') ? http.path : cat("/", http.path);
  out.scheme = http.scheme;
  for (const manifest::Header& header : http.http_headers) {
    out.headers.push_back({.name = header.name, .value = header.value});
  }
  return out;
}

// $(NAME) in the command of a probe. The kubelet knows there what `env` has as a value, as it is
// written; a variable with a source is empty to it.
std::vector<std::string> with_values(const std::vector<manifest::EnvVar>& variables,
                                     std::vector<std::string> command) {
  Environment known;
  for (const manifest::EnvVar& variable : variables)
    known.set(variable.name, variable.value.value_or(""));
  for (std::string& word : command) word = expand(word, known);
  return command;
}

pod::Probe Resolver::probe_of(const Container& container, const manifest::Probe& probe) const {
  pod::Probe out;
  if (probe.exec) out.exec = with_values(container.env, probe.exec->command);
  if (probe.http_get) out.http = http_of(container, *probe.http_get);
  if (probe.tcp_socket) {
    out.tcp.emplace();
    out.tcp->host = probe.tcp_socket->host.value_or("");
    out.tcp->port = port_of(container, probe.tcp_socket->port).value_or(0);
  }
  const auto set = [](uint32_t& field, const std::optional<uint32_t>& value) {
    if (value.value_or(0) != 0) field = *value;  // 0 is Kubernetes' absent
  };
  set(out.initial_delay_seconds, probe.initial_delay_seconds);
  set(out.period_seconds, probe.period_seconds);
  set(out.timeout_seconds, probe.timeout_seconds);
  set(out.success_threshold, probe.success_threshold);
  set(out.failure_threshold, probe.failure_threshold);
  out.termination_grace_seconds = probe.termination_grace_period_seconds;
  return out;
}

pod::Handler Resolver::handler_of(const Container& container,
                                  const manifest::Handler& handler) const {
  pod::Handler out;
  if (handler.exec) out.exec = handler.exec->command;
  if (handler.http_get) out.http = http_of(container, *handler.http_get);
  if (handler.sleep) out.sleep_seconds = static_cast<uint32_t>(handler.sleep->seconds);
  return out;
}

Result<oci::Seccomp> Resolver::read_profile(const std::string& name) const {
  const std::string path = name.starts_with('/') ? name : cat(options_.directory, "/", name);
  const std::string text = TRY(sys::read_file(sys::kCwd, path));
  oci::Seccomp profile;
  if (auto error = oci::json::read(text, path, oci::schema::Object<oci::Seccomp>::type, &profile)) {
    return refuse(error->message());
  }
  return profile;
}

Result<> Resolver::resolve_container(size_t index) {
  const Container& container = container_at(spec_, index);
  const std::string where = place_of_container(spec_, index);
  const Image image = TRY(parse_image(container.image));
  const ImageFacts facts =
      TRY(at(cat(where, ".image"), look_at(image, options_.directory, options_.images)));

  ContainerInput input{.file = file_,
                       .index = index,
                       .image = facts,
                       .layout = layout_,
                       .uid = out_.pod.uid,
                       .node = options_.node,
                       .hostname = trim(out_.entries.front().content),
                       .machine = options_.machine};
  oci::Seccomp profile;
  const manifest::Profile* seccomp = seccomp_profile_of(spec_, container);
  if (seccomp != nullptr && seccomp->type == manifest::ProfileType::kLocalhost) {
    profile = TRY(at(cat(where, ".securityContext.seccompProfile.localhostProfile"),
                     read_profile(*seccomp->localhost_profile)));
    input.local_profile = &profile;
  }
  std::vector<oci::Device> devices;
  if (is_privileged(container)) {
    devices = TRY(host_devices());
    input.devices = &devices;
  }
  Bundle bundle{.container = container.name, .spec = TRY(at(where, container_spec(input)))};
  if (options_.ordinary) {
    TRY(at(where, adapt_container(bundle.spec, spec_, container, out_.pod, *options_.ordinary)));
  }
  if (std::optional<oci::Error> broken = oci::validate(bundle.spec)) {
    return at(where, Result<>(refuse(broken->message())));
  }

  pod::Container resolved;
  resolved.name = container.name;
  const bool is_init = index < spec_.init_containers.size();
  resolved.restart = spec_.restart_policy;
  if (is_init) resolved.role = container.restart_policy ? pod::Role::kSidecar : pod::Role::kInit;
  if (resolved.role == pod::Role::kSidecar) resolved.restart = pod::RestartPolicy::kAlways;
  resolved.bundle = layout_.container(container.name);
  if (facts.kind != ImageKind::kBundle) {
    resolved.rootfs = pod::Rootfs{.type = pod::RootfsType::kOverlay, .source = facts.rootfs};
  }
  resolved.tty = container.tty;
  resolved.stdin_open = container.standard_input;
  resolved.stdin_once = container.standard_input_once;
  if (container.startup_probe) resolved.startup = probe_of(container, *container.startup_probe);
  if (container.liveness_probe) resolved.liveness = probe_of(container, *container.liveness_probe);
  if (container.readiness_probe)
    resolved.readiness = probe_of(container, *container.readiness_probe);
  if (container.lifecycle && container.lifecycle->post_start) {
    resolved.post_start = handler_of(container, *container.lifecycle->post_start);
  }
  if (container.lifecycle && container.lifecycle->pre_stop) {
    resolved.pre_stop = handler_of(container, *container.lifecycle->pre_stop);
  }
  if (!facts.stop_signal.empty()) {
    const int number = TRY(at(cat(where, ".image"), signal_number(facts.stop_signal)));
    if (number > 0) resolved.stop_signal = static_cast<uint8_t>(number);
  }
  TRY(at(where, resolve_sub_paths(file_, container, layout_, out_)));
  out_.pod.containers.push_back(std::move(resolved));
  out_.bundles.push_back(std::move(bundle));
  return {};
}

}  // namespace

Result<Resolved> resolve(const File& file, const pod::Layout& layout,
                         const ResolveOptions& options) {
  return Resolver(file, layout, options).resolve();
}

}  // namespace ocirt::podfile
