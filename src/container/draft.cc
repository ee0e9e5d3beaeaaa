#include "src/container/draft.h"

#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <bit>

#include "src/base/text.h"
#include "src/container/draft_hooks.h"
#include "src/container/draft_lean_mounts.h"
#include "src/container/draft_user.h"
#include "src/container/net_devices.h"
#include "src/container/seccomp_agent.h"
#include "src/linux/default_devices.h"
#include "src/linux/namespaces.h"
#include "src/linux/seccomp.h"
#include "src/linux/sysctl.h"
#include "src/sys/namespace.h"

namespace ocirt::container {
namespace {

// A container in the host's mount namespace.
Result<> check_shared_mounts(const oci::Linux& linux) {
  if (linux.rootfs_propagation) {
    return refuse(
        "linux.rootfsPropagation: without a mount namespace it would be the propagation of the "
        "host's root");
  }
  for (const oci::Namespace& ns : linux.namespaces) {
    if (ns.type != oci::NamespaceType::kUser) continue;
    if (ns.path && sys::is_own_namespace(*ns.path, CLONE_NEWUSER)) continue;
    return refuse(
        "not supported: linux.namespaces with \"user\" and without \"mount\": a user namespace "
        "has no right to mount anything in the mount namespace of the host");
  }
  return {};
}

Result<> draft_namespaces(Draft& draft, const oci::Spec& spec) {
  plan::Plan& plan = draft.builder.plan;
  plan.build_root = plan.shares_mounts = true;
  for (const oci::Namespace& ns : spec.linux->namespaces) {
    const uint64_t flag = clone_flag(ns.type);
    if (ns.type == oci::NamespaceType::kMount) plan.shares_mounts = false;
    if (ns.type == oci::NamespaceType::kPid) draft.own_pid_namespace = !ns.path;
    if (ns.path && !ns.path->empty()) {
      // setns(2) refuses to enter the user namespace that one is in.
      if (ns.type == oci::NamespaceType::kUser && sys::is_own_namespace(*ns.path, flag)) continue;
      // To enter our own mount namespace would only change the root.
      if (ns.type == oci::NamespaceType::kMount && sys::is_own_namespace(*ns.path, flag)) {
        plan.shares_mounts = true;
        continue;
      }
      draft.shared.push_back({flag, *ns.path});
    } else if (ns.type == oci::NamespaceType::kCgroup || ns.type == oci::NamespaceType::kTime) {
      plan.unshare |=
          static_cast<uint32_t>(flag);  // by init: inside its cgroup; before its offsets
    } else {
      draft.new_namespaces |= flag;
    }
  }
  if (plan.shares_mounts) TRY(check_shared_mounts(*spec.linux));
  for (const SharedNamespace& shared : draft.shared) {
    const bool renames = spec.hostname || spec.domainname;
    if (shared.flag == CLONE_NEWUTS && renames && sys::is_own_namespace(shared.path, shared.flag)) {
      return refuse(cat("hostname: ", shared.path,
                        " is the uts namespace of the host, which would be renamed"));
    }
  }
  plan.new_network = (draft.new_namespaces & CLONE_NEWNET) != 0;
  return {};
}

void draft_propagation(plan::Plan& plan, const oci::Linux& linux) {
  using enum oci::RootfsPropagation;
  plan.root_propagation = MS_SLAVE | MS_REC;
  if (!linux.rootfs_propagation) return;
  switch (*linux.rootfs_propagation) {
    case kShared:
      plan.root_propagation = MS_SHARED;
      break;
    case kRshared:
      plan.root_propagation = MS_SHARED | MS_REC;
      break;
    case kSlave:
      plan.root_propagation = MS_SLAVE;
      break;
    case kRslave:
      plan.root_propagation = MS_SLAVE | MS_REC;
      break;
    case kPrivate:
      plan.root_propagation = MS_PRIVATE;
      break;
    case kRprivate:
      plan.root_propagation = MS_PRIVATE | MS_REC;
      break;
    // Nothing could be bound from an unbindable tree: first a slave, unbindable at the end.
    case kUnbindable:
    case kRunbindable:
      plan.root_propagation = MS_SLAVE | MS_REC;
      break;
  }
  switch (*linux.rootfs_propagation) {
    // Of the root alone: every other mount has a word of its own.
    case kShared:
    case kRshared:
      plan.final_propagation = MS_SHARED;
      break;
    case kUnbindable:
    case kRunbindable:
      plan.final_propagation = MS_UNBINDABLE;
      break;
    default:
      break;
  }
}

// In a user namespace init may make none.
void premake(Draft& draft, plan::Device& node, size_t index) {
  if (!draft.user || draft.user->rootless || S_ISFIFO(node.mode)) return;
  auto uid = host_id(draft.user->uids, node.uid), gid = host_id(draft.user->gids, node.gid);
  if (!uid || !gid) return;
  node.premade = true;
  draft.device_nodes.push_back({cat(index), node.mode, node.major, node.minor, *uid, *gid});
}

Result<> draft_devices(Draft& draft, const oci::Linux& linux, const DraftInput& input) {
  plan::Builder& builder = draft.builder;
  std::vector<plan::Device> devices;
  auto configured = [&](std::string_view path) {
    for (const oci::Device& device : linux.devices) {
      if (clean_path(device.path) == path) return true;
    }
    return false;
  };
  for (const DefaultDevice& device : default_devices()) {
    if (configured(device.path)) continue;
    devices.push_back(
        {builder.text(device.path), S_IFCHR | kDefaultDeviceMode, device.major, device.minor});
  }
  const bool terminal = input.spec->process && input.spec->process->terminal.value_or(false);
  for (size_t i = 0; i < linux.devices.size(); ++i) {
    const oci::Device& device = linux.devices[i];
    std::string path = clean_path(device.path);
    // ptmx must be that of the container's devpts, and the console is its terminal.
    if (path == "/dev/ptmx" || (path == "/dev/console" && terminal)) continue;
    plan::Device node{builder.text(path)};
    switch (device.type) {
      case oci::DeviceType::kBlock:
        node.mode = S_IFBLK;
        break;
      case oci::DeviceType::kCharacter:
      case oci::DeviceType::kUnbuffered:
        node.mode = S_IFCHR;
        break;
      case oci::DeviceType::kFifo:
        node.mode = S_IFIFO;
        break;
    }
    node.mode |= device.file_mode.value_or(0666) & 07777;
    if (device.type != oci::DeviceType::kFifo) {
      int64_t major = device.major.value_or(-1), minor = device.minor.value_or(-1);
      if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff) {
        return refuse(cat("linux.devices[", i, "] (", path,
                          "): a device number is 0 to 4095 : 0 to 1048575, found ", major, ":",
                          minor));
      }
      node.major = static_cast<uint32_t>(major);
      node.minor = static_cast<uint32_t>(minor);
    }
    node.uid = device.uid.value_or(0);
    node.gid = device.gid.value_or(0);
    premake(draft, node, devices.size());
    devices.push_back(node);
  }
  std::vector<plan::Link> links;
  for (const DefaultLink& link : default_links()) {
    links.push_back({builder.text(link.target), builder.text(link.path), link.only_if_target});
  }
  builder.plan.devices = builder.list(devices);
  builder.plan.links = builder.list(links);
  return {};
}

Result<> draft_sysctls(plan::Builder& builder, const oci::Spec& spec) {
  if (spec.linux->sysctl.empty()) return {};
  SysctlScope scope;
  for (const oci::Namespace& ns : spec.linux->namespaces) {
    // To join our own is to share it with the host: what is set there is set for all.
    if (ns.path && sys::is_own_namespace(*ns.path, clone_flag(ns.type))) continue;
    if (ns.type == oci::NamespaceType::kIpc) scope.ipc = true;
    if (ns.type == oci::NamespaceType::kNetwork) scope.network = true;
    if (ns.type == oci::NamespaceType::kUts) scope.uts = true;
    if (ns.type == oci::NamespaceType::kUser) scope.user = true;
  }
  scope.domainname_set = spec.domainname && !spec.domainname->empty();
  std::vector<plan::Sysctl> sysctls;
  for (const auto& [key, value] : spec.linux->sysctl) {
    TRY(within("linux.sysctl", check_sysctl(key, scope)));
    std::string path = TRY(within("linux.sysctl", sysctl_path(key)));
    sysctls.push_back({builder.text(path), builder.text(value)});
  }
  builder.plan.sysctls = builder.list(sysctls);
  return {};
}

Result<> draft_seccomp(Draft& draft, const oci::Linux& linux, const Annotations& annotations) {
  if (!annotations.seccomp_program.empty()) {
    draft.seccomp = annotations.seccomp_program;
    draft.builder.plan.process.seccomp = draft.builder.list(draft.seccomp);
    return {};
  }
  if (!linux.seccomp) return {};
  SeccompFilter filter = TRY(compile_seccomp(*linux.seccomp));
  if (annotations.seccomp_fail_unknown_syscall && !filter.unknown_names.empty()) {
    return refuse(
        cat("linux.seccomp: ", quoted(filter.unknown_names.front()),
            " is no system call that libseccomp ", libseccomp_version(),
            " knows, and run.oci.seccomp_fail_unknown_syscall wants that to be an error"));
  }
  if (filter.notify) TRY(check_notify(*linux.seccomp));
  for (std::string& warning : filter.warnings) draft.warnings.push_back(std::move(warning));
  for (const BpfInstruction& instruction : filter.program) {
    draft.seccomp.push_back(std::bit_cast<uint64_t>(instruction));
  }
  plan::Process& process = draft.builder.plan.process;
  process.seccomp = draft.builder.list(draft.seccomp);
  process.seccomp_flags = filter.flags;
  return {};
}

}  // namespace

