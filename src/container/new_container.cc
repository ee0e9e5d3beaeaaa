#include "src/container/new_container.h"

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/exec_settings.h"
#include "src/container/hooks.h"
#include "src/container/mount_trees.h"
#include "src/container/seccomp_file.h"
#include "src/container/status.h"
#include "src/container/timestamp.h"
#include "src/sys/file.h"
#include "src/sys/process.h"
#include "src/sys/socket.h"

namespace ocirt::container {
namespace {

Result<> refuse_unsupported(const GlobalOptions& global, const CreateOptions& options) {
  if (global.systemd_cgroup || global.cgroup_manager == CgroupManager::systemd) {
    return refuse("not supported: cgroups by systemd (--systemd-cgroup, --cgroup-manager systemd)");
  }
  if (!options.pidfd_socket.empty()) return refuse("not supported: --pidfd-socket");
  return {};
}

Record new_record(const Bundle& bundle, const std::string& id, const Draft& draft,
                  const cgroup::Location& cgroup) {
  Record record;
  record.oci_version = bundle.spec.oci_version;
  record.id = id;
  record.bundle = bundle.path;
  record.rootfs = bundle.rootfs;
  record.created = rfc3339_now();
  record.owner = sys::own_uid();
  record.own_pid_namespace = draft.own_pid_namespace;
  record.no_new_privileges = bundle.spec.process->no_new_privileges.value_or(false);
  record.new_keyring = draft.builder.plan.process.keyring.given();
  record.exec_inherits = has_exec_settings(bundle.spec);
  record.annotations = bundle.spec.annotations;
  record.cgroup = cgroup;
  return record;
}

// What later commands need, written before anything else exists: a create that is killed from here
// on leaves a record by which `delete --force` finds the cgroup and everybody in it.
Result<> fill_directory(const Directory& directory, const Bundle& bundle, const Draft& draft,
                        const Record& record) {
  UniqueFd config =
      TRY(sys::open(directory.fd(), "config.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  TRY(sys::write_all(config, "config.json", bundle.json));
  TRY(write_filter(directory, {draft.builder.plan.process.seccomp_flags, draft.seccomp}));
  return directory.write(record);
}

}  // namespace

Result<> NewContainer::record_it(const std::string& pid_file) {
  TRY(directory->directory().write(record));
  return write_pid_file(pid_file, record.pid);
}

void NewContainer::commit() {
  init->release();
  net_devices->commit();
  cgroup.commit();
  directory->commit();
}

Result<NewContainer> make_container(const Store& store, const GlobalOptions& global,
                                    const CreateOptions& options, plan::Purpose purpose) {
  TRY(refuse_unsupported(global, options));
  TRY(check_id(options.id));
  NewContainer made;
  made.bundle = TRY(open_bundle(options.bundle, options.config_file));
  const oci::Spec& spec = made.bundle.spec;
  const bool detached = purpose == plan::Purpose::create || options.detach;
  const bool terminal = spec.process && spec.process->terminal.value_or(false);
  PreservedFds preserved = TRY(preserved_fds(options.preserve_fds));

  DraftInput input;
  input.spec = &spec;
  input.id = options.id;
  input.bundle = made.bundle.path;
  input.rootfs = made.bundle.rootfs;
  input.purpose = purpose;
  input.no_pivot = options.no_pivot;
  input.no_new_keyring = options.no_new_keyring;
  input.attached_terminal = !detached;
  input.preserved_fds = preserved.all;
  input.listen_fds = preserved.listen;
  input.host_has_kcore = sys::exists(sys::kCwd, "/proc/kcore");
  input.cgroup_host = TRY(cgroup::probe_host());
  if (global.cgroup_manager != CgroupManager::disabled && spec.linux) {
    input.cgroup =
        TRY(within("linux.cgroupsPath",
                   cgroup::locate(input.cgroup_host, spec.linux->cgroups_path, options.id)));
  }
  const bool labels = spec.linux && spec.linux->mount_label && !spec.linux->mount_label->empty();
  if (labels || (spec.process && wants_labels(*spec.process))) input.modules = security_modules();
  Draft draft = TRY(draft_container(input));
  made.warnings = draft.warnings;
  if (input.cgroup.directories.empty() && spec.linux->resources) {
    made.warnings.push_back(
        "linux.resources: no limit is in force, since --cgroup-manager is disabled");
  }
  made.net_devices.emplace(TRY(NetDevices::find(std::move(draft.net_devices))));
  std::vector<UniqueFd> trees = TRY(open_mount_trees(draft));
  UniqueFd console = TRY(open_console_socket(options.console_socket, terminal, detached));

  // -- beyond this point the host is changed
  made.record = new_record(made.bundle, options.id, draft, input.cgroup);
  made.directory.emplace(TRY(store.create(options.id)));
  const Directory& directory = made.directory->directory();
  TRY(fill_directory(directory, made.bundle, draft, made.record));
  UniqueFd gate;
  if (purpose == plan::Purpose::create) gate = TRY(sys::listen_at(directory.fd(), "start"));
  cgroup::Entrance entrance;
  const bool has_cgroup = !input.cgroup.directories.empty();
  if (has_cgroup) {
    made.cgroup = TRY(within("cgroup", cgroup::make(input.cgroup)));
    entrance = TRY(within("cgroup", cgroup::open_entrance(input.cgroup)));
    TRY(cgroup::apply_new(input.cgroup, spec.linux->resources.value_or(oci::Resources()),
                          made.cgroup, entrance));
  }
  LaunchRequest request;
  request.draft = &draft;
  request.signals_blocked = !detached;
  request.entrance = has_cgroup ? &entrance : nullptr;
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
                          "poststop");
    }
    return std::unexpected(std::move(launched).error());
  }
  made.init.emplace(*std::move(launched));
  return made;
}

}  // namespace ocirt::container
