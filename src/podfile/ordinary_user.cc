#include "src/podfile/ordinary_user.h"

#include <algorithm>

#include "src/base/text.h"
#include "src/container/own_ids.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/podfile/container_spec.h"
#include "src/sys/file.h"

namespace ocirt::podfile {
namespace {

constexpr std::string_view kOwnCgroup =
    "not supported: limits and weights take a cgroup (version 2) that this user may make others "
    "in, "
    "as below user@.service: `systemd-run --user --scope -p Delegate=yes ocirt-pod ...`";

Result<> check_id(std::string_view field, uint64_t id, uint64_t count, std::string_view file) {
  if (id < count) return {};
  return refuse(cat(field, ": ", id, " is none of the ", count, " ids of a pod of this user",
                    count == 1
                        ? "; more take programs newuidmap and newgidmap (package uidmap) and "
                          "a line in "
                        : "; more take another line in ",
                    file));
}

Result<> check_process(oci::Process& process, const OrdinaryUser& user) {
  // Where no group can be set, none can be left either.
  if (user.groups == 1) std::erase(process.user.additional_gids, process.user.gid);
  TRY(check_id("runAsUser", process.user.uid, user.users, "/etc/subuid"));
  TRY(check_id("runAsGroup", process.user.gid, user.groups, "/etc/subgid"));
  for (uint32_t gid : process.user.additional_gids) {
    TRY(check_id("supplementalGroups", gid, user.groups, "/etc/subgid"));
  }
  return {};
}

void bind_instead(oci::Mount& mount, const char* source) {
  mount.type = "bind";
  mount.source = source;
  mount.options = {"rbind", "rprivate", "nosuid", "noexec", "nodev"};
}

void adapt_mounts(std::vector<oci::Mount>& mounts, const pod::Pod& pod, bool host_pid,
                  const OrdinaryUser& user) {
  // Whoever shares the host's queues sees them where the host does, or nowhere as the host.
  if (pod.host_ipc && !sys::is_directory(sys::kCwd, "/dev/mqueue")) {
    std::erase_if(mounts, [](const oci::Mount& mount) { return mount.type == "mqueue"; });
  }
  for (oci::Mount& mount : mounts) {
    // A new one shows a namespace that belongs to the host, which only the host may mount.
    if (mount.type == "mqueue" && pod.host_ipc) bind_instead(mount, "/dev/mqueue");
    if (mount.type == "proc" && host_pid) bind_instead(mount, "/proc");
    if (mount.type == "devpts" && user.groups <= 5) std::erase(mount.options, "gid=5");
  }
}

}  // namespace

Result<OrdinaryUser> ordinary_user() {
  OrdinaryUser user;
  const container::OwnIds ids = TRY(container::own_ids());
  user.users = container::id_count(ids.uids);
  user.groups = container::id_count(ids.gids);
  const cgroup::Host host = TRY(cgroup::probe_host());
  if (host.layout != cgroup::Layout::unified) return user;
  const Result<cgroup::Location> below = cgroup::locate(host, "ocirt", "ocirt");
  if (!below || below->directories.empty()) return user;
  const std::string& path = below->directories.front().path;
  const std::string& top = host.hierarchies.front().mount_point;
  const bool mine = sys::may_write(path) || (!sys::exists(sys::kCwd, path) &&
                                             sys::may_write(path.substr(0, path.rfind('/'))));
  if (mine && path.starts_with(top)) user.cgroup_parent = path.substr(top.size());
  return user;
}

Result<> adapt_pod(pod::Pod& pod, const pod::Layout& layout, const OrdinaryUser& user) {
  pod.cgroup = user.cgroup_parent.empty() ? "" : cat(user.cgroup_parent, "/", pod.name);
  if (pod.cgroup.empty() && pod.resources) return refuse(cat("resources: ", kOwnCgroup));
  if (pod.network.mode == pod::NetworkMode::kCni) {
    return refuse(
        "metadata.annotations: ocirt.pod/network: not supported: CNI plugins for an ordinary user, "
        "who may not change the host's network; without this annotation it is pasta");
  }
  if (pod.network.mode == pod::NetworkMode::kBridge) pod.network.mode = pod::NetworkMode::kUser;
  // In the shim's mounts; what is below /run/netns is the host's.
  if (pod.network.mode != pod::NetworkMode::kHost) pod.network.netns = layout.namespace_pin("net");
  for (const auto& [name, value] : pod.sysctls) {
    if (pod.network.mode != pod::NetworkMode::kHost || !name.starts_with("net.")) continue;
    return refuse(
        cat("securityContext.sysctls: ", name, ": the host's network is not this user's"));
  }
  return {};
}

Result<> adapt_container(oci::Spec& spec, const manifest::PodSpec& pod_spec,
                         const manifest::Container& container, const pod::Pod& pod,
                         const OrdinaryUser& user) {
  oci::Linux& linux = *spec.linux;
  TRY(within("securityContext", check_process(*spec.process, user)));
  for (const manifest::VolumeMount& mount : container.volume_mounts) {
    if (mount.mount_propagation != manifest::Propagation::kBidirectional) continue;
    return refuse(cat("volumeMounts: ", mount.name, ": not supported: mountPropagation ",
                      "Bidirectional for an ordinary user, whose mounts the host does not see"));
  }
  for (oci::Namespace& ns : linux.namespaces) {
    if (ns.type == oci::NamespaceType::kNetwork && ns.path) ns.path = pod.netns();
  }
  adapt_mounts(spec.mounts, pod, pod_spec.host_pid, user);
  if (!pod.cgroup.empty()) {
    linux.cgroups_path = cat(pod.cgroup, "/", container.name);
    return {};
  }
  linux.cgroups_path.reset();
  if (container.resources && cgroup_resources(*container.resources, {}) != oci::Resources()) {
    return refuse(cat("resources: ", kOwnCgroup));
  }
  if (linux.resources) {
    linux.resources->devices.clear();  // devices that are not the user's it cannot open anyway
    if (*linux.resources != oci::Resources()) return refuse(cat("resources: ", kOwnCgroup));
    linux.resources.reset();
  }
  return {};
}

}  // namespace ocirt::podfile
