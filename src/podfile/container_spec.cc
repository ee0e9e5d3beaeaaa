#include "src/podfile/container_spec.h"

#include <algorithm>
#include <utility>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/linux/capabilities.h"
#include "src/podfile/check.h"
#include "src/podfile/default_profiles.h"
#include "src/podfile/environment.h"
#include "src/podfile/fixed_volumes.h"
#include "src/podfile/qos.h"
#include "src/podfile/quantity.h"
#include "src/podfile/users.h"

namespace ocirt::podfile {
namespace {

using manifest::Container;
using manifest::PodSpec;
using oci::NamespaceType;

constexpr std::string_view kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr uint64_t kCpuPeriod = 100'000;  // microseconds

class Maker {
 public:
  explicit Maker(const ContainerInput& input)
      : input_(input),
        pod_(input.file.pod.spec),
        container_(container_at(pod_, input.index)),
        is_bundle_(input.image.bundle.has_value()) {}

  Result<oci::Spec> make();

 private:
  void start_from_template();
  Result<> set_program();
  void set_environment(oci::Process& process);
  Result<> set_user(oci::Process& process);
  Result<> set_capabilities(oci::Process& process);
  void set_security(oci::Process& process);
  void set_oom_score(oci::Process& process) const;
  Result<> set_namespaces();
  void set_resources();
  void set_mounts();
  void set_privileges();
  void bind(std::string destination, std::string source, std::vector<std::string> options);

