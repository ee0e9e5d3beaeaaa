#include "src/container/exec.h"

#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/annotations.h"
#include "src/container/attend.h"
#include "src/container/draft_user.h"
#include "src/container/exec_settings.h"
#include "src/container/launch.h"
#include "src/container/oci_result.h"
#include "src/container/pid_file.h"
#include "src/container/pidfd_socket.h"
#include "src/container/seccomp_file.h"
#include "src/container/status.h"
#include "src/container/systemd_v1.h"
#include "src/linux/namespaces.h"
#include "src/sys/file.h"
#include "src/sys/namespace.h"

namespace ocirt::container {
namespace {

// A container that runs, as it was recorded.
struct Found {
  Directory directory;
  std::string config;  // empty: still to be read
  Record record;
};

Result<oci::Spec> own_config(const Found& found) {
  std::string read;
  if (found.config.empty()) read = TRY(found.directory.config());
  oci::Spec spec = TRY(from_spec(oci::read_config(found.config.empty() ? read : found.config)));
  if (!spec.process) return refuse("config.json: process: missing, so --process is needed");
  return spec;
}

// The container's own process with what the command line changes about it.
Result<ExecSettings> process_from_options(const Found& found, const ExecOptions& options) {
  oci::Spec spec = TRY(own_config(found));
  ExecSettings settings;
  settings.process = *std::exchange(spec.process, std::nullopt);
  inherit(settings, std::move(spec));
  oci::Process& process = settings.process;
  process.args = options.args;
  if (!options.cwd.empty()) process.cwd = options.cwd;
  for (const std::string& entry : options.env) process.env.push_back(entry);
  if (options.uid) process.user.uid = *options.uid;
  if (options.gid) process.user.gid = *options.gid;
  for (uint32_t gid : options.additional_gids) process.user.additional_gids.push_back(gid);
  if (options.no_new_privileges) process.no_new_privileges = options.no_new_privileges;
  if (!options.apparmor.empty()) process.apparmor_profile = options.apparmor;
  if (!options.process_label.empty()) process.selinux_label = options.process_label;
  process.terminal = options.tty.value_or(false);
  if (!options.capabilities.empty()) {
    if (!process.capabilities) process.capabilities.emplace();
    oci::Capabilities& sets = *process.capabilities;
    // As runc has it: ambient ones only where inheritable ones exist, since they need both.
    const bool ambient = !sets.inheritable.empty();
    for (const std::string& name : options.capabilities) {
      sets.bounding.push_back(name);
      sets.effective.push_back(name);
      sets.permitted.push_back(name);
      if (ambient) {
        sets.inheritable.push_back(name);
        sets.ambient.push_back(name);
      }
    }
  }
  return settings;
}

Result<ExecSettings> settings_of(const Found& found, const ExecOptions& options) {
  if (options.process_file.empty()) return process_from_options(found, options);
  const Record& record = found.record;
  Result<std::string> json = sys::read_file(sys::kCwd, options.process_file, oci::kMaxDocumentSize);
  if (!json && json.error().code == ENOENT) {
    return std::unexpected(Error{ENOENT, cat("--process: ", options.process_file, " is missing")});
  }
  std::string text = TRY(within("--process", std::move(json)));
  ExecSettings settings;
  oci::Process& process = settings.process;
  process = TRY(from_spec(oci::read_process(text, options.process_file)));
  if (options.tty) process.terminal = options.tty;
  // The mappings of a user namespace are in config.json only.
  const bool complete = process.capabilities && !process.rlimits.empty() && !record.exec_inherits &&
                        !record.user_namespace;
  if (complete) return settings;
  oci::Spec spec = TRY(own_config(found));
  inherit(settings, std::move(spec));
  return settings;
}

Result<> check_status(oci::Status status, const Record& record, bool ignore_paused) {
  switch (status) {
    case oci::Status::kCreating:
      return refuse(cat("container ", record.id, " is still being created"));
    case oci::Status::kStopped:
      return refuse("cannot exec in a stopped container");
    case oci::Status::kPaused:
      if (!ignore_paused)
        return refuse("cannot exec in a paused container (use --ignore-paused to override)");
      return {};
    default:
      return {};
  }
}

Result<Draft> draft_exec(const Directory& directory, const ExecSettings& settings,
                         const ExecOptions& options, const Record& record,
                         const Annotations& annotations, const PreservedFds& preserved) {
  const oci::Process& process = settings.process;
  Draft draft;
  draft.builder.plan.purpose = plan::Purpose::exec;
  draft.terminal = process.terminal.value_or(false);
  ProcessInput input;
  input.process = &process;
  input.preserved_fds = preserved.all;
  input.listen_fds = preserved.listen;
  input.attached_terminal = !options.detach;
  if (wants_labels(process)) input.modules = security_modules();
  input.user_namespace = record.user_namespace;
  input.keep_groups = annotations.keep_original_groups;
  TRY(draft_process(draft.builder, input, draft.warnings));
  draft.scheduling = TRY(draft_scheduling(process, "process", true));
  draft.builder.plan.keeps_cpus = !draft.scheduling.initial_cpus.empty();
  TRY(draft_policies(draft.builder, settings.memory_policy, settings.personality));
  if (record.user_namespace) {
    TRY(draft_exec_user(draft, settings, sys::effective_uid() != 0));
  }
  if (record.plain) return draft;
  StoredFilter filter = TRY(read_filter(directory));
  draft.builder.plan.process.seccomp = draft.builder.list(filter.program);
  draft.builder.plan.process.seccomp_flags = filter.flags;
  return draft;
}

// The container's cgroup, or those below it that the process is to be in.
Result<cgroup::Location> cgroup_of(const Record& record, const ExecOptions& options,
                                   const Annotations& annotations) {
  if (!options.cgroup.empty() && record.cgroup.directories.empty()) {
    return refuse("--cgroup: the container has no cgroup");
  }
  if (!options.cgroup.empty()) {
    return within("--cgroup", cgroup::locate_below(record.cgroup, options.cgroup));
  }
  if (annotations.delegate_cgroup.empty()) return record.cgroup;
  return cgroup::locate_below(record.cgroup, {&annotations.delegate_cgroup, 1});
}

// Which of the cgroups is not there.
std::string missing_entrance(const cgroup::Location& location) {
  for (const cgroup::Directory& directory : location.directories) {
    const std::string procs = cat(directory.path, "/cgroup.procs");
    if (!sys::exists(sys::kCwd, procs)) return procs;
  }
  return {};
}

// Starts the process where the container's limits leave room for it.
Result<Launched> launch_inside(LaunchRequest& request, const Record& record,
                               const cgroup::Location& cgroup, bool may_fall_back) {
  Result<Launched> launched = launch(request);
  if (launched || request.entrance == nullptr) return launched;
  cgroup::Entrance present;
  if (launched.error().code == EBUSY && may_fall_back) {
    // The container has made cgroups of its own below (systemd, docker inside), and one that hands
    // controllers down takes no processes: where its init is, there is room (runc and crun do so
    // too).
    present = TRY(within("cgroup", cgroup::open_entrance_of(record.pid)));
    request.entrance = &present;
    Result<Launched> again = launch(request);
    request.entrance = nullptr;
    return again;
  }
  if (launched.error().code == EBUSY && cgroup.layout == cgroup::Layout::unified) {
    launched.error().text =
        cat("adding pid of the process to cgroups: ", cgroup.directories.front().path,
            "/cgroup.procs: device or resource busy: a cgroup that hands "
            "controllers down takes no processes; choose one below it");
  }
  if (launched.error().code == EACCES) {
    // A user's shell is in a session, his containers are with his systemd: only that one may move a
    // process from the one to the other.
    std::optional<UnitEntrance> way = unit_entrance(record, may_fall_back ? nullptr : &cgroup);
    if (!way) return launched;
    request.entrance = nullptr;
    request.unit_entrance = &*way;
    Result<Launched> again = launch(request);
    request.unit_entrance = nullptr;
    return again;
  }
  if (launched.error().code == EAGAIN) {
    // A limit on processes that leaves room for one more, but not for it and who brings it in.
    request.enter_late = true;
    return launch(request);
  }
  return launched;
}

}  // namespace

Result<int> exec(const Store& store, const GlobalOptions& global, const ExecOptions& options,
                 pid_t* started) {
  begin_phase(global.timeline, "find the container");
  Found found{TRY(store.find(options.id, Store::Lock::none)), {}, {}};
  found.record = TRY(found.directory.read(&found.config));
  const Directory& directory = found.directory;
  Record& record = found.record;
  const auto [status, init] = TRY(standing_of(directory, record));
  TRY(check_status(status, record, options.ignore_paused));
  begin_phase(global.timeline, "decide");
  const ExecSettings settings = TRY(settings_of(found, options));
  const Annotations annotations = TRY(read_annotations(record.annotations));
  const PreservedFds preserved = TRY(preserved_fds(options.preserve_fds));
  if (preserved.missing) {
    return refuse(cat("--preserve-fds: descriptor ", *preserved.missing,
                      " is not open: the caller has to pass it"));
  }
  Draft draft = TRY(draft_exec(directory, settings, options, record, annotations, preserved));
  const bool within_user_namespace = sys::effective_uid() == 0 && is_rootless(global);
  draft.builder.plan.user.within = within_user_namespace;
  const cgroup::Location cgroup = TRY(cgroup_of(record, options, annotations));
  UniqueFd console = TRY(open_console_socket(options.console_socket, draft.terminal, options.detach,
                                             options.adopted.console));

  std::vector<UniqueFd> pidfd_receivers = TRY(connect_pidfd_sockets(options.pidfd_socket, {}));

  // Who does not mind a paused container is ready to wait.
  if (!options.ignore_paused) TRY(cgroup::check_not_frozen(cgroup));
  std::optional<sys::SignalInbox> signals;
  if (!options.detach) signals.emplace(sys::SignalInbox::block());
  cgroup::Entrance entrance;
  LaunchRequest request;
  request.timeline = global.timeline;
  if (!cgroup.directories.empty()) {
    Result<cgroup::Entrance> opened = cgroup::open_entrance(cgroup);
    if (!opened && opened.error().code == ENOENT && !options.cgroup.empty()) {
      // The words of runc, for those who look for them.
      return refuse(cat("--cgroup: adding pid to a cgroup that is not there: ",
                        missing_entrance(cgroup), ": no such file or directory"));
    }
    entrance = TRY(within("cgroup", std::move(opened)));
    if (!record.systemd_v1.empty()) {
      TRY(add_entrance(entrance, v1_for_systemd(record.systemd_v1)));
    }
    request.entrance = &entrance;
  }
  draft.builder.plan.process.new_keyring = record.new_keyring;
  request.draft = &draft;
  request.signals_blocked = signals.has_value();
  request.for_parent = options.adopted.by_parent;
  // Who asks for the number of the process is to have it before the program runs; and the one that
  // it goes on from, which is counted until we have reaped it, must not be in its way.
  request.leaves_start_to_launch = options.pid_file.empty() && pidfd_receivers.empty() &&
                                   !options.adopted.by_parent && !counts_processes(settings);
  request.record = &record;
  if ((draft.builder.plan.process.seccomp_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0) {
    request.agent = TRY(saved_agent(directory, record));
  }
  request.console = console;
  // All at once, by the descriptor that can only mean this container's init.
  uint32_t all =
      CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWPID;
  if (record.time_namespace) all |= CLONE_NEWTIME;
  UniqueFd root;
  if (record.shares_mounts) {  // to enter the mount namespace would lead to the host's root
    all &= ~static_cast<uint32_t>(CLONE_NEWNS);
    root = TRY(within("root", sys::open(sys::kCwd, record.rootfs, O_PATH | O_DIRECTORY)));
    draft.builder.plan.root_fd = root.raw();
  }
  // What the host has for itself cannot be entered without rights over it, and need not be.
  if (within_user_namespace) all = only_others(all, record.pid);
  if (record.user_namespace) all = CLONE_NEWUSER | only_others(all, record.pid);
  draft.builder.plan.join_pid_namespace = true;
  request.joins.push_back({init.raw(), all, draft.builder.text("the container's namespaces")});
  OnInitialCpus cpus = TRY(move_to_initial_cpus(draft.scheduling));
  Launched launched = TRY(launch_inside(request, record, cgroup, options.cgroup.empty()));
  cpus.restore();
  PidFile pid_file = TRY(PidFile::write(options.pid_file, launched.pid()));
  TRY(send_pidfd(pidfd_receivers, launched.pidfd(), "setns"));
  TRY(launched.start({}));
  pid_file.keep();
  if (started != nullptr) *started = launched.pid();
  if (options.detach) {
    launched.release();
    return 0;
  }
  begin_phase(global.timeline, "program runs");
  sys::ExitStatus ended =
      TRY(attend(launched.pid(), launched.pidfd(), launched.console(), *signals));
  launched.release();
  UniqueFd::leave_open();
  return ended.shell_code();
}

}  // namespace ocirt::container
