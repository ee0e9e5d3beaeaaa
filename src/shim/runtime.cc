#include "src/shim/runtime.h"

#include <algorithm>
#include <climits>
#include <csignal>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/create.h"
#include "src/container/delete.h"
#include "src/container/exec.h"
#include "src/container/kill.h"
#include "src/container/list.h"
#include "src/container/oci_result.h"
#include "src/container/pause.h"
#include "src/container/ps.h"
#include "src/container/start.h"
#include "src/container/update.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/shim/metrics.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::shim {
namespace {

container::GlobalOptions options_of(const Runtime& runtime) {
  container::GlobalOptions global;
  global.root = runtime.root;
  global.root_given = true;
  global.systemd_cgroup = runtime.systemd_cgroup;
  if (runtime.rootless) global.rootless = container::Rootless::yes;
  if (!runtime.cgroups) global.cgroup_manager = container::CgroupManager::disabled;
  return global;
}

Result<container::Store> store_of(const Runtime& runtime) {
  return container::Store::open(runtime.root, true);
}

std::string lines(const container::Warnings& warnings) {
  std::string text;
  for (const std::string& warning : warnings) text += cat(warning, "\n");
  return text;
}

// Where the kernel tells of processes that the memory limit has cost their life
// (linux/cgroup/oom.h).
std::string memory_file(const cgroup::Location& location) {
  if (const cgroup::Directory* v1 = cgroup::v1_directory(location, "memory"))
    return cgroup::join(v1->path, "memory.oom_control");
  if (const cgroup::Directory* v2 = cgroup::v2_directory(location))
    return cgroup::join(v2->path, "memory.events");
  return {};
}

Facts facts_of(const container::Record& record) {
  return {.own_pids = record.own_pid_namespace, .memory = memory_file(record.cgroup)};
}

std::string write_facts(const Facts& facts) {
  return cat(facts.own_pids ? "own " : "shared ", facts.memory);
}

Result<Done> create_container(const Runtime& runtime, const Choices& choices, const std::string& id,
                              const std::string& bundle, Fd console) {
  const container::Store store = TRY(store_of(runtime));
  container::GlobalOptions global = options_of(runtime);
  global.systemd_cgroup |= choices.systemd_cgroup;
  container::CreateOptions options;
  options.id = id;
  options.bundle = bundle;
  options.no_pivot = choices.no_pivot;
  options.no_new_keyring = choices.no_new_keyring;
  options.adopted = {.by_parent = true, .console = console};
  Done done;
  container::Warnings complaints;
  container::Warnings warnings = TRY(container::create(store, global, options, complaints));
  for (std::string& complaint : complaints) warnings.push_back(std::move(complaint));
  done.warnings = lines(warnings);
  const container::Directory directory = TRY(store.find(id, container::Store::Lock::none));
  const container::Record record = TRY(directory.read());
  done.pid = record.pid;
  done.start_time = record.start_time;
  done.text = write_facts(facts_of(record));
  return done;
}

}  // namespace

Facts read_facts(std::string_view text) {
  const size_t space = text.find(' ');
  Facts facts;
  facts.own_pids = text.substr(0, space) != "shared";
  if (space != std::string_view::npos) facts.memory = text.substr(space + 1);
  return facts;
}

Result<Recorded> recorded(const Runtime& runtime, const std::string& id) {
  const container::Store store = TRY(store_of(runtime));
  const container::Entry entry = TRY(container::entry_of(store, id));
  return Recorded{facts_of(entry.record), entry.status == oci::Status::kPaused};
}

Result<> tell_root(const Runtime& runtime, const std::string& bundle) {
  if (!runtime.root_is_told) return {};
  const UniqueFd directory = TRY(sys::open(sys::kCwd, bundle, O_RDONLY | O_DIRECTORY));
  return sys::write_file_atomically(directory, std::string(kRootFile), cat(".", kRootFile),
                                    runtime.root, 0600);
}

Result<Done> create(const Runtime& runtime, const Choices& choices, const std::string& id,
                    const std::string& bundle, const std::vector<RootfsMount>& rootfs, Fd console) {
  TRY(tell_root(runtime, bundle));
  if (rootfs.empty()) return create_container(runtime, choices, id, bundle, console);
  TRY(mount_rootfs(bundle, rootfs));
  Result<Done> made = create_container(runtime, choices, id, bundle, console);
  if (made) return made;
  if (Result<> undone = unmount_rootfs(bundle); !undone)
    made.error().text += cat("; then, while undoing this: ", undone.error().text);
  return made;
}

Result<Done> start(const Runtime& runtime, const std::string& id) {
  const container::Store store = TRY(store_of(runtime));
  TRY(container::start(store, id));
  return Done{};
}