  const ContainerInput& input_;
  const PodSpec& pod_;
  const Container& container_;
  bool is_bundle_;
  Environment environment_;  // that the pod file gives
  oci::Spec spec_;
};

Result<oci::Spec> Maker::make() {
  environment_ = environment_of(input_.file, container_, {.uid = input_.uid, .node = input_.node});
  if (is_bundle_) {
    spec_ = *input_.image.bundle;
    if (!spec_.process) spec_.process.emplace().cwd = "/";
    if (!spec_.linux) spec_.linux.emplace();
    spec_.root->path = input_.image.rootfs;
  } else {
    start_from_template();
  }
  spec_.hostname.reset();  // of the pod's uts namespace, which has one
  spec_.domainname.reset();
  oci::Process& process = *spec_.process;
  process.terminal = container_.tty;
  if (!container_.tty) process.console_size.reset();
  TRY(set_program());
  set_environment(process);
  TRY(within("securityContext", set_user(process)));
  TRY(within("securityContext.capabilities", set_capabilities(process)));
  set_security(process);
  set_oom_score(process);
  TRY(set_namespaces());
  set_resources();
  set_mounts();
  if (is_privileged(container_)) set_privileges();
  return std::move(spec_);
}

void Maker::start_from_template() {
  spec_ = oci::default_spec(false);
  oci::Process& process = *spec_.process;
  process.rlimits.clear();  // those of whoever starts the pod
  process.args.clear();
  process.env = {cat("PATH=", kPath)};
  process.no_new_privileges = false;
  process.cwd = input_.image.working_directory.empty() ? "/" : input_.image.working_directory;
  for (auto* set : {&process.capabilities->bounding, &process.capabilities->effective,
                    &process.capabilities->permitted}) {
    set->clear();
    for (std::string_view name : default_capabilities()) set->emplace_back(name);
  }
  spec_.root->path = "rootfs";
  spec_.root->readonly = false;
}

Result<> Maker::set_program() {
  oci::Process& process = *spec_.process;
  std::vector<std::string> entrypoint = input_.image.entrypoint;
  std::vector<std::string> arguments = input_.image.command;
  if (is_bundle_ && !process.args.empty()) {
    entrypoint.assign(process.args.begin(), process.args.begin() + 1);
    arguments.assign(process.args.begin() + 1, process.args.end());
  }
  // `command` replaces the image's entry point and makes its arguments meaningless.
  if (!container_.command.empty()) {
    entrypoint = container_.command;
    arguments.clear();
    for (std::string& word : entrypoint) word = expand(word, environment_);
  }
  if (!container_.args.empty()) {
    arguments = container_.args;
    for (std::string& word : arguments) word = expand(word, environment_);
  }
  process.args = std::move(entrypoint);
  process.args.insert(process.args.end(), arguments.begin(), arguments.end());
  if (process.args.empty()) return refuse("command: missing, and the image has none");
  if (container_.working_dir) process.cwd = *container_.working_dir;
  return {};
}

void Maker::set_environment(oci::Process& process) {
  Environment all;
  const auto add = [&](const std::vector<std::string>& variables) {
    for (const std::string& variable : variables) {
      const size_t equals = variable.find('=');
      if (equals != std::string_view::npos)
        all.set(variable.substr(0, equals), variable.substr(equals + 1));
    }
  };
  add(process.env);
  if (!is_bundle_)
    all.erase(std::remove_if(all.begin(), all.end(),
                             [](const auto& entry) { return entry.first == "TERM"; }),
              all.end());
  add(input_.image.environment);
  if (container_.tty && all.find("TERM") == nullptr) all.set("TERM", "xterm");
  all.set("HOSTNAME", std::string(input_.hostname));
  for (const auto& [name, value] : environment_) all.set(name, value);
  process.env.clear();
  for (const auto& [name, value] : all) process.env.push_back(cat(name, "=", value));
}

// Whose user it is, and what to do where the pod file says none.
template <class T>
Result<T> of_user(Result<T> result, std::string_view whose, bool is_said) {
  if (result) return result;
  return refuse(
      cat(whose, ": ", result.error().text, is_said ? "" : "; runAsUser sets another one"));
}

Result<> Maker::set_user(oci::Process& process) {
  const manifest::SecurityContext own =
      container_.security_context.value_or(manifest::SecurityContext{});
  const manifest::PodSecurityContext of_pod =
      pod_.security_context.value_or(manifest::PodSecurityContext{});
  const auto user = own.run_as_user ? own.run_as_user : of_pod.run_as_user;
  const auto group = own.run_as_group ? own.run_as_group : of_pod.run_as_group;
  if (user || !is_bundle_) {
    const std::string who = user ? cat(*user) : input_.image.user;
    const Identity identity =
        TRY(of_user(identity_of(who, input_.image.passwd, input_.image.group),
                    user ? "runAsUser" : cat("the image's user ", quoted(who)), user.has_value()));
    process.user.uid = identity.uid;
    process.user.gid = identity.gid;
    process.user.additional_gids = identity.groups;
  }
  if (group) process.user.gid = static_cast<uint32_t>(*group);
  TRY(of_user(check_ids({process.user.uid, process.user.gid, process.user.additional_gids}),
              "process.user of the bundle's config.json", user.has_value()));
  std::vector<int64_t> more = of_pod.supplemental_groups;
  if (of_pod.fs_group) more.push_back(*of_pod.fs_group);
  std::vector<uint32_t>& groups = process.user.additional_gids;
  for (int64_t gid : more) {
    const auto id = static_cast<uint32_t>(gid);
    if (std::find(groups.begin(), groups.end(), id) == groups.end()) groups.push_back(id);
  }
  // The primary group too: a setgid program changes that one, and whoever is out of it may be let
  // do what its members may not (CVE-2022-36109, CVE-2023-25173 and others).
  const bool is_ours = user || group || !is_bundle_;
  if (is_ours && std::find(groups.begin(), groups.end(), process.user.gid) == groups.end())
    groups.insert(groups.begin(), process.user.gid);
  const auto non_root = own.run_as_non_root ? own.run_as_non_root : of_pod.run_as_non_root;
  if (non_root.value_or(false) && process.user.uid == 0) {
    return refuse(cat("runAsNonRoot: is true, but the user is 0",
                      user ? "" : "; runAsUser sets another one"));
  }
  return {};
}

Result<> Maker::set_capabilities(oci::Process& process) {
  if (!container_.security_context || !container_.security_context->capabilities) return {};
  const manifest::Capabilities& change = *container_.security_context->capabilities;
  if (!process.capabilities) process.capabilities.emplace();
  uint64_t mask = capability_mask(process.capabilities->bounding).mask;
  constexpr uint64_t kAll = (uint64_t{2} << kLastCapability) - 1;
  // Dropping comes first, so that `drop: [ALL], add: [X]` leaves X.
  const auto mask_of = [](const std::vector<std::string>& names) {
    uint64_t named = 0;
    for (const std::string& name : names) {
      if (name == "ALL") return kAll;
      if (auto number = capability_number(name.starts_with("CAP_") ? name : cat("CAP_", name))) {
        named |= uint64_t{1} << *number;
      }
    }
    return named;
  };
  mask = (mask & ~mask_of(change.drop)) | mask_of(change.add);
  std::vector<std::string> names;
  for (int number = 0; number <= kLastCapability; ++number) {
    if ((mask >> number & 1) != 0) names.emplace_back(capability_name(number));
  }
  process.capabilities->bounding = names;
  process.capabilities->effective = names;
  process.capabilities->permitted = names;
  process.capabilities->inheritable.clear();
  process.capabilities->ambient.clear();
  return {};
}

void Maker::set_security(oci::Process& process) {
  const manifest::SecurityContext own =
      container_.security_context.value_or(manifest::SecurityContext{});
  if (own.allow_privilege_escalation) process.no_new_privileges = !*own.allow_privilege_escalation;
  if (own.read_only_root_filesystem) spec_.root->readonly = own.read_only_root_filesystem;
  const std::optional<manifest::Profile>& of_pod =
      pod_.security_context ? pod_.security_context->app_armor_profile : std::nullopt;
  const std::optional<manifest::Profile>& armor =
      own.app_armor_profile ? own.app_armor_profile : of_pod;
  if (armor && armor->type == manifest::ProfileType::kLocalhost) {
    process.apparmor_profile = *armor->localhost_profile;
  } else if (armor) {
    process.apparmor_profile.reset();
  }
  // RuntimeDefault unless the pod file (or the bundle) says otherwise: Kubernetes' own default is
  // no filter, and its documentation advises against that.
  const manifest::Profile* seccomp = seccomp_profile_of(pod_, container_);
  if (seccomp == nullptr && (is_bundle_ || is_privileged(container_))) return;
  const auto type = seccomp == nullptr ? manifest::ProfileType::kRuntimeDefault : seccomp->type;
  if (type == manifest::ProfileType::kUnconfined) {
    spec_.linux->seccomp.reset();
  } else if (type == manifest::ProfileType::kLocalhost) {
    spec_.linux->seccomp = *input_.local_profile;
  } else {
    spec_.linux->seccomp = default_seccomp(process.capabilities ? process.capabilities->bounding
                                                                : std::vector<std::string>{});
  }
}

// Who may not lower it has what the pod's shim has: without any, or the next shim of the pod, which
// somebody with a higher one has begun, could start no container again.
void Maker::set_oom_score(oci::Process& process) const {
  if (is_bundle_ && process.oom_score_adj) return;
  const int score = oom_score_of(pod_, input_.index, input_.machine.memory);
  if (score > input_.machine.least_oom_score.value_or(-1001)) process.oom_score_adj = score;
}

Result<> Maker::set_namespaces() {
  std::vector<oci::Namespace> namespaces = {{.type = NamespaceType::kMount}};
  for (const oci::Namespace& ns : spec_.linux->namespaces) {
    if (ns.type == NamespaceType::kUser) {
      return refuse("image: not supported: a bundle with a user namespace of its own");
    }
    if (ns.type == NamespaceType::kCgroup || ns.type == NamespaceType::kTime)
      namespaces.push_back(ns);
  }
  const auto join = [&](NamespaceType type, std::string path) {
    namespaces.push_back({.type = type, .path = std::move(path)});
  };
  if (!pod_.host_network)
    join(NamespaceType::kNetwork, pod::network_pin(input_.file.pod.metadata.name));
  if (!pod_.host_ipc) join(NamespaceType::kIpc, input_.layout.namespace_pin("ipc"));
  if (!pod_.host_network || pod_.hostname) {
    join(NamespaceType::kUts, input_.layout.namespace_pin("uts"));
  }
  if (pod_.share_process_namespace) {
    join(NamespaceType::kPid, input_.layout.namespace_pin("pid"));
  } else if (!pod_.host_pid) {
    namespaces.push_back({.type = NamespaceType::kPid});
  }
  spec_.linux->namespaces = std::move(namespaces);
  return {};
}

void Maker::set_resources() {
  spec_.linux->cgroups_path = cat("/ocirt/", input_.file.pod.metadata.name, "/", container_.name);
  if (!container_.resources) return;
  oci::Resources& mine =
      spec_.linux->resources ? *spec_.linux->resources : spec_.linux->resources.emplace();
  oci::Resources limits = cgroup_resources(*container_.resources, input_.machine);
  if (limits.cpu) mine.cpu = limits.cpu;
  if (limits.memory) mine.memory = limits.memory;
  if (!limits.hugepage_limits.empty()) mine.hugepage_limits = limits.hugepage_limits;
}

void Maker::bind(std::string destination, std::string source, std::vector<std::string> options) {
  std::vector<oci::Mount>& mounts = spec_.mounts;
  mounts.erase(std::remove_if(mounts.begin(), mounts.end(),
                              [&](const oci::Mount& mount) {
                                return clean_path(mount.destination) == clean_path(destination);
                              }),
               mounts.end());
  mounts.push_back({.destination = std::move(destination),
                    .type = "bind",
                    .source = std::move(source),
                    .options = std::move(options)});
}

void Maker::set_mounts() {
  const std::string& directory = input_.layout.directory();
  const std::string how = spec_.root->readonly.value_or(false) ? "ro" : "rw";
  struct Bind {
    std::string destination, source;
    std::vector<std::string> options;
  };
  std::vector<Bind> binds = {
      {"/dev/shm",
       pod_.host_ipc ? "/dev/shm" : cat(directory, "/shm"),
       {"rbind", "rprivate", "rw"}},
      {"/etc/hosts", input_.layout.hosts(), {"bind", "rprivate", how}},
      {"/etc/hostname", input_.layout.hostname(), {"bind", "rprivate", how}},
      {"/etc/resolv.conf", input_.layout.resolv_conf(), {"bind", "rprivate", how}}};
  for (size_t i = 0; i < container_.volume_mounts.size(); ++i) {
    const manifest::VolumeMount& mount = container_.volume_mounts[i];
    const auto volume = std::ranges::find(pod_.volumes, mount.name, &manifest::Volume::name);
    std::string source =
        volume->host_path ? volume->host_path->path : input_.layout.volume(mount.name);
    if (!mount.sub_path.empty()) source = cat(directory, "/", sub_path_target(container_.name, i));
    std::string_view propagation = "rprivate";
    if (mount.mount_propagation == manifest::Propagation::kHostToContainer) propagation = "rslave";
    if (mount.mount_propagation == manifest::Propagation::kBidirectional) propagation = "rshared";
    binds.push_back(
        {mount.mount_path,
         std::move(source),
         {"rbind", std::string(propagation), mount.read_only || is_fixed(*volume) ? "ro" : "rw"}});
  }
  // What is mounted deeper comes later, or it would be covered; of two in one place the volume
  // stays.
  std::vector<size_t> order(binds.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto depth = [&](size_t i) {
    return std::ranges::count(clean_path(binds[i].destination), '/');
  };
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(depth(i), i); });
  for (size_t i : order) {
    Bind& each = binds[i];
    bind(std::move(each.destination), std::move(each.source), std::move(each.options));
  }
}

void Maker::set_privileges() {
  oci::Process& process = *spec_.process;
  std::vector<std::string> every;
  for (std::string_view name : known_capabilities()) every.emplace_back(name);
  if (!process.capabilities) process.capabilities.emplace();
  process.capabilities->bounding = every;
  process.capabilities->effective = every;
  process.capabilities->permitted = every;
  oci::Linux& linux = *spec_.linux;
  linux.masked_paths.clear();
  linux.readonly_paths.clear();
  oci::Resources& resources = linux.resources ? *linux.resources : linux.resources.emplace();
  resources.devices = {{.allow = true, .access = "rwm"}};
  if (input_.devices != nullptr) linux.devices = *input_.devices;
  for (oci::Mount& mount : spec_.mounts) {
    if (mount.type != "sysfs" && mount.type != "cgroup") continue;
    std::ranges::replace(mount.options, "ro", "rw");
  }
}

}  // namespace

