// `start`: which shim has the containers of this group? A live one is asked to take one more; else
// this program becomes it, by a fork without an exec, so that its pages are there already.
//
// containerd reads both output streams into one: nothing but the answer may be said, unless it is
// the reason of a failure.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/shim/bootstrap.h"
#include "src/shim/containerd.h"
#include "src/shim/containerd_shim.h"
#include "src/shim/options.h"
#include "src/shim/shim_socket.h"
#include "src/sys/daemon.h"
#include "src/sys/file.h"
#include "src/sys/fork.h"
#include "src/sys/signals.h"
#include "src/sys/socket.h"
#include "src/sys/stream.h"

namespace ocirt::shim {
namespace {

constexpr size_t kMostInput = 4 << 20;
constexpr size_t kMostConfig = 16 << 20;
constexpr int kMostAttempts = 20;
constexpr int64_t kTicksPerSecond = 100;  // of /proc/PID/stat, USER_HZ

std::string from_environment(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? "" : value;
}

// What is decided before anything is made.
struct Plan {
  ContainerdSetup setup;
  Manner manner;
  std::string socket;
  std::string shim_cgroup;
  bool isolate_core = false;
};

bool has_sandbox_controller(const std::string& bundle, const std::string& daemon_socket) {
  Result<struct stat> info =
      sys::stat(sys::kCwd, cat(bundle, "/../../../io.containerd.sandbox.controller.v1.shim"));
  Result<std::optional<sys::ProcessStat>> parent = sys::process_stat(sys::own_parent());
  if (!info || !parent || !*parent) return false;
  const auto age =
      sys::boot_now() - std::chrono::seconds(1) * ((*parent)->start_time / kTicksPerSecond);
  DaemonTimes times;
  times.directory = info->st_ctim.tv_sec;
  times.began = std::chrono::floor<std::chrono::seconds>(sys::wall_now() - age).count();
  // Its time of modification: others may change its mode later.
  if (Result<struct stat> socket = sys::stat(sys::kCwd, daemon_socket))
    times.socket = socket->st_mtim.tv_sec;
  return made_by_this_run(times);
}

Result<Plan> make_plan(const Invocation& call) {
  Plan plan;
  ContainerdSetup& setup = plan.setup;
  setup.bundle = TRY(sys::real_directory("."));
  const std::string input = TRY(sys::read_all(Fd(0), "standard input", kMostInput));
  const Bootstrap told = TRY(read_bootstrap(input, call.id, call.name_space));
  RuntimeOptions options;
  if (told.options) {
    const wire::Any any = told.options->lend();
    options = TRY(read_options(&any));
  }
  // None there: containerd has a sandbox without a container.
  Result<std::string> config = sys::read_file(sys::kCwd, "config.json", kMostConfig);
  if (!config && config.error().code != ENOENT) return std::unexpected(std::move(config).error());

  setup.id = call.id;
  setup.group = group_of(config ? *config : "", call.id);
  setup.name_space = call.name_space;
  setup.debug = call.debug || told.debug;
  setup.runtime.root_is_told = !options.root.empty();
  setup.runtime.root = options.root.empty() ? default_root(call.name_space)
                                            : cat(options.root, "/", call.name_space);
  setup.ttrpc_address =
      told.ttrpc_address.empty() ? from_environment("TTRPC_ADDRESS") : told.ttrpc_address;
  plan.manner = manner_of({
      .has_params = told.has_params,
      .says_version = !from_environment("MAX_SHIM_VERSION").empty(),
      .has_sandboxes = has_sandbox_controller(setup.bundle, call.address),
      .has_address = !call.address.empty(),
  });
  plan.socket = socket_path(told.socket_directory, call.address, call.name_space, setup.group);
  plan.shim_cgroup = options.shim_cgroup;
  plan.isolate_core = !from_environment("SCHED_CORE").empty();
  return plan;
}

// containerd's own value and one more: the shim is to go before its daemon, and after nobody else.
void adjust_oom_score(pid_t daemon) {
  Result<std::string> text =
      sys::read_file(sys::kCwd, cat("/proc/", sys::own_parent(), "/oom_score_adj"));
  const std::optional<int> of_parent = text ? to_number<int>(trim(*text)) : std::nullopt;
  if (!of_parent) return;
  (void)sys::write_control(sys::kCwd, cat("/proc/", daemon, "/oom_score_adj"),
                           cat(std::min(*of_parent + 1, 1000)));
}

Result<> enter_cgroup(const std::string& path, pid_t daemon) {
  if (path.empty()) return {};
  const cgroup::Host host = TRY(cgroup::probe_host());
  const cgroup::Location location = TRY(cgroup::locate(host, path, "shim"));
  const cgroup::Entrance entrance = TRY(cgroup::open_entrance(location));
  return cgroup::enter(entrance, daemon);
}

// What the two halves say to each other: each once, so that the end of the other one, however it
// ends, is not taken for its word.
constexpr std::string_view kServes = "+", kTold = "told";

// The background half. What goes wrong before it serves is the caller's to say to `starter`.
Result<> serve(Plan plan, Seat seat, UniqueFd& starter) {
  // containerd's service manager is not told by containers that they are ready.
  (void)::unsetenv("NOTIFY_SOCKET");
  TRY(sys::detach_from_caller());
  TRY(sys::change_directory(plan.setup.bundle));
  if (plan.isolate_core) TRY(within("SCHED_CORE", sys::isolate_core()));
  const std::unique_ptr<sys::EventLoop> loop = TRY(sys::EventLoop::open());
  ContainerdShim shim(*loop, std::move(plan.setup), std::move(seat));
  TRY(shim.open());
  TRY(shim.follow_starter(std::move(starter), kServes));
  return shim.run();
}

// What the shim says when it takes calls, or why it does not.
Result<> hear(Fd shim) {
  const sys::Message word = TRY(sys::receive_message(shim));
  if (word.bytes == kServes) return {};
  return refuse(word.bytes.empty() ? "the shim ended before it took calls" : word.bytes);
}

// When it returns, the shim takes calls. It ends when what is returned is closed before kTold was
// said: then nobody knows of it.
Result<UniqueFd> launch(Plan& plan, Seat& seat) {
  auto [ours, theirs] = TRY(sys::socket_pair());
  const int keep[] = {seat.listener.raw(), theirs.raw()};
  sys::Fork how;
  how.keep = keep;
  how.dies_with_us = false;
  plan.setup.huge_pages = sys::disable_huge_pages().value_or(false);
  const pid_t daemon = TRY(sys::fork_child(how));
  if (daemon == 0) {
    ours.reset();
    Result<> done = serve(std::move(plan), std::move(seat), theirs);
    if (!done && theirs.valid()) (void)sys::send_message(theirs, done.error().text);
    sys::exit_now(done ? 0 : 1);
  }
  theirs.reset();
  adjust_oom_score(daemon);
  Result<> done = within("ShimCgroup", enter_cgroup(plan.shim_cgroup, daemon));
  if (done) done = hear(ours);
  if (done) return std::move(ours);
  // Its socket is about to be taken away.
  (void)sys::signal_child(daemon, SIGKILL);
  return std::unexpected(std::move(done).error());
}

struct Served {
  int version = 2;
  UniqueFd launched;  // by us
};

Result<Served> find_or_launch(Plan& plan) {
  for (int i = 0; i < kMostAttempts; ++i) {
    Found found = TRY(find_or_take(plan.socket));
    if (found.seat) {
      Result<UniqueFd> launched = launch(plan, *found.seat);
      if (!launched) give_up(*found.seat);
      return Served{plan.manner.version, TRY(std::move(launched))};
    }
    // A shim that ends just now does not answer; its name is free afterwards.
    if (std::optional<int> version =
            TRY(join(std::move(found.connection), plan.socket, plan.setup.id)))
      return Served{std::min(*version, plan.manner.version), {}};
  }
  return refuse(cat("the shim at ", plan.socket, " does not answer"));
}

// Daemons before 2.0 look for the address in the bundle after a restart, for each container.
Result<> tell(Dialect dialect, int version, const std::string& address) {
  // A broken pipe is an error to be heard of, not our end.
  const sys::SignalInbox blocked = TRY(sys::SignalInbox::open());
  TRY(sys::write_file_atomically(sys::kCwd, std::string(kAddressFile), ".address", address, 0600));
  return sys::write_all(Fd(1), "standard output", bootstrap_answer(dialect, version, address));
}

}  // namespace

std::string default_root(std::string_view name_space) {
  return cat("/run/containerd/ocirt/", name_space);
}

Result<> start_shim(const Invocation& call) {
  Plan plan = TRY(make_plan(call));
  const std::string bundle = plan.setup.bundle;
  const std::string address = cat("unix://", plan.socket);
  const Served served = TRY(find_or_launch(plan));
  TRY(within(bundle, tell(plan.manner.dialect, served.version, address)));
  if (!served.launched.valid()) return {};
  return within("the shim", sys::send_message(served.launched, kTold));
}

}  // namespace ocirt::shim
