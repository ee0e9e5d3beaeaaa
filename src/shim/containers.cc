#include "src/shim/containers.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "src/base/text.h"
#include "src/sys/fork.h"

namespace ocirt::shim {
namespace {

std::string mounted_bundle(const Container& container) {
  return container.mounted ? container.bundle : "";
}

Error not_found(std::string_view id) {
  return {ENOENT, cat("container ", quoted(id), ": not found")};
}

}  // namespace

Process* Container::find(std::string_view exec_id) {
  if (exec_id.empty()) return &init;
  for (const auto& process : execs) {
    if (process->exec_id == exec_id) return process.get();
  }
  return nullptr;
}

Containers::Containers(sys::EventLoop& loop, Workers& workers, Runtime runtime)
    : loop_(loop), workers_(workers), runtime_(std::move(runtime)) {}

Container* Containers::find(std::string_view id) {
  for (const auto& container : all_) {
    if (container->id == id) return container.get();
  }
  return nullptr;
}

Container* Containers::find_number(uint32_t number) {
  for (const auto& container : all_) {
    if (container->number == number) return container.get();
  }
  return nullptr;
}

Result<Container*> Containers::get(std::string_view id) {
  if (Container* container = find(id)) return container;
  return std::unexpected(not_found(id));
}

Result<Container*> Containers::get_lasting(std::string_view id) {
  Container* container = TRY(get(id));
  if (container->removing) return std::unexpected(not_found(id));
  return container;
}

Result<Process*> Containers::get_process(std::string_view id, std::string_view exec_id) {
  Container* container = TRY(get(id));
  if (Process* process = container->find(exec_id)) return process;
  return std::unexpected(
      Error{ENOENT, cat("process ", quoted(exec_id), " of container ", quoted(id), ": not found")});
}

Result<Container*> Containers::add(std::string_view id, std::string bundle) {
  if (find(id) != nullptr)
    return std::unexpected(Error{EEXIST, cat("container ", quoted(id), ": already exists")});
  all_.push_back(std::make_unique<Container>(std::string(id)));
  Container& container = *all_.back();
  container.number = ++last_number_;
  container.bundle = std::move(bundle);
  container.init.streams = new_streams();
  return &container;
}

std::unique_ptr<Streams> Containers::new_streams() {
  auto streams = std::make_unique<Streams>(loop_, &sockets_);
  streams->on_hold_over(Callback<>::to<&Containers::settle_all>(*this));
  streams->on_warning(Callback<std::string_view>::to<&Containers::warn>(*this));
  return streams;
}

void Containers::warn(std::string_view text) {
  if (observer_ != nullptr) observer_->warned(text);
}

// What a client has not read yet, or a logging program not written.
void Containers::keep_until_done(std::unique_ptr<Streams> streams) {
  std::erase_if(lingering_, [](const auto& other) { return other->is_done(); });
  if (!streams) return;
  if (!streams->is_done()) streams->end();  // it was never started
  streams->release();
  if (!streams->is_done()) lingering_.push_back(std::move(streams));
}

bool Containers::has_unread_streams() {
  keep_until_done(nullptr);
  return !lingering_.empty();
}

bool Containers::logger_ended(pid_t pid) {
  auto of = [pid](const std::unique_ptr<Streams>& streams) {
    return streams && streams->logger_ended(pid);
  };
  for (const auto& container : all_) {
    if (of(container->init.streams)) return true;
    for (const auto& process : container->execs) {
      if (of(process->streams)) return true;
    }
  }
  return std::ranges::any_of(lingering_, of);
}

void Containers::erase(uint32_t number) {
  if (Container* gone = find_number(number)) {
    for (const auto& process : gone->execs) keep_until_done(std::move(process->streams));
    keep_until_done(std::move(gone->init.streams));
  }
  std::erase_if(all_, [&](const auto& container) { return container->number == number; });
}

void Containers::run(std::string name, Closure<Result<Done>()> work, Finished finished) {
  Job job;
  job.name = std::move(name);
  job.own_errors = true;
  job.work = std::move(work);
  job.finished = std::move(finished);
  workers_.start(std::move(job));
}

// A job whose streams are those of the process that it makes.
Job Containers::job_for(Container& container, Process& process, std::string_view what) {
  Job job;
  job.name = cat(what, " ", container.id);
  job.makes_process = true;
  for (int i = 0; i < 3; ++i) job.standard[i] = process.streams->of_process(i);
  if (process.streams->console().valid()) job.keep.push_back(process.streams->console().raw());
  if (process.streams->logger_ready().valid())
    job.keep.push_back(process.streams->logger_ready().raw());
  return job;
}

// ---- making, starting, removing
// ------------------------------------------------------------------

void Containers::registered(Container& container, Process& process, const Done& done) {
  process.pid = done.pid;
  process.start_time = done.start_time;
  // It may have ended while its worker still had to say so.
  auto early = std::ranges::find_if(parked_, [&](const Parked& p) { return p.pid == done.pid; });
  if (early == parked_.end()) return;
  const Ending ending = early->ending;
  parked_.erase(early);
  // While some worker hangs, ends of strangers are kept as well, and their numbers are given anew:
  // who is there has not ended.
  const Result<std::optional<sys::ProcessStat>> now = sys::process_stat(done.pid);
  if (now && *now && (*now)->start_time == done.start_time) return;
  take_end(container, process, ending);
}

void Containers::create(Container& container, const Choices& choices, Finished finished) {
  Job job = job_for(container, container.init, "create");
  const Fd console = container.init.streams->console();
  container.mounted = !container.rootfs.empty();
  job.work = [runtime = runtime_, choices, id = container.id, bundle = container.bundle,
              rootfs = std::move(container.rootfs), console,
              ready = container.init.streams->logger_ready(),
              must_answer = container.init.streams->logger_must_answer()]() -> Result<Done> {
    if (ready.valid()) TRY(within("stdout", wait_for_logger(ready, must_answer)));
    return shim::create(runtime, choices, id, bundle, rootfs, console);
  };
  container.rootfs.clear();
  job.finished = [this, number = container.number,
                  finished = std::move(finished)](Result<Done> done) mutable {
    Container* made = find_number(number);
    if (made == nullptr) return finished(std::move(done));
    if (done) {
      const Facts facts = read_facts(done->text);
      made->own_pids = facts.own_pids;
      made->memory_file = facts.memory;
      if (Result<> begun = made->init.streams->begin(); !begun)
        done = std::unexpected(begun.error());
    }
    if (done) {
      made->init.phase = Phase::kCreated;
      made->init.pid = done->pid;
      if (observer_ != nullptr) {
        observer_->created(*made);
        if (!done->warnings.empty())
          observer_->warned(cat("create ", made->id, ": ", done->warnings));
      }
      registered(*made, made->init, *done);
      return finished(std::move(done));
    }
    // A worker that was killed leaves what `ocirt delete --force` removes; one that failed by
    // itself has removed everything, but that is cheap to find out.
    run(
        cat("remove ", made->id),
        [runtime = runtime_, id = made->id, mounted = mounted_bundle(*made)] {
          return shim::remove(runtime, id, mounted);
        },
        [this, number, finished = std::move(finished),
         error = std::move(done.error())](Result<Done> removed) mutable {
          if (!removed) error.text += cat("; then, while undoing this: ", removed.error().text);
          erase(number);
          finished(std::unexpected(std::move(error)));
        });
  };
  workers_.start(std::move(job));
}

void Containers::start(Container& container, Finished finished) {
  container.init.phase = Phase::kStarting;
  run(
      cat("start ", container.id),
      [runtime = runtime_, id = container.id] { return shim::start(runtime, id); },
      [this, number = container.number, finished = std::move(finished)](Result<Done> done) mutable {
        Container* started = find_number(number);
        if (started != nullptr && started->init.phase == Phase::kStarting)
          started->init.phase = done ? Phase::kRunning : Phase::kCreated;
        if (done && started != nullptr && observer_ != nullptr)
          observer_->started(*started, started->init);
        if (done) done->pid = started != nullptr ? started->init.pid : 0;
        finished(std::move(done));
        // An end that came meanwhile may be told now.
        if (Container* again = find_number(number)) settle(*again);
      });
}

Result<> Containers::add_exec(Container& container, std::string exec_id, std::string document,
                              const StreamPaths& paths) {
  TRY(check(container.init.phase, Request::kExec));
  if (container.find(exec_id) != nullptr) {
    return std::unexpected(Error{EEXIST, cat("process ", quoted(exec_id), " of container ",
                                             container.id, ": already exists")});
  }
  auto process = std::make_unique<Process>();
  process->exec_id = std::move(exec_id);
  process->phase = Phase::kCreated;
  process->document = std::move(document);
  process->paths = paths;
  process->streams = new_streams();
  StreamOwner owner = container.owner;
  owner.copied = true;
  if (Result<> opened = process->streams->open(paths, owner); !opened) {
    keep_until_done(std::move(process->streams));
    return opened;
  }
  container.execs.push_back(std::move(process));
  if (observer_ != nullptr) observer_->exec_added(container, *container.execs.back());
  return {};
}

void Containers::start_exec(Container& container, Process& process, Finished finished) {
  process.phase = Phase::kStarting;
  Job job = job_for(container, process, cat("exec ", process.exec_id, " in"));
  const Fd console = process.streams->console();
  job.work = [runtime = runtime_, id = container.id, document = std::move(process.document),
              terminal = process.paths.terminal, console, ready = process.streams->logger_ready(),
              must_answer = process.streams->logger_must_answer()]() -> Result<Done> {
    if (ready.valid()) TRY(within("stdout", wait_for_logger(ready, must_answer)));
    return shim::exec(runtime, id, document, terminal, console);
  };
  job.finished = [this, number = container.number, exec_id = process.exec_id,
                  finished = std::move(finished)](Result<Done> done) mutable {
    Container* in = find_number(number);
    Process* started = in != nullptr ? in->find(exec_id) : nullptr;
    if (started == nullptr) return finished(std::move(done));
    if (done) {
      if (Result<> begun = started->streams->begin(); !begun) {
        (void)sys::signal_child(done->pid, SIGKILL);
        done = std::unexpected(begun.error());
      }
    }
    if (!done) {
      // As containerd has it: it has ended, with the status of a command that could not be run.
      started->phase = Phase::kStopped;
      started->ending = {.status = {.code = 255}, .at = wall_time()};
      started->streams->end();
      finished(std::move(done));
      started->tell();
      settle(*in);
      return;
    }
    started->phase = Phase::kRunning;
    started->pid = done->pid;
    if (observer_ != nullptr) observer_->started(*in, *started);
    const Done copy = *done;
    finished(std::move(done));  // it has started before it has ended
    if (Container* again = find_number(number)) {
      if (Process* still = again->find(exec_id)) registered(*again, *still, copy);
    }
  };
  workers_.start(std::move(job));
}

void Containers::kill(Container& container, Process& process, int signal, bool all,
                      Finished finished) {
  if (Result<> may = check(process.phase, Request::kKill); !may)
    return finished(std::unexpected(std::move(may).error()));
  if (!process.is_init() && process.pid == 0) {
    return finished(
        std::unexpected(Error{EBUSY, "cannot kill a process that has not been started"}));
  }
  if (process.held) return finished(std::unexpected(Error{ENOENT, std::string(kFinished)}));
  // SIGKILL to an init is for everybody who shares its pid namespace, and thaws (container/kill.h).
  if (all || (process.is_init() && signal == SIGKILL &&
              (!container.own_pids || process.phase == Phase::kPaused))) {
    return run(
        cat("kill ", container.id),
        [runtime = runtime_, id = container.id, signal] { return kill_all(runtime, id, signal); },
        std::move(finished));
  }
  Result<> sent = process.pidfd.valid() ? sys::send_signal(process.pidfd, signal)
                                        : sys::signal_child(process.pid, signal);
  if (!sent) {
    if (sent.error().code == ESRCH) sent.error() = {ENOENT, std::string(kFinished)};
    return finished(std::unexpected(std::move(sent).error()));
  }
  finished(Done{});
}

// The first one removes it, once. Those who asked while it was at that find what they would have
// found after it.
void Containers::answer_late_deletes(Container& container, const Result<Done>& done) {
  for (wire::Reply& reply : std::exchange(container.late_deletes, {})) {
    if (done) {
      reply.fail(not_found(container.id));
    } else {
      reply.fail(wire::Code::kUnknown, done.error().text);
    }
  }
}

void Containers::remove(Container& container, Removed finished) {
  container.removing = true;
  run(
      cat("delete ", container.id),
      [runtime = runtime_, id = container.id, mounted = mounted_bundle(container)] {
        return shim::remove(runtime, id, mounted);
      },
      [this, number = container.number, finished = std::move(finished)](Result<Done> done) mutable {
        Container* gone = find_number(number);
        // What was not started has been killed by this very call.
        Ending ending{.status = {.signal = SIGKILL}, .at = wall_time()};
        if (gone != nullptr && (gone->init.held || !gone->init.lives())) ending = gone->init.ending;
        if (gone != nullptr) answer_late_deletes(*gone, done);
        if (!done && gone != nullptr) gone->removing = false;
        if (done && gone != nullptr) {
          // Who still waits is told before the row goes.
          for (const auto& process : gone->execs) process->tell();
          gone->init.tell();
          if (observer_ != nullptr) {
            observer_->removed(*gone);
            if (!done->warnings.empty())
              observer_->warned(cat("delete ", gone->id, ": ", done->warnings));
          }
          erase(number);
        }
        finished(std::move(done), ending);
      });
}

Result<> Containers::remove_exec(Container& container, std::string_view exec_id) {
  Process* process = TRY(get_process(container.id, exec_id));
  TRY(check(process->phase, Request::kDelete));
  process->refuse_waiting();
  keep_until_done(std::move(process->streams));
  std::erase_if(container.execs, [&](const auto& other) { return other.get() == process; });
  return {};
}

void Containers::pause(Container& container, Finished finished) {
  if (Result<> may = check(container.init.phase, Request::kPause); !may)
    return finished(std::unexpected(std::move(may).error()));
  run(
      cat("pause ", container.id),
      [runtime = runtime_, id = container.id] { return shim::pause(runtime, id); },
      [this, number = container.number, finished = std::move(finished)](Result<Done> done) mutable {
        Container* paused = find_number(number);
        if (done && paused != nullptr && paused->init.phase == Phase::kRunning)
          paused->init.phase = Phase::kPaused;
        if (done && paused != nullptr && observer_ != nullptr) observer_->paused(*paused);
        finished(std::move(done));
      });
}

void Containers::resume(Container& container, Finished finished) {
  if (Result<> may = check(container.init.phase, Request::kResume); !may)
    return finished(std::unexpected(std::move(may).error()));
  run(
      cat("resume ", container.id),
      [runtime = runtime_, id = container.id] { return shim::resume(runtime, id); },
      [this, number = container.number, finished = std::move(finished)](Result<Done> done) mutable {
        Container* resumed = find_number(number);
        if (done && resumed != nullptr && resumed->init.phase == Phase::kPaused)
          resumed->init.phase = Phase::kRunning;
        if (done && resumed != nullptr && observer_ != nullptr) observer_->resumed(*resumed);
        finished(std::move(done));
      });
}

}  // namespace ocirt::shim
