// Ends of processes: who has ended, in which order that is told, and what of a container that a
// shim before us has made.
#include <csignal>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "src/base/text.h"
#include "src/shim/containers.h"
#include "src/sys/fork.h"

namespace ocirt::shim {
namespace {

// Ends the streams of a process that has ended; whether its client can hear of it now.
bool may_be_told(Process& process) {
  if (!process.streams) return true;
  if (!process.streams->has_ended()) process.streams->end();
  return !process.streams->awaits_client();
}

}  // namespace

void Containers::reap() {
  // All at once first. Who is known comes before the workers, one of which may have removed it; and
  // the answer of a worker before the end of what it has made, whichever the kernel names first.
  std::vector<sys::Reaped> ended;
  while (std::optional<sys::Reaped> one = sys::reap_any()) ended.push_back(*one);
  const timespec at = wall_time();
  for (sys::Reaped& one : ended) {
    if (process_ended(one.pid, {.status = one.status, .at = at})) one.pid = 0;
  }
  for (sys::Reaped& one : ended) {
    if (one.pid != 0 && workers_.ended(one.pid, one.status)) one.pid = 0;
  }
  for (const sys::Reaped& one : ended) {
    if (one.pid == 0) continue;
    const Ending ending = {.status = one.status, .at = at};
    if (logger_ended(one.pid)) continue;
    if (!process_ended(one.pid, ending) && workers_.any_makes_process())
      parked_.push_back({one.pid, ending});
  }
  // Orphans of containers that share our pid namespace, and steps between a worker and its process.
  if (!workers_.any_makes_process()) parked_.clear();
}

bool Containers::process_ended(pid_t pid, const Ending& ending) {
  for (const auto& container : all_) {
    if (container->init.pid == pid && container->init.lives()) {
      take_end(*container, container->init, ending);
      return true;
    }
    for (const auto& process : container->execs) {
      if (process->pid != pid || !process->lives()) continue;
      take_end(*container, *process, ending);
      return true;
    }
  }
  return false;
}

void Containers::take_end(Container& container, Process& process, const Ending& ending) {
  process.ending = ending;
  process.held = true;
  if (process.is_init()) {
    // Without a pid namespace of its own others may live on; those of `Exec` are ended with it.
    for (const auto& exec : container.execs) {
      if (exec->pid != 0 && exec->phase == Phase::kRunning && !exec->held)
        (void)sys::signal_child(exec->pid, SIGKILL);
    }
    if (!container.own_pids && !container.of_pod && !container.removing) {
      run(
          cat("end ", container.id),
          [runtime = runtime_, id = container.id] { return shim::kill_survivors(runtime, id); },
          [](const Result<Done>&) {});
    }
  }
  settle(container);
}

void Containers::settle_all() {
  std::vector<uint32_t> numbers;  // what hears of an end may take rows away
  numbers.reserve(all_.size());
  for (const auto& container : all_) numbers.push_back(container->number);
  for (uint32_t number : numbers) {
    if (Container* container = find_number(number)) settle(*container);
  }
}

// Tells of what has ended, in order.
void Containers::settle(Container& container) {
  bool others = false;
  std::vector<std::string> abandoned;
  for (const auto& exec : container.execs) {
    Process& process = *exec;
    if (process.held && process.phase != Phase::kStarting && may_be_told(process)) {
      process.held = false;
      process.phase = Phase::kStopped;
      if (observer_ != nullptr) observer_->ended(container, process);
      // ocirt-pod waits until it deletes; where it was killed, nobody else would. Engines come
      // back.
      if (container.of_pod && process.is_abandoned()) abandoned.push_back(process.exec_id);
      process.tell();
    }
    others |= process.phase == Phase::kStarting || process.lives();
  }
  for (const std::string& exec_id : abandoned) (void)remove_exec(container, exec_id);
  Process& init = container.init;
  if (!init.held || init.phase == Phase::kStarting || others || !may_be_told(init)) return;
  init.held = false;
  init.phase = Phase::kStopped;
  if (observer_ != nullptr) observer_->ended(container, init);
  init.tell();
  if (on_end_) on_end_(container);
}

// A process of a shim before us. It is a child of whoever takes orphans here, who reaps it; how it
// ended the kernel tells by its pidfd afterwards, since Linux 6.15.
class Adopted {
 public:
  Adopted(Containers& containers, Container& container)
      : containers_(containers),
        number_(container.number),
        timer_(containers.loop(), Callback<>::to<&Adopted::give_up>(*this)) {}

  Result<> watch(Fd pidfd) {
    pidfd_ = pidfd;
    watch_ = TRY(containers_.loop().watch(pidfd, sys::kReadable,
                                          Callback<unsigned>::to<&Adopted::on_end>(*this)));
    return {};
  }

 private:
  void on_end(unsigned what) {
    std::optional<sys::ExitStatus> status = sys::recorded_exit(pidfd_);
    if (!status && (what & sys::kGone) == 0) {
      // A zombie still: wait for its parent, but not for ever.
      (void)watch_.change(0);
      if (!timer_.is_running()) timer_.start(std::chrono::milliseconds(500));
      return;
    }
    tell(status);
  }
  void give_up() { tell(std::nullopt); }
  void tell(std::optional<sys::ExitStatus> status) {
    watch_.reset();
    timer_.cancel();
    containers_.adopted_ended(number_, status);
  }

  Containers& containers_;
  uint32_t number_;
  Fd pidfd_;
  sys::Watch watch_;
  sys::Timer timer_;
};

Container::Container(std::string name) : id(std::move(name)) {}
Container::~Container() = default;

void Containers::adopted_ended(uint32_t number, std::optional<sys::ExitStatus> status) {
  Container* container = find_number(number);
  if (container == nullptr) return;
  Ending ending{
      .status = status.value_or(sys::ExitStatus()), .unknown = !status, .at = wall_time()};
  take_end(*container, container->init, ending);
}

Result<> Containers::adopt(Container& container, UniqueFd pidfd, pid_t pid, uint64_t start_time) {
  Process& init = container.init;
  init.pid = pid;
  init.start_time = start_time;
  init.phase = Phase::kRunning;
  init.pidfd = std::move(pidfd);
  container.adopted = std::make_unique<Adopted>(*this, container);
  return container.adopted->watch(init.pidfd);
}

}  // namespace ocirt::shim