Result<Done> exec(const Runtime& runtime, const std::string& id, const std::string& process,
                  bool terminal, Fd console) {
  const container::Store store = TRY(store_of(runtime));
  const UniqueFd file = TRY(sys::sealed_memory("process", {process}, false));
  container::ExecOptions options;
  options.id = id;
  options.process_file = cat("/proc/self/fd/", file.raw());
  options.tty = terminal;
  options.detach = true;
  options.adopted = {.by_parent = true, .console = console};
  Done done;
  TRY(container::exec(store, options_of(runtime), options, &done.pid));
  if (std::optional<sys::ProcessStat> stat = TRY(sys::process_stat(done.pid)))
    done.start_time = stat->start_time;
  return done;
}

Result<Done> exec_and_wait(const Runtime& runtime, const std::string& id,
                           const std::vector<std::string>& args, sys::Nanoseconds timeout) {
  const container::Store store = TRY(store_of(runtime));
  container::ExecOptions options;
  options.id = id;
  options.args = args;
  options.tty = false;
  options.detach = true;
  pid_t pid = 0;
  TRY(container::exec(store, options_of(runtime), options, &pid));
  const UniqueFd process = TRY(sys::pidfd_open(pid));  // our child: it keeps its number
  const auto limit = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  if (!TRY(sys::wait_until_ended(process, static_cast<int>(std::min<int64_t>(limit, INT_MAX))))) {
    (void)sys::send_signal(process, SIGKILL);
    (void)sys::wait_child(process);
    return refuse(cat("no answer within ", limit / 1000, " s"));
  }
  const sys::ExitStatus status = TRY(sys::wait_child(process));
  if (status.signal != 0) return refuse(cat("killed by signal ", status.signal));
  if (status.code != 0) return refuse(cat("exit code ", status.code));
  return Done{};
}

Result<Done> remove(const Runtime& runtime, const std::string& id, const std::string& mounted) {
  const container::Store store = TRY(store_of(runtime));
  Done done;
  done.warnings = lines(TRY(container::remove_container(store, id, true)));
  if (!mounted.empty()) TRY(unmount_rootfs(mounted));
  return done;
}

Result<Done> kill_all(const Runtime& runtime, const std::string& id, int signal) {
  const container::Store store = TRY(store_of(runtime));
  TRY(container::kill(store, id, signal, true));
  return Done{};
}

Result<Done> kill_survivors(const Runtime& runtime, const std::string& id) {
  const container::Store store = TRY(store_of(runtime));
  const container::Directory directory = TRY(store.find(id, container::Store::Lock::none));
  const container::Record record = TRY(directory.read());
  // Of those in a cgroup that others were in before nobody knows whose they are.
  if (record.own_pid_namespace || record.cgroup.shared) return Done{};
  TRY(container::kill(store, id, SIGKILL, true));
  return Done{};
}

Result<Done> pause(const Runtime& runtime, const std::string& id) {
  const container::Store store = TRY(store_of(runtime));
  TRY(container::pause(store, id));
  return Done{};
}

Result<Done> resume(const Runtime& runtime, const std::string& id) {
  const container::Store store = TRY(store_of(runtime));
  TRY(container::resume(store, id));
  return Done{};
}

Result<Done> update(const Runtime& runtime, const std::string& id, const std::string& resources) {
  const oci::Resources limits =
      TRY(container::from_spec(oci::read_resources(resources, "resources")));
  const container::Store store = TRY(store_of(runtime));
  TRY(container::update(store, id, limits, container::LimitsOf::document));
  return Done{};
}

Result<Done> stats(const Runtime& runtime, const std::string& id) {
  const container::Store store = TRY(store_of(runtime));
  const container::Directory directory = TRY(store.find(id, container::Store::Lock::none));
  const container::Record record = TRY(directory.read());
  const wire::AnyValue metrics = TRY(read_metrics(record.cgroup, kMostText - 100));
  return write_metrics(metrics);
}

Done write_metrics(const wire::AnyValue& metrics) {
  Done done;
  done.text = cat(metrics.type_url, "\n", metrics.bytes);
  return done;
}

wire::AnyValue take_metrics(const Done& done) {
  const size_t end = std::min(done.text.find('\n'), done.text.size());
  return {done.text.substr(0, end), done.text.substr(std::min(end + 1, done.text.size()))};
}

Result<Done> pids(const Runtime& runtime, const std::string& id) {
  const container::Store store = TRY(store_of(runtime));
  const std::vector<pid_t> all = TRY(container::processes(store, id));
  Done done;
  for (pid_t pid : all) done.text += cat(done.text.empty() ? "" : " ", pid);
  return done;
}

}  // namespace ocirt::shim
