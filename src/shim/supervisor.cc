#include "src/shim/supervisor.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "src/base/text.h"
#include "src/container/timestamp.h"
#include "src/shim/probe.h"
#include "src/sys/file.h"
#include "src/sys/fork.h"

namespace ocirt::shim {
namespace {

// A handler has as long as its pod's grace period at most; that it is not waited for any longer is
// the machine's decision, and with its container it is ended. This is for what neither reaches.
constexpr sys::Nanoseconds kLongestHandler = std::chrono::hours(24);

// How often a state that could not be written is tried again.
constexpr sys::Nanoseconds kTryAgain = std::chrono::seconds(1);

pod::Instant instant() {
  pod::Instant now;
  now.ns = sys::monotonic_now().count();
  now.wall = wall_time();
  return now;
}

pod::Exit exit_of(const Ending& ending) {
  return {ending.status.code, ending.status.signal, ending.unknown};
}

std::string said(const Result<Done>& done) { return done ? done->text : done.error().text; }

}  // namespace

Supervisor::Supervisor(Containers& containers, pod::Pod pod, pod::Layout layout,
                       std::vector<std::string> ips)
    : containers_(containers),
      pod_(std::move(pod)),
      layout_(std::move(layout)),
      events_(layout_.events()),
      oom_(containers.loop(),
           [this](const std::string& name) {
             for (uint32_t i = 0; i < pod_.containers.size(); ++i) {
               if (pod_.containers[i].name != name) continue;
               life_->out_of_memory(life_->instance(i), instant());
               go_on();
             }
           }),
      left_(pod_.containers.size()),
      ips_(std::move(ips)),
      timer_(containers.loop(), Callback<>::to<&Supervisor::due>(*this)) {
  life_.emplace(pod_);
  containers_.on_end([this](Container& container) { container_ended(container); });
}

Result<> Supervisor::open() {
  for (const pod::Container& container : pod_.containers) {
    auto log = std::make_unique<ContainerLog>(layout_.log(container.name), container.log_max_bytes,
                                              container.log_max_files);
    const std::string directory = layout_.container(container.name);
    TRY(sys::mkdir_parents(directory, 0700));
    TRY(within(container.name, log->open(containers_.loop(), directory)));
    logs_.push_back(std::move(log));
  }
  return {};
}

void Supervisor::reopen_logs() {
  for (const auto& log : logs_) log->file().reopen();
}

std::string Supervisor::netns() const { return pod_.netns(); }

std::string Supervisor::address() const { return ips_.empty() ? "127.0.0.1" : ips_.front(); }

pod::PodStatus Supervisor::status() const {
  pod::PodStatus status = life_->status();
  status.ips = ips_;
  return status;
}

// ---- events
// ---------------------------------------------------------------------------------------

void Supervisor::start() {
  life_->start(instant());
  go_on();
}

void Supervisor::stop(uint64_t grace_seconds) {
  life_->stop(grace_seconds, instant());
  go_on();
}

Result<> Supervisor::restart(std::string_view container) {
  for (uint32_t i = 0; i < pod_.containers.size(); ++i) {
    if (pod_.containers[i].name != container) continue;
    TRY(life_->restart(i, instant()));
    go_on();
    return {};
  }
  return std::unexpected(Error{ENOENT, cat("container ", quoted(container), ": not found")});
}

void Supervisor::due() {
  life_->time(instant());
  go_on();
}

void Supervisor::container_ended(Container& container) {
  for (uint32_t i = 0; i < pod_.containers.size(); ++i) {
    if (pod_.containers[i].name != container.id) continue;
    const bool oom = oom_.take_kills(container.id);
    end_handlers({i, container.attempt});
    life_->exited({i, container.attempt}, exit_of(container.init.ending), oom, instant());
    return go_on();
  }
}

// Nobody waits any more for what they would say; one that calls a server which never answers would
// be there for hours, and one more after each restart.
void Supervisor::end_handlers(pod::Instance of) {
  for (const HandlerWorker& each : handlers_) {
    if (each.of == of) containers_.workers().kill(each.worker);
  }
}

// ---- actions
// --------------------------------------------------------------------------------------

void Supervisor::go_on() {
  // What is done here may report something at once, and would come back before its turn.
  if (std::exchange(going_on_, true)) return;
  for (;;) {
    std::vector<pod::Action> actions = life_->take_actions();
    save();
    if (actions.empty()) break;
    for (pod::Action& action : actions) {
      std::visit([this](auto& what) { perform(what); }, action);
    }
  }
  going_on_ = false;
  std::optional<sys::Nanoseconds> next;
  if (const std::optional<int64_t> deadline = life_->deadline())
    next = sys::Nanoseconds(*deadline) - sys::monotonic_now();
  if (unsaved_) next = std::min(next.value_or(kTryAgain), kTryAgain);
  timer_.cancel();
  if (next) timer_.start(*next);
}

// Only what has changed is written: most of what happens in a healthy pod is probes, and a probe
// that says what the last one said leaves the state as it was.
void Supervisor::save() {
  pod::State state = life_->state();
  state.status.ips = ips_;
  const std::string text = pod::write_state(state);
  const size_t hash = std::hash<std::string_view>{}(text);
  if (saved_ == hash) {
    unsaved_ = false;
    return;
  }
  Result<> written = sys::write_file_atomically(sys::kCwd, layout_.state_json(),
                                                cat(layout_.state_json(), ".new"), text, 0600);
  if (written) saved_ = hash;
  if (std::exchange(unsaved_, !written) || written) return;
  // The pod lives on, and it is tried again. Until then a shim that adopts it would know less than
  // it should.
  pod::Event event;
  event.time = container::rfc3339_now();
  event.pod = pod_.name;
  event.type = pod::EventType::kFailed;
  event.message = cat("write the pod's state: ", written.error().text);
  events_.append(event);
}

Container* Supervisor::container_of(pod::Instance of) {
  Container* container = containers_.find(pod_.containers[of.container].name);
  return container != nullptr && container->attempt == of.attempt ? container : nullptr;
}

// What could not be removed of the instance before has the name still.
void Supervisor::perform(pod::Create& action) {
  const pod::Instance of = action.of;
  if (!left_[of.container]) return make(of);
  take_away(of.container, [this, of](Result<Done> done) {
    if (done) return make(of);
    life_->create_failed(of, done.error().text, instant());
    go_on();
  });
}

void Supervisor::make(pod::Instance of) {
  const pod::Container& spec = pod_.containers[of.container];
  auto failed = [this, of](const Error& error) {
    life_->create_failed(of, error.text, instant());
    go_on();
  };
  Result<Container*> added = containers_.add(spec.name, spec.bundle);
  if (!added) return failed(added.error());
  Container& container = **added;
  container.of_pod = true;
  container.attempt = of.attempt;
  const std::string input = spec.stdin_open ? layout_.input(spec.name) : std::string();
  if (Result<> opened =
          container.init.streams->open(*logs_[of.container], spec.tty, input, spec.stdin_once);
      !opened)
    return failed(opened.error());
  container.init.paths.terminal = spec.tty;
  containers_.create(container, [this, of, failed](Result<Done> done) mutable {
    if (!done) return failed(done.error());
    if (Container* made = container_of(of)) oom_.watch(made->id, made->memory_file);
    life_->created(of, {done->pid, done->start_time}, instant());
    go_on();
  });
}

void Supervisor::perform(pod::Start& action) {
  const pod::Instance of = action.of;
  Container* container = container_of(of);
  if (container == nullptr || !container->init.lives()) {
    life_->start_failed(of, "it has ended before it was started", instant());
    return;
  }
  containers_.start(*container, [this, of](Result<Done> done) {
    if (done) {
      life_->started(of, instant());
    } else {
      life_->start_failed(of, done.error().text, instant());
    }
    go_on();
  });
}

void Supervisor::perform(pod::Signal& action) {
  Container* container = container_of(action.of);
  if (container == nullptr) return;
  containers_.kill(*container, container->init, action.signal, false, [](const Result<Done>&) {});
}

void Supervisor::perform(pod::Kill& action) {
  Container* container = container_of(action.of);
  // One whose end is held back has been reaped: its number may be another's.
  if (container == nullptr || !container->init.lives() || container->init.held) return;
  // At once, whatever becomes of the worker that looks for the others.
  const Process& init = container->init;
  (void)(init.pidfd.valid() ? sys::send_signal(init.pidfd, SIGKILL)
                            : sys::signal_child(init.pid, SIGKILL));
  containers_.kill(*container, container->init, SIGKILL, true, [](const Result<Done>&) {});
}

void Supervisor::perform(pod::Remove& action) {
  const pod::Instance of = action.of;
  oom_.forget(pod_.containers[of.container].name);
  take_away(of.container, [this, of](const Result<Done>& done) {
    pod::Event event;
    if (!done) {
      event.time = container::rfc3339_now();
      event.pod = pod_.name;
      event.container = pod_.containers[of.container].name;
      event.type = pod::EventType::kFailed;
      event.message = done.error().text;
      events_.append(event);
    }
    life_->removed(of, instant());
    go_on();
  });
}

void Supervisor::take_away(uint32_t index, Containers::Finished finished) {
  const std::string& name = pod_.containers[index].name;
  // The analyzer loses sight of what moves into a capture.
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
  auto removed = [this, index, finished = std::move(finished)](Result<Done> done) mutable {
    left_[index] = !done;
    finished(std::move(done));
  };
  if (Container* container = containers_.find(name))
    return containers_.remove(
        *container, [removed = std::move(removed)](Result<Done> done, const Ending&) mutable {
          removed(std::move(done));
        });
  // A shim before us may have left something of that name.
  containers_.run(
      cat("delete ", name),
      [runtime = containers_.runtime(), name] { return shim::remove(runtime, name, {}); },
      std::move(removed));
}

void Supervisor::perform(pod::RunProbe& action) {
  const pod::Instance of = action.of;
  const pod::ProbeKind kind = action.kind;
  const pod::Container& spec = pod_.containers[of.container];
  const pod::Probe* probe = pod::probe_of(spec, kind);
  Job job;
  job.name = cat(pod::names_of(kind)[static_cast<size_t>(kind)], " probe of ", spec.name);
  job.own_errors = job.own_output = true;
  // The worker ends by itself in time; this is for one that hangs before it can.
  job.timeout = std::chrono::seconds(probe->timeout_seconds) + std::chrono::seconds(10);
  job.work = [target = ProbeTarget{containers_.runtime(), spec.name, netns(), address()}, probe] {
    return run_probe(target, *probe);
  };
  job.finished = [this, of, kind](const Result<Done>& done) {
    life_->probed(of, kind, done.has_value(), said(done), instant());
    go_on();
  };
  containers_.workers().start(std::move(job));
}

void Supervisor::perform(pod::RunHandler& action) {
  const pod::Instance of = action.of;
  const pod::HandlerKind kind = action.kind;
  const pod::Container& spec = pod_.containers[of.container];
  const pod::Handler& handler =
      kind == pod::HandlerKind::kPostStart ? *spec.post_start : *spec.pre_stop;
  Job job;
  job.name = cat(kind == pod::HandlerKind::kPostStart ? "postStart" : "preStop", " of ", spec.name);
  job.own_errors = job.own_output = true;
  job.work = [target = ProbeTarget{containers_.runtime(), spec.name, netns(), address()},
              &handler] { return run_handler(target, handler, kLongestHandler); };
  job.finished = [this, of, kind](const Result<Done>& done) {
    std::erase_if(handlers_,
                  [&](const HandlerWorker& each) { return each.of == of && each.kind == kind; });
    life_->handled(of, kind, done.has_value(), said(done), instant());
    go_on();
  };
  if (const pid_t worker = containers_.workers().start(std::move(job)); worker > 0)
    handlers_.push_back({of, kind, worker});
}

void Supervisor::perform(pod::Publish& action) { events_.append(action.event); }

void Supervisor::perform(pod::Launched&) {
  if (launched_) std::exchange(launched_, {})({});
}

void Supervisor::perform(pod::LaunchFailed& action) {
  if (launched_) std::exchange(launched_, {})(action.text);
}

void Supervisor::perform(pod::Ended&) {
  if (ended_) ended_();
}

// ---- what a shim before us has left
// ---------------------------------------------------------------

Result<> Supervisor::adopt() {
  const std::string text = TRY(sys::read_file(sys::kCwd, layout_.state_json()));
  const pod::State state = TRY(pod::read_state(text));
  std::vector<pod::Found> found;
  for (size_t i = 0; i < pod_.containers.size(); ++i) {
    const pod::ContainerStatus* told = state.status.find(pod_.containers[i].name);
    found.emplace_back();
    if (told == nullptr || told->process.pid == 0) continue;
    Result<UniqueFd> pidfd = sys::pidfd_open(told->process.pid);
    if (!pidfd) continue;
    // Opened first, then compared: it can only be this process.
    Result<std::optional<sys::ProcessStat>> stat = sys::process_stat(told->process.pid);
    if (!stat || !*stat || (*stat)->start_time != told->process.start_time || (*stat)->state == 'Z')
      continue;
    found.back().alive = true;
    Container& container = *TRY(containers_.add(told->name, pod_.containers[i].bundle));
    container.of_pod = true;
    container.attempt = state.containers[i].attempt;
    TRY(containers_.adopt(container, std::move(*pidfd), told->process.pid,
                          told->process.start_time));
    TRY(container.init.streams->open(*logs_[i], false));
    if (Result<Recorded> known = recorded(containers_.runtime(), told->name)) {
      container.own_pids = known->facts.own_pids;
      if (known->paused) container.init.phase = Phase::kPaused;
      oom_.watch(told->name, known->facts.memory);
    }
  }
  life_.emplace(pod::Lifecycle::adopt(pod_, state, found, instant()));
  go_on();
  return {};
}

}  // namespace ocirt::shim
