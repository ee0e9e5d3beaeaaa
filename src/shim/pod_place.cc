#include "src/shim/pod_place.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/delete.h"
#include "src/container/store.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/hold.h"
#include "src/linux/mount_options.h"
#include "src/linux/sysctl.h"
#include "src/net/pod_client.h"
#include "src/pod/addresses.h"
#include "src/shim/kept_process.h"
#include "src/shim/layer_place.h"
#include "src/shim/metrics.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"
#include "src/sys/first_process.h"
#include "src/sys/mounting.h"
#include "src/sys/namespace.h"
#include "src/sys/process.h"

namespace ocirt::shim {
namespace {

net::PodMode mode_of(pod::NetworkMode mode) {
  switch (mode) {
    case pod::NetworkMode::kBridge:
      return net::PodMode::kBridge;
    case pod::NetworkMode::kCni:
      return net::PodMode::kCni;
    case pod::NetworkMode::kHost:
      return net::PodMode::kHost;
    case pod::NetworkMode::kUser:
      return net::PodMode::kUser;
    case pod::NetworkMode::kNone:
      break;
  }
  return net::PodMode::kNone;
}

net::PodProtocol protocol_of(pod::Protocol protocol) {
  switch (protocol) {
    case pod::Protocol::kSctp:
      return net::PodProtocol::kSctp;
    case pod::Protocol::kUdp:
      return net::PodProtocol::kUdp;
    case pod::Protocol::kTcp:
      break;
  }
  return net::PodProtocol::kTcp;
}

Result<> make_directory(const std::string& path, mode_t mode) {
  Result<> made = sys::mkdir_parents(path, mode);
  if (!made && made.error().code == EEXIST) return {};
  return made;
}

// -- namespaces

Result<> write_sysctls(const pod::Pod& pod, bool network) {
  SysctlScope scope;
  scope.ipc = !pod.host_ipc;
  scope.network = pod.network.mode != pod::NetworkMode::kHost;
  scope.uts = !pod.host_uts;
  for (const auto& [key, value] : pod.sysctls) {
    TRY(within("sysctls", check_sysctl(key, scope)));
    const std::string path = TRY(within("sysctls", sysctl_path(key)));
    if (path.starts_with("net/") != network) continue;
    TRY(within(cat("sysctls: ", key),
               sys::write_control(sys::kCwd, cat("/proc/sys/", path), value)));
  }
  return {};
}

// Makes them around this process, which ends soon; the pins stay.
Result<> make_namespaces(const pod::Pod& pod, const pod::Layout& layout) {
  uint64_t flags = 0;
  if (!pod.host_ipc) flags |= CLONE_NEWIPC;
  const bool own_uts = !pod.host_uts && !pod.hostname.empty();
  if (own_uts) flags |= CLONE_NEWUTS;
  if (flags == 0) return {};
  TRY(sys::unshare(flags));
  if (own_uts) {
    TRY(sys::set_hostname(pod.hostname));
    TRY(sys::pin_namespace("uts", layout.namespace_pin("uts")));
  }
  if (!pod.host_ipc) TRY(sys::pin_namespace("ipc", layout.namespace_pin("ipc")));
  return write_sysctls(pod, false);
}

// The pod ends with it. What the kubelet gives a pod's first process; without the right to, what we
// have.
void spare(pid_t first) {
  (void)sys::write_control(sys::kCwd, cat("/proc/", first, "/oom_score_adj"), "-998");
}

// In a cgroup below the pod's, with which it is ended: no container's name has a "_". Without one,
// by its number.
Result<> share_pids(const pod::Pod& pod, const pod::Layout& layout) {
  if (pod.cgroup.empty()) {
    TRY(sys::start_first_process({.empty = layout.namespaces()}, [&](pid_t first) {
      spare(first);
      return record_process(layout.first_process(), first);
    }));
    return sys::pin_namespace("pid_for_children", layout.namespace_pin("pid"));
  }
  const cgroup::Host host = TRY(cgroup::probe_host());
  const cgroup::Location location = TRY(cgroup::locate(host, cat(pod.cgroup, "/_pid"), pod.name));
  cgroup::Made made = TRY(cgroup::make(location));
  const cgroup::Entrance entrance = TRY(cgroup::open_entrance(location));
  TRY(sys::start_first_process({.empty = layout.namespaces()}, [&](pid_t first) {
    spare(first);
    return cgroup::enter(entrance, first);
  }));
  TRY(sys::pin_namespace("pid_for_children", layout.namespace_pin("pid")));
  made.commit();
  return {};
}

// -- mounts

// A missing directory of a subPath is as the volume is, whoever may write there. Its group comes
// with the volume's set-group-ID bit.
Result<> make_like(Fd root, Fd parent, const std::string& name) {
  const struct stat info = TRY(sys::stat_fd(root, "the volume"));
  TRY(sys::mkdir(parent, name, 0700));
  const UniqueFd made = TRY(sys::open(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return sys::set_mode(made, name, info.st_mode & 07777);
}

// Where a bind leads: resolved once, without leaving the source.
Result<UniqueFd> open_inside(const std::string& source, const std::string& inside) {
  UniqueFd root = TRY(sys::open(sys::kCwd, source, O_PATH));
  if (inside.empty()) return root;
  std::string path;
  for (std::string_view part : split(inside, '/')) {
    if (part.empty() || part == ".") continue;
    path += cat(path.empty() ? "" : "/", part);
    Result<UniqueFd> there = sys::open_beneath(root, path, O_PATH);
    if (there) continue;
    if (there.error().code != ENOENT) return there;
    const size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash);
    UniqueFd directory = TRY(sys::open_beneath(root, parent, O_PATH | O_DIRECTORY));
    TRY(make_like(root, directory, std::string(part)));
  }
  return sys::open_beneath(root, path, O_PATH);
}

Result<> mount_from_disk(const std::string& source, const std::string& target,
                         const MountOptions& options) {
  const UniqueFd like = TRY(sys::open(sys::kCwd, target, O_RDONLY | O_DIRECTORY));
  const struct stat info = TRY(sys::stat_fd(like, target));
  TRY(sys::mkdir_parents(source, 0700));
  const UniqueFd made = TRY(sys::open(sys::kCwd, source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(sys::give_to_group(made, source, info.st_gid));
  TRY(sys::set_mode(made, source, info.st_mode & 07777));
  return sys::bind(source, target, false, options.flags);
}

Result<> make_mount(const pod::PodMount& mount, const pod::Layout& layout) {
  const std::string target = cat(layout.directory(), "/", mount.target);
  const MountOptions options = parse_mount_options(mount.options);
  if (mount.type == pod::MountType::kDisk)
    return mount_from_disk(layout.on_disk(mount.target), target, options);
  if (mount.type == pod::MountType::kTmpfs) {
    TRY(make_directory(target, 0755));
    return sys::mount("tmpfs", target, "tmpfs", options.flags, options.data);
  }
  const std::string source =
      mount.source.starts_with('/') ? mount.source : cat(layout.directory(), "/", mount.source);
  UniqueFd from = TRY(open_inside(source, mount.inside));
  const struct stat info = TRY(sys::stat_fd(from, source));
  if (S_ISDIR(info.st_mode)) {
    TRY(make_directory(target, 0755));
  } else {
    const size_t slash = target.rfind('/');
    TRY(make_directory(target.substr(0, slash), 0755));
    (void)TRY(sys::open(sys::kCwd, target, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
  }
  return sys::bind(cat("/proc/self/fd/", from.raw()), target, options.recursive_bind,
                   options.flags);
}

bool has_layer(const pod::Container& container) {
  return container.rootfs && container.rootfs->type == pod::RootfsType::kOverlay;
}

bool needs_disk(const pod::Pod& pod) {
  const auto on_disk = [](const pod::PodMount& mount) {
    return mount.type == pod::MountType::kDisk;
  };
  return std::ranges::any_of(pod.containers, has_layer) || std::ranges::any_of(pod.mounts, on_disk);
}

Result<> mount_rootfs(const pod::Container& container, const pod::Layout& layout) {
  if (!container.rootfs) return {};
  const pod::Rootfs& rootfs = *container.rootfs;
  const std::string target = layout.rootfs(container.name);
  TRY(make_directory(target, 0755));
  const MountOptions options = parse_mount_options(rootfs.options);
  if (rootfs.type == pod::RootfsType::kBind)
    return sys::bind(rootfs.source, target, true, options.flags);
  const std::string upper = layout.upper(container.name), work = layout.work(container.name);
  TRY(make_directory(upper, 0755));
  TRY(make_directory(work, 0700));
  std::string data = overlay_options(rootfs.source, upper, work);
  // In a user namespace nobody may write what overlayfs keeps otherwise (trusted.*).
  if (sys::in_user_namespace()) data += ",userxattr";
  if (!options.data.empty()) data += cat(",", options.data);
  return sys::mount("overlay", target, "overlay", options.flags, data);
}

// -- what the containers are told

Result<> tell_addresses(const pod::Pod& pod, const pod::Layout& layout,
                        const net::PodNetwork& network) {
  if (!pod.wants_addresses) return {};
  if (network.addresses.empty())
    return refuse(
        "a variable of a container is status.podIP, and this network gives the pod no address");
  std::vector<std::string> addresses;
  addresses.reserve(network.addresses.size());
  for (const std::string& address : network.addresses)
    addresses.emplace_back(net::without_length(address));
  for (const pod::Container& container : pod.containers) {
    const std::string path = layout.config_json(container.name);
    const std::string config = TRY(sys::read_file(sys::kCwd, path, oci::kMaxDocumentSize));
    TRY(sys::write_file_atomically(sys::kCwd, path, cat(path, ".new"),
                                   pod::with_addresses(config, addresses), 0600));
  }
  return {};
}

// -- cgroup

Result<cgroup::Location> cgroup_of(const pod::Pod& pod) {
  return cgroup::locate(TRY(cgroup::probe_host()), pod.cgroup, pod.name);
}

Result<> make_cgroup(const pod::Pod& pod, const pod::Layout& layout) {
  if (pod.cgroup.empty()) return {};
  const cgroup::Location location = TRY(cgroup_of(pod));
  // With the host's network nothing else tells two pods of one name apart.
  if (!TRY(cgroup::processes(location)).empty()) {
    return refuse(cat(pod.cgroup, " has processes: a pod ", pod.name,
                      " runs on this machine already, with another --root"));
  }
  // From here on it is ours to be removed, with everybody in it.
  TRY(sys::write_file_atomically(sys::kCwd, layout.cgroup(), cat(layout.cgroup(), ".new"),
                                 cat(pod.cgroup, "\n"), 0600));
  // Another pod that ends may take the directory above away in this moment.
  Result<cgroup::Made> made = cgroup::make(location);
  for (int i = 0; i < 3 && !made && made.error().code == ENOENT; ++i) made = cgroup::make(location);
  if (!made) return std::unexpected(std::move(made).error());
  // No device rules: those are the containers'.
  if (pod.resources) TRY(cgroup::apply(location, *pod.resources, true));
  made->commit();
  return {};
}

// Not that of another pod, whose name was the reason for which this one could not be made.
Result<> remove_cgroup(const pod::Pod& pod, const pod::Layout& layout) {
  if (sys::is_absent(sys::kCwd, layout.cgroup())) return {};
  const cgroup::Location location = TRY(cgroup_of(pod));
  const std::vector<UniqueFd> held = cgroup::hold(location);
  TRY(cgroup::remove(location));
  // The directory that all pods share goes with the last of them.
  for (const cgroup::Directory& directory : location.directories) {
    const size_t slash = directory.path.rfind('/');
    if (pod.cgroup.find('/', 1) != std::string::npos)
      (void)sys::rmdir(sys::kCwd, directory.path.substr(0, slash));
  }
  return {};
}

Result<> remove_containers(const pod::Layout& layout) {
  if (sys::is_absent(sys::kCwd, layout.runtime_root())) return {};
  const container::Store store = TRY(container::Store::open(layout.runtime_root(), false));
  const std::vector<std::string> ids = TRY(store.ids());
  Result<> all;
  for (const std::string& id : ids) {
    Result<container::Warnings> removed = container::remove_container(store, id, true);
    if (!removed && all) all = std::unexpected(removed.error());
  }
  return all;
}

Result<> unmount_all(const pod::Layout& layout) {
  Result<> all;
  for (const std::string& target : TRY(sys::mounts_below(layout.directory()))) {
    Result<> done = sys::unmount(target);
    if (!done && all) all = std::move(done);
  }
  return all;
}

}  // namespace

Result<net::PodNetwork> make_place(const pod::Pod& pod, const pod::Layout& layout) {
  net::PodNetwork network;
  for (const std::string& path : {layout.namespaces(), layout.logs(), layout.runtime_root()})
    TRY(make_directory(path, 0700));
  network =
      TRY(within("network", net::ask_pod_network(network_request(pod, layout, net::PodVerb::kUp))));
  TRY(within("network", tell_addresses(pod, layout, network)));
  TRY(within("cgroup", make_cgroup(pod, layout)));
  if (needs_disk(pod)) TRY(within("layers", make_layer_place(pod, layout)));
  for (const pod::PodMount& mount : pod.mounts)
    TRY(within(cat("mounts: ", mount.target), make_mount(mount, layout)));
  for (const pod::Container& container : pod.containers)
    TRY(within(cat("containers: ", container.name, ": rootfs"), mount_rootfs(container, layout)));
  TRY(within("namespaces", make_namespaces(pod, layout)));
  if (pod.share_pid) TRY(within("pid namespace", share_pids(pod, layout)));
  if (network.netns.empty() || pod.sysctls.empty()) return network;
  const UniqueFd netns = TRY(sys::open_namespace(network.netns, CLONE_NEWNET));
  TRY(sys::setns(netns, CLONE_NEWNET));
  TRY(write_sysctls(pod, true));
  return network;
}

std::string overlay_options(const std::string& lower, const std::string& upper,
                            const std::string& work) {
  auto escaped = [](const std::string& path, bool list) {
    std::string text;
    for (char c : path) {
      if (c == '\\' || c == ',' || (list && c == ':')) text += '\\';
      text += c;
    }
    return text;
  };
  return cat("lowerdir=", escaped(lower, true), ",upperdir=", escaped(upper, false),
             ",workdir=", escaped(work, false));
}

net::PodRequest network_request(const pod::Pod& pod, const pod::Layout& layout, net::PodVerb verb) {
  net::PodRequest request;
  request.verb = verb;
  request.name = pod.name;
  request.uid = pod.uid;
  request.mode = mode_of(pod.network.mode);
  request.netns = pod.netns();
  request.directory = layout.directory();
  if (sys::exists(sys::kCwd, layout.hosts())) request.hosts = layout.hosts();
  request.hostname = pod.hostname;
  request.cni = pod.network.cni;
  request.force = verb == net::PodVerb::kDown;
  for (const pod::Port& port : pod.network.ports) {
    if (port.host_port == 0) continue;
    request.ports.push_back(
        {protocol_of(port.protocol), port.host_ip, port.host_port, port.container_port});
  }
  return request;
}

Result<> unmake_place(const pod::Pod& pod, const pod::Layout& layout) {
  Result<> first;
  auto note = [&](Result<> done) {
    if (!done && first) first = std::move(done);
  };
  note(remove_containers(layout));
  note(end_process(layout.first_process()));
  Result<net::PodNetwork> network =
      net::ask_pod_network(network_request(pod, layout, net::PodVerb::kDown));
  if (!network) note(within("network", Result<>(std::unexpected(network.error()))));
  note(unmount_all(layout));
  note(within("cgroup", remove_cgroup(pod, layout)));
  note(within("layers", remove_layer_place(pod, layout)));
  for (const std::string& path : {layout.namespaces(), layout.runtime_root()})
    note(sys::remove_tree(sys::kCwd, path));
  // Not before: the namespaces that all of this was in last as long as the longer of both.
  note(end_process(layout.holder()));
  return first;
}

Result<Done> pod_metrics(const pod::Pod& pod) {
  const cgroup::Location location = TRY(cgroup_of(pod));
  const wire::AnyValue metrics = TRY(read_metrics(location, kMostText - 100));
  return write_metrics(metrics);
}

Result<> remove_directory(const pod::Layout& layout) {
  // Whatever is still mounted below would be emptied by this.
  const std::vector<std::string> mounts = TRY(sys::mounts_below(layout.directory()));
  if (!mounts.empty()) {
    return refuse(cat("remove ", layout.directory(), ": ", mounts.front(), " is still mounted"));
  }
  // By another name first: the lock goes with the rest, and who finds a pod without one takes it
  // for the half of a pod that died, removes it, and may make one of the same name in its place.
  // What has that name already is of one that was killed here.
  TRY(sys::remove_tree(sys::kCwd, layout.removed()));
  TRY(sys::rename(sys::kCwd, layout.directory(), layout.removed()));
  // The shim itself may write its last event or state meanwhile: what came in between goes as well.
  for (int more = 3;; --more) {
    Result<> removed = sys::remove_tree(sys::kCwd, layout.removed());
    if (removed || removed.error().code != ENOTEMPTY || more == 0) return removed;
  }
}

}  // namespace ocirt::shim
