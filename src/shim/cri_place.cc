#include "src/shim/cri_place.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <utility>

#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/systemd.h"
#include "src/linux/sysctl.h"
#include "src/shim/kept_process.h"
#include "src/shim/metrics.h"
#include "src/shim/runtime.h"
#include "src/sys/file.h"
#include "src/sys/first_process.h"
#include "src/sys/mounting.h"
#include "src/sys/namespace.h"
#include "src/sys/process.h"
#include "src/sys/user_namespace.h"

namespace ocirt::shim {
namespace {

Result<> make_directory(const std::string& path) {
  Result<> made = sys::mkdir_parents(path, 0700);
  if (!made && made.error().code == EEXIST) return {};
  return made;
}

Result<> put(const CriPlaces& places, std::string_view name, std::string_view content) {
  const std::string path = cat(places.files, "/", name);
  // Everybody in the containers reads it.
  return sys::put_file(path, cat(path, ".new"), content, 0644);
}

// What the host's file says; "" when it has none.
std::string of_host(const char* path) { return sys::read_file(sys::kCwd, path).value_or(""); }

Result<> make_files(const CriPod& pod, const CriPlaces& places) {
  TRY(make_directory(places.files));
  const std::string name =
      pod.hostname.empty() ? std::string(trim(of_host("/proc/sys/kernel/hostname"))) : pod.hostname;
  TRY(put(places, "hostname", cat(name, "\n")));
  TRY(put(places, "hosts", of_host("/etc/hosts")));
  TRY(put(places, "resolv.conf",
          pod.resolv_conf.empty() ? of_host("/etc/resolv.conf") : pod.resolv_conf));
  if (pod.host_ipc) return {};
  TRY(make_directory(places.shared_memory));
  // A bind, so that what containers have in there outlasts an unmount by containerd.
  return sys::bind(places.own_shared_memory, places.shared_memory, false, 0);
}

Result<> make_shared_memory(const CriPod& pod, const CriPlaces& places) {
  if (pod.host_ipc) return {};
  TRY(make_directory(places.own_shared_memory));
  return sys::mount("shm", places.own_shared_memory, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                    "mode=1777,size=65536k");
}

Result<> enter(pid_t holder, const char* kind, uint64_t flag) {
  const UniqueFd ns = TRY(sys::open_namespace(cat("/proc/", holder, "/ns/", kind), flag));
  return sys::setns(ns, static_cast<int>(flag));
}

Result<> enter_all(const CriPod& pod, pid_t holder) {
  if (!pod.host_ipc) TRY(enter(holder, "ipc", CLONE_NEWIPC));
  if (pod.own_uts()) TRY(enter(holder, "uts", CLONE_NEWUTS));
  return {};
}

// That to which the network namespace belongs, where containerd has made it in one (2.x); or a new
// one.
Result<UniqueFd> user_namespace(const CriPod& pod, Fd network) {
  if (network.valid()) {
    const UniqueFd own = TRY(sys::open(sys::kCwd, "/proc/self/ns/user", O_RDONLY));
    if (!sys::is_owned_by(network, own)) return within(pod.netns, sys::owner_of(network));
  }
  return sys::make_user_namespace(pod.users->uid_map, pod.users->gid_map);
}

// This process keeps its ids until become_root(): what is below the bundle is root's of the host.
Result<> make_all_in_user_namespace(const CriPod& pod, Fd network) {
  const UniqueFd user = TRY(user_namespace(pod, network));
  TRY(sys::enter_user_namespace(user));
  return sys::unshare((pod.host_ipc ? 0U : unsigned{CLONE_NEWIPC}) |
                      (pod.own_uts() ? unsigned{CLONE_NEWUTS} : 0U) |
                      (pod.makes_network ? unsigned{CLONE_NEWNET} : 0U));
}

Result<pid_t> start_process(const CriPod& pod, const CriPlaces& places) {
  pid_t process = 0;
  const sys::FirstProcess kind{.empty = places.empty,
                               .makes_pid_namespace = pod.share_pid,
                               .becomes_root = pod.users.has_value()};
  TRY(sys::start_first_process(kind, [&](pid_t first) {
    process = first;
    return record_process(places.first_process, first);
  }));
  return process;
}

enum class Sysctls : uint8_t { kOfNetwork, kOthers, kAll };

// Before anything is made: a pod must not change what is the host's.
Result<> check_sysctls(const CriPod& pod) {
  SysctlScope scope;
  scope.ipc = !pod.host_ipc;
  scope.network = pod.own_network();
  scope.uts = pod.own_uts();
  for (const auto& [key, value] : pod.sysctls) TRY(check_sysctl(key, scope));
  return {};
}

Result<> write_sysctls(const CriPod& pod, Sysctls which) {
  for (const auto& [key, value] : pod.sysctls) {
    const std::string path = TRY(sysctl_path(key));
    if (which != Sysctls::kAll && path.starts_with("net/") != (which == Sysctls::kOfNetwork))
      continue;
    TRY(within(key, sys::write_control(sys::kCwd, cat("/proc/sys/", path), value)));
  }
  return {};
}

}  // namespace

Result<Done> make_cri_place(const CriPod& pod, const CriPlaces& places, pid_t holder) {
  TRY(within("sysctls", check_sysctls(pod)));
  TRY(within("shared memory", make_shared_memory(pod, places)));
  TRY(within("files", make_files(pod, places)));
  // From here on this process is in the pod's namespaces, and sees their part of /proc/sys.
  UniqueFd network;
  if (!pod.netns.empty()) {
    network = TRY(sys::open_namespace(pod.netns, CLONE_NEWNET));
    TRY(within(pod.netns, sys::setns(network, CLONE_NEWNET)));
    // With the rights of here: it may belong to the host's user namespace (containerd 1.7).
    TRY(within("sysctls", write_sysctls(pod, Sysctls::kOfNetwork)));
  }
  if (pod.users) {
    TRY(within("user namespace", make_all_in_user_namespace(pod, network)));
  } else {
    TRY(enter_all(pod, holder));
  }
  Done done;
  if (pod.has_process()) {
    TRY(make_directory(places.empty));
    done.pid = TRY(within("process of the namespaces", start_process(pod, places)));
  }
  if (pod.users) TRY(within("user namespace", sys::become_root()));
  if (pod.own_uts() && !pod.hostname.empty()) TRY(sys::set_hostname(pod.hostname));
  // With those of the pod's root: others may not change what is of its ipc namespace.
  TRY(within("sysctls", write_sysctls(pod, network.valid() ? Sysctls::kOthers : Sysctls::kAll)));
  return done;
}

bool has_files(const CriPod& pod, const CriPlaces& places) {
  return sys::exists(sys::kCwd, cat(places.files, "/hosts")) &&
         (pod.host_ipc || sys::exists(sys::kCwd, places.shared_memory));
}

Result<Done> make_files_again(const CriPod& pod, const CriPlaces& places) {
  TRY(within("files", sys::unmount_everything(places.shared_memory)));
  TRY(within("files", make_files(pod, places)));
  return Done{};
}

Result<> unmake_cri_place(const CriPlaces& places) {
  Result<> first;
  auto note = [&](Result<> done) {
    if (!done && first) first = std::move(done);
  };
  note(end_process(places.first_process));
  Result<> unmounted = sys::unmount_everything(places.shared_memory);
  // Not while somebody's files are in there.
  if (unmounted) unmounted = sys::remove_tree(sys::kCwd, places.shared_memory_parent);
  note(std::move(unmounted));
  note(sys::unmount_everything(places.own_shared_memory));
  note(sys::remove_tree(sys::kCwd, places.files));
  return first;
}

Result<Done> cri_metrics(const CriPod& pod, const std::string& id) {
  if (pod.cgroup_parent.empty()) return refuse("the pod has no cgroup");
  std::string path = pod.cgroup_parent;
  // By its name alone, where systemd makes the cgroups.
  if (path.ends_with(".slice"))
    path = TRY(cgroup::expand_slice(std::string_view(path).substr(path.rfind('/') + 1)));
  const cgroup::Host host = TRY(cgroup::probe_host());
  const cgroup::Location location = TRY(cgroup::locate(host, path, id));
  const wire::AnyValue metrics = TRY(read_metrics(location, kMostText - 100));
  return write_metrics(metrics);
}

}  // namespace ocirt::shim