Result<oci::Spec> container_spec(const ContainerInput& input) { return Maker(input).make(); }

bool is_privileged(const Container& container) {
  return container.security_context && container.security_context->privileged.value_or(false);
}

const manifest::Profile* seccomp_profile_of(const PodSpec& spec, const Container& container) {
  if (container.security_context && container.security_context->seccomp_profile) {
    return &*container.security_context->seccomp_profile;
  }
  if (spec.security_context && spec.security_context->seccomp_profile) {
    return &*spec.security_context->seccomp_profile;
  }
  return nullptr;
}

std::string sub_path_target(std::string_view container, size_t mount) {
  return cat("subpaths/", container, "/", mount);
}

oci::Resources cgroup_resources(const manifest::Resources& resources, const Machine& machine) {
  oci::Resources out;
  const auto value = [](const oci::Map<std::string>& values, std::string_view name,
                        Result<int64_t> (*read)(std::string_view)) -> std::optional<int64_t> {
    const std::string* text = values.find(name);
    if (text == nullptr) return std::nullopt;
    const Result<int64_t> number = read(*text);
    return number ? std::optional<int64_t>(*number) : std::nullopt;
  };
  const auto limit = value(resources.limits, "cpu", thousandths);
  // Kubernetes: who has a limit and no request asks for the limit.
  auto request = value(resources.requests, "cpu", thousandths);
  if (!request) request = limit;
  if (limit || request) out.cpu.emplace();
  if (limit) {
    out.cpu->period = kCpuPeriod;
    // The kernel's least is a millisecond per period.
    out.cpu->quota = std::max<int64_t>(1000, *limit * static_cast<int64_t>(kCpuPeriod / 1000));
  }
  if (request) {
    out.cpu->shares =
        static_cast<uint64_t>(std::clamp<int64_t>(*request * 1024 / 1000, 2, 262'144));
  }
  if (const auto bytes = value(resources.limits, "memory", units)) {
    out.memory.emplace().limit = bytes;
    if (machine.limits_swap) out.memory->swap = bytes;
  }
  constexpr std::string_view kHuge = "hugepages-";
  for (const auto& [name, text] : resources.limits) {
    if (!name.starts_with(kHuge)) continue;
    const Result<int64_t> size = units(std::string_view(name).substr(kHuge.size()));
    const Result<int64_t> bytes = units(text);
    if (!size || !bytes) continue;
    const int64_t kib = *size >> 10;
    std::string page = cat(kib, "KB");
    if (kib % (1 << 20) == 0) {
      page = cat(kib >> 20, "GB");
    } else if (kib % (1 << 10) == 0) {
      page = cat(kib >> 10, "MB");
    }
    out.hugepage_limits.push_back({.page_size = page, .limit = static_cast<uint64_t>(*bytes)});
  }
  return out;
}

}  // namespace ocirt::podfile
