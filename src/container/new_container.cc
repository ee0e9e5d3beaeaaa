#include "src/container/new_container.h"

#include <cerrno>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/annotations.h"
#include "src/container/device_nodes.h"
#include "src/container/exec_settings.h"
#include "src/container/hooks.h"
#include "src/container/mount_trees.h"
#include "src/container/notify_socket.h"
#include "src/container/pidfd_socket.h"
#include "src/container/seccomp_file.h"
#include "src/container/status.h"
#include "src/container/timestamp.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "src/sys/process.h"
#include "src/sys/socket.h"

namespace ocirt::container {
namespace {

// A cgroup that a container may divide as it likes has to be one for all controllers.
Result<> check_delegation(const cgroup::Location& location) {
  if (!location.directories.empty() && location.layout == cgroup::Layout::unified) return {};
  return refuse("not supported: annotations: run.oci.delegate-cgroup needs a cgroup of version 2");
}

void fill_record(Record& record, const Bundle& bundle, const std::string& id, const Draft& draft,
                 const cgroup::Location& cgroup) {
  record.oci_version = bundle.spec.oci_version;
  record.id = id;
  record.bundle = bundle.path;
  record.rootfs = bundle.rootfs;
  record.created = rfc3339_now();
  record.owner = sys::own_uid();
  record.own_pid_namespace = draft.own_pid_namespace;
  record.user_namespace = draft.user.has_value();
  record.shares_mounts = draft.builder.plan.shares_mounts;
  for (const oci::Namespace& ns : bundle.spec.linux->namespaces) {
    if (ns.type == oci::NamespaceType::kTime) record.time_namespace = true;
  }
  record.no_new_privileges = bundle.spec.process->no_new_privileges.value_or(false);
  record.new_keyring = draft.builder.plan.process.new_keyring;
  // (A filter may come from an annotation alone.)
  record.plain = !bundle.spec.hooks && !bundle.spec.linux->seccomp && draft.seccomp.empty();
  record.exec_inherits = has_exec_settings(bundle.spec);
  record.annotations = bundle.spec.annotations;
  record.cgroup = cgroup;
  record.resctrl = draft.resctrl;
}

// What later commands need, written before anything else exists: a create that is killed from here
// on leaves a record by which `delete --force` finds the cgroup and everybody in it.
Result<> fill_directory(NewDirectory& made, const Bundle& bundle, const Draft& draft,
                        const Record& record) {
  TRY(write_filter(made.directory(), {draft.builder.plan.process.seccomp_flags, draft.seccomp}));
  return made.write_first(record, bundle.json);
}

// `devices_wait`: the device rules are left to launch().
Result<> make_cgroup(NewContainer& made, cgroup::Entrance& entrance, bool& devices_wait,
                     const Draft& draft, const cgroup::Host& host) {
  cgroup::Location& location = made.record.cgroup;
  location.shared = false;  // what is made is undone as ours
  made.cgroup = TRY(within("cgroup", cgroup::make(location, host.top_controllers)));
  location.shared = !made.cgroup.shared().empty();
  // Before there is a process of ours in it, whom `delete --force` has to find.
  TRY(made.directory->write(made.record));
  if (location.shared) {
    // The beginning of the sentence is what users of runc know to look for.
    made.complaints.push_back(
        cat("container's cgroup is not empty: ", made.cgroup.shared(),
            " already holds processes; limits, pauses and `kill --all` of this "
            "container are theirs too"));
  }
  entrance = TRY(within("cgroup", cgroup::open_entrance(location)));
  devices_wait =
      TRY(cgroup::apply_new(location, made.bundle.spec.linux->resources.value_or(oci::Resources()),
                            made.cgroup, entrance));
  if (!draft.user || !draft.user->cgroup_owner) return {};
  return within("cgroup", cgroup::delegate(location, *draft.user->cgroup_owner));
}

// An ordinary user may have no cgroup to put the container into. Device rules are not missed:
// without root there are no devices to be made, and the host's have owners.
bool may_do_without(Error& error, const std::optional<oci::Resources>& resources) {
  if (error.code != EACCES && error.code != EPERM && error.code != EROFS) return false;
  oci::Resources limits = resources.value_or(oci::Resources());
  limits.devices.clear();
  if (limits == oci::Resources()) return true;
  error.text += "; limits (linux.resources) take a cgroup that this user may write to";
  return false;
}

// The descriptors that the plan's mounts name by number.
Result<std::vector<UniqueFd>> open_trees(Draft& draft) {
  std::vector<UniqueFd> trees = TRY(open_mount_trees(draft));
  if (UniqueFd nodes = TRY(make_device_nodes(draft)); nodes.valid())
    trees.push_back(std::move(nodes));
  return trees;
}

bool is_crowded() {
  constexpr uint32_t kFewThreads = 256;
  constexpr size_t kFewMounts = 64;
  return sys::count_threads() > kFewThreads || sys::has_more_mounts_than(kFewMounts);
}

// Whether a mount namespace can be made without the host's mounts, and of what. On a host with few
// of them and few processes `run` gains nothing by it, and would make twelve system calls more.
void find_few_mounts(const Store& store, const GlobalOptions& global, DraftInput& input) {
  if (input.rootless || is_rootless(global)) return;
  if (input.purpose == plan::Purpose::run && !is_crowded()) return;
  // Init goes there and back, and setns(2) puts it at the top of the namespace.
  const Result<std::string> root = sys::read_link(sys::kCwd, "/proc/self/root");
  if (!root || *root != "/") return;
  input.namespaces_of_trees = sys::kernel_version() >= 0x070000;
  if (!input.namespaces_of_trees) input.few_mounts = find_devtmpfs_mounts(store.fd());
}

}  // namespace

Result<> NewContainer::record_it(const std::string& pid_file_path) {
  TRY(directory->write(record));
  pid_file = TRY(PidFile::write(pid_file_path, record.pid));
  return {};
}

void NewContainer::commit() {
  init->release();
  pid_file.keep();
  net_devices->commit();
  if (host_root) host_root->commit();
  cgroup.commit();
  systemd_v1.commit();
  resctrl.commit();
  unit.commit();
  directory->commit();
}

Result<NewContainer> make_container(const Store& store, const GlobalOptions& global,
                                    const CreateOptions& options, plan::Purpose purpose) {
  TRY(check_id(options.id));
  begin_phase(global.timeline, "read configuration");
  NewContainer made;
  made.bundle = TRY(open_bundle(options.bundle, options.config_file));
  const Annotations annotations = TRY(read_annotations(made.bundle.spec.annotations));
  if (made.bundle.spec.linux) {
    made.record.seccomp_receiver =
        complete_listener(made.bundle.spec.linux->seccomp, annotations.seccomp_receiver);
  }
  const bool notifies = TRY(add_notify_mount(made.bundle.spec, store, options.id));
  const oci::Spec& spec = made.bundle.spec;
  const bool detached = purpose == plan::Purpose::create || options.detach;
  const bool terminal = spec.process && spec.process->terminal.value_or(false);
  PreservedFds preserved = TRY(preserved_fds(options.preserve_fds));

  begin_phase(global.timeline, "decide");
  DraftInput input;
  input.spec = &spec;
  input.annotations = annotations;
  input.id = options.id;
  input.bundle = made.bundle.path;
  input.rootfs = made.bundle.rootfs;
  input.purpose = purpose;
  input.no_pivot = options.no_pivot;
  input.no_new_keyring = options.no_new_keyring;
  input.attached_terminal = !detached;
  input.preserved_fds = preserved.all;
  input.listen_fds = preserved.listen;
  input.rootless = sys::effective_uid() != 0;
  input.within_user_namespace = !input.rootless && is_rootless(global);
  find_few_mounts(store, global, input);
  input.own_uid = sys::effective_uid();
  input.own_gid = sys::effective_gid();
  input.cgroup_host = TRY(cgroup::probe_host());
  std::optional<UnitPlan> unit;
  if (by_systemd(global) && spec.linux) {
    unit = TRY(plan_unit(input.cgroup_host, spec, options.id, annotations.systemd_subgroup));
    input.cgroup = unit->location;
  } else if (global.cgroup_manager != CgroupManager::disabled && spec.linux) {
    input.cgroup =
        TRY(within("linux.cgroupsPath",
                   cgroup::locate(input.cgroup_host, spec.linux->cgroups_path, options.id)));
  }
  if (!unit && !annotations.systemd_subgroup.empty()) {
    return refuse(
        "not supported: annotations: run.oci.systemd.subgroup: it is a part of a unit of systemd, "
        "which takes --systemd-cgroup");
  }
  input.systemd_v1 = TRY(find_v1_for_systemd(annotations, input.cgroup_host, input.cgroup));
  const bool labels = spec.linux && spec.linux->mount_label && !spec.linux->mount_label->empty();
  if (labels || (spec.process && wants_labels(*spec.process))) input.modules = security_modules();
  if (spec.linux && spec.linux->intel_rdt) input.resctrl_root = resctrl::find_root();
  if (!annotations.delegate_cgroup.empty()) TRY(check_delegation(input.cgroup));
  Draft draft = TRY(draft_container(input));
  made.warnings = draft.warnings;
  if (preserved.missing) {
    made.complaints.push_back(cat("--preserve-fds: descriptor ", *preserved.missing,
                                  " is not open, as the caller has to pass it: it is left out"));
  }
  if (input.cgroup.directories.empty() && spec.linux->resources) {
    made.warnings.push_back(
        "linux.resources: no limit is in force, since --cgroup-manager is disabled");
  }
  made.net_devices.emplace(TRY(NetDevices::find(std::move(draft.net_devices))));
  std::vector<UniqueFd> trees = TRY(open_trees(draft));
  UniqueFd console =
      TRY(open_console_socket(options.console_socket, terminal, detached, options.adopted.console));
  std::vector<UniqueFd> pidfd_receivers =
      TRY(connect_pidfd_sockets(options.pidfd_socket, annotations.pidfd_receiver));

  // -- beyond this point the host is changed
  begin_phase(global.timeline, "state directory");
  fill_record(made.record, made.bundle, options.id, draft, input.cgroup);
  if (unit) {
    made.record.unit = unit->unit;
    if (draft.user) unit->owner = draft.user->cgroup_owner;
  }
  if (input.systemd_v1 && input.systemd_v1->beside_v2) {
    made.record.systemd_v1 = input.systemd_v1->directory.path;
  }
  // Until it was seen that nobody is in it: a create that is killed before must not leave a record
  // by which `delete --force` ends others.
  made.record.cgroup.shared = !unit && !input.cgroup.directories.empty();
  made.directory.emplace(TRY(store.create(options.id)));
  const Directory& directory = made.directory->directory();
  TRY(fill_directory(*made.directory, made.bundle, draft, made.record));
  if (notifies) TRY(within("NOTIFY_SOCKET", make_notify_directory(directory)));
  begin_phase(global.timeline, "cgroup");
  UniqueFd gate;
  if (purpose == plan::Purpose::create) gate = TRY(sys::listen_at(directory.fd(), kGate));
  cgroup::Entrance entrance;
  bool devices_wait = false;
  if (!input.cgroup.directories.empty() && !unit) {
    Result<> done = make_cgroup(made, entrance, devices_wait, draft, input.cgroup_host);
    if (!done && (!is_rootless(global) || !may_do_without(done.error(), spec.linux->resources))) {
      return std::unexpected(std::move(done).error());
    }
    if (!done) {
      made.cgroup = cgroup::Made();
      made.record.cgroup.directories.clear();
      // What a mount of cgroups shows is not what was drafted.
      input.cgroup = cgroup::Location();
      draft = TRY(draft_container(input));
      trees = TRY(open_trees(draft));
      made.warnings.push_back(cat("the container has no cgroup of its own: ", done.error().text));
    }
  }
  const cgroup::Location systemd_v1 = v1_for_systemd(made.record.systemd_v1);
  if (!systemd_v1.directories.empty()) {
    made.systemd_v1 = TRY(within("cgroup", cgroup::make(systemd_v1)));
    TRY(add_entrance(entrance, systemd_v1));
  }
  if (draft.resctrl) {
    made.resctrl = TRY(within("linux.intelRdt", resctrl::make(*draft.resctrl)));
    TRY(within("linux.intelRdt", resctrl::configure(*draft.resctrl, resctrl::schemata_lines(
                                                                        *spec.linux->intel_rdt))));
  }
  const bool has_cgroup = !made.record.cgroup.directories.empty() && !unit;
  if (made.record.shares_mounts) made.host_root.emplace(TRY(HostRoot::watch(made.bundle.rootfs)));
  LaunchRequest request;
  request.timeline = global.timeline;
  request.draft = &draft;
  request.signals_blocked = !detached;
  request.for_parent = options.adopted.by_parent;
  request.starts_at_once = purpose == plan::Purpose::run && annotations.delegate_cgroup.empty();
  request.entrance = has_cgroup || !entrance.procs.empty() ? &entrance : nullptr;
  if (devices_wait) {
    request.new_devices.emplace();
    if (spec.linux->resources) request.new_devices = spec.linux->resources->devices;
  }
  request.unit = unit ? &*unit : nullptr;
  request.started_unit = &made.unit;
  request.trees = trees;
  request.gate = gate;
  request.console = console;
  request.hooks = &spec.hooks;
  request.net_devices = &*made.net_devices;
  request.record = &made.record;
  if (spec.linux->seccomp && spec.linux->seccomp->listener_path) {
    request.agent =
        SeccompAgent{*spec.linux->seccomp->listener_path, spec.linux->seccomp->listener_metadata};
  }
  Result<Launched> launched = launch(request);
  if (!launched) {
    if (Result<> given = made.net_devices->give_back(); !given) {
      launched.error().text += cat("; then, while undoing this: ", given.error().text);
    }
    // A container that failed after its hooks began is destroyed like any other: with its poststop
    // hooks (runtime.md, "Lifecycle", steps 5 to 13).
    if (spec.hooks) {
      (void)run_all_hooks(spec.hooks->poststop,
                          oci::write(state_of(made.record, oci::Status::kStopped), false),
                          "poststop", spec.annotations);
    }
    return std::unexpected(std::move(launched).error());
  }
  made.init.emplace(*std::move(launched));
  if (made.host_root) made.record.root_mount = TRY(made.host_root->mount());
  if (!annotations.delegate_cgroup.empty()) {
    TRY(within("annotations: run.oci.delegate-cgroup",
               cgroup::move_below(input.cgroup, annotations.delegate_cgroup, made.init->pid())));
  }
  TRY(send_pidfd(pidfd_receivers, made.init->pidfd(), "standard"));
  entrance.directory.close_later();
  return made;
}

}  // namespace ocirt::container