Result<Draft> draft_container(const DraftInput& input) {
  const oci::Spec& spec = *input.spec;
  if (!spec.linux) return refuse("config.json: linux: a container needs this section");
  if (!spec.process) return refuse("config.json: process: a container needs something to execute");
  const oci::Linux& linux = *spec.linux;

  Draft draft;
  plan::Builder& builder = draft.builder;
  plan::Plan& plan = builder.plan;
  plan.purpose = input.purpose;
  TRY(draft_namespaces(draft, spec));
  if (spec.hostname && !spec.hostname->empty()) plan.hostname = builder.text(*spec.hostname);
  if (spec.domainname && !spec.domainname->empty())
    plan.domainname = builder.text(*spec.domainname);

  plan.no_pivot = input.no_pivot;
  plan.readonly_root = spec.root->readonly.value_or(false);
  plan.root = builder.text(input.rootfs);
  draft_propagation(plan, linux);
  if (linux.mount_label && !linux.mount_label->empty()) {
    TRY(check_selinux(input.modules, *linux.mount_label, "linux.mountLabel"));
  }
  draft_clock_offsets(builder, linux);
  plan.user.within = input.within_user_namespace;
  TRY(draft_user_namespace(draft, input));
  TRY(draft_mounts(draft, input));
  TRY(draft_devices(draft, linux, input));
  plan.masked_paths = builder.texts(linux.masked_paths);
  plan.readonly_paths = builder.texts(linux.readonly_paths);
  TRY(draft_sysctls(builder, spec));
  if (linux.intel_rdt) {
    draft.resctrl = TRY(resctrl::locate(input.resctrl_root, *linux.intel_rdt, input.id));
  }
  draft_hooks(builder, spec.hooks, spec.process->env);
  draft.net_devices = TRY(draft_net_devices(spec));
  // Init waits for them where it waits for the hooks.
  if (!draft.net_devices.empty()) plan.hooks_outside = true;

  draft.terminal = spec.process->terminal.value_or(false);
  ProcessInput process{.process = &*spec.process,
                       .preserved_fds = input.preserved_fds,
                       .listen_fds = input.listen_fds,
                       .attached_terminal = input.attached_terminal,
                       .create_cwd = true,
                       .user_namespace = plan.user.entered,
                       .keep_groups = input.annotations.keep_original_groups,
                       .modules = input.modules};
  TRY(draft_process(builder, process, draft.warnings));
  draft.scheduling = TRY(draft_scheduling(*spec.process, "process", false));
  TRY(draft_policies(builder, linux.memory_policy, linux.personality));
  // A session keyring of its own keeps the container from the keys of whoever started ocirt.
  plan.process.new_keyring = !input.no_new_keyring;
  TRY(draft_seccomp(draft, linux, input.annotations));
  if (can_be_lean(draft, input)) {
    plan.lean_mounts = true;
    if (!input.namespaces_of_trees) {
      plan.few_mounts = input.few_mounts->thread;
      plan.few_mounts_inode = input.few_mounts->inode;
    }
    draft.new_namespaces &= ~uint64_t{CLONE_NEWNS};
  }
  return draft;
}

}  // namespace ocirt::container
