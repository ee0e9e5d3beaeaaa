#include "src/shim/worker.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "src/base/text.h"
#include "src/sys/daemon.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/stream.h"

namespace ocirt::shim {
namespace {

constexpr size_t kMostLastWords = 1024;

// How an answer is written; the texts follow in this order.
struct Head {
  uint32_t is_error = 0;
  int32_t code = 0;
  int32_t pid = 0;
  uint32_t text = 0, warnings = 0;
  uint64_t start_time = 0;
};

void put_answer(Fd to, Result<Done> done) {
  Head head;
  std::string text, warnings;
  if (done) {
    head.pid = done->pid;
    head.start_time = done->start_time;
    text = std::move(done->text);
    warnings = std::move(done->warnings);
  } else {
    head.is_error = 1;
    head.code = done.error().code;
    text = std::move(done.error().text);
  }
  if (text.size() > kMostText && head.is_error == 0) {
    head = {.is_error = 1};
    text = cat("an answer of ", text.size(), " bytes, more than ", kMostText);
    warnings.clear();
  }
  if (text.size() > kMostText) text.resize(kMostText);
  if (warnings.size() > kMostText) warnings.resize(kMostText);
  head.text = static_cast<uint32_t>(text.size());
  head.warnings = static_cast<uint32_t>(warnings.size());
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  (void)sys::write_all(to, "answer", bytes + text + warnings);
}

// `complete`: whether the worker has come to its end.
Result<Done> get_answer(Fd from, const std::string& name, sys::ExitStatus status, bool timed_out,
                        bool& complete) {
  const std::string bytes = sys::read_answer_file(from, sizeof(Head) + 2 * kMostText);
  Head head;
  if (bytes.size() >= sizeof head) std::memcpy(&head, bytes.data(), sizeof head);
  complete = bytes.size() >= sizeof head && bytes.size() == sizeof head + head.text + head.warnings;
  if (!complete) {
    if (timed_out) return std::unexpected(Error{0, cat(name, ": took too long and was given up")});
    if (status.signal != 0)
      return refuse(cat(name, ": the worker was killed by signal ", status.signal));
    return refuse(cat(name, ": the worker ended with status ", status.code, " and no answer"));
  }
  std::string text = bytes.substr(sizeof head, head.text);
  if (head.is_error != 0) return std::unexpected(Error{head.code, std::move(text)});
  return Done{head.pid, head.start_time, std::move(text), bytes.substr(sizeof head + head.text)};
}

// What is to be shown of what a worker has said, on one line.
std::string one_line(std::string_view words) {
  std::string line(trim(words));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return line;
}

}  // namespace

class Workers::Running {
 public:
  Running(sys::EventLoop& loop, Job& job, UniqueFd file, UniqueFd errors)
      : name(std::move(job.name)),
        makes_process(job.makes_process),
        finished(std::move(job.finished)),
        answer(std::move(file)),
        errors_(std::move(errors)),
        timer_(loop, Callback<>::to<&Running::too_late>(*this)) {}

  void begin(sys::EventLoop& loop, pid_t child, sys::Nanoseconds timeout) {
    pid = child;
    if (timeout > sys::Nanoseconds(0)) timer_.start(timeout);
    if (!errors_.valid()) return;
    Result<sys::Watch> watch =
        loop.watch(errors_, sys::kReadable, Callback<unsigned>::to<&Running::hear>(*this));
    if (watch) listening_ = std::move(*watch);
  }

  // A hook that talks much must not be stopped by a pipe that nobody empties, and a probe's program
  // that talks without end must not be listened to for ever: a pipe's worth at a time.
  void hear(unsigned) {
    constexpr int kReadsAtATime = 64;
    char room[1024];
    for (int i = 0; i < kReadsAtATime; ++i) {
      Result<std::optional<size_t>> got = sys::read_some(errors_, room);
      if (got && !*got) return;
      if (!got || **got == 0) {
        listening_.reset();
        return;
      }
      last_words_.append(room, **got);
      if (last_words_.size() > kMostLastWords)
        last_words_.erase(0, last_words_.size() - kMostLastWords);
    }
  }

  Result<Done> take_answer(sys::ExitStatus status) {
    timer_.cancel();
    bool complete = false;
    Result<Done> done = get_answer(answer, name, status, timed_out_, complete);
    // What it has begun, a hook for one, would go on for nobody.
    if (!complete) sys::signal_group(pid, SIGKILL);
    if (!errors_.valid()) return done;
    hear(0);
    listening_.reset();
    if (!done && !trim(last_words_).empty())
      done.error().text += cat(" (it said: ", one_line(last_words_), ")");
    return done;
  }

  std::string name;
  bool makes_process;
  Closure<void(Result<Done>)> finished;
  pid_t pid = 0;
  UniqueFd answer;

 private:
  void too_late() {
    timed_out_ = true;
    (void)sys::signal_child(pid, SIGKILL);
  }

  UniqueFd errors_;
  sys::Watch listening_;
  sys::Timer timer_;
  std::string last_words_;
  bool timed_out_ = false;
};

Workers::Workers(sys::EventLoop& loop, bool huge_pages) : loop_(loop), huge_pages_(huge_pages) {}

Workers::~Workers() {
  for (const auto& worker : running_) (void)sys::signal_child(worker->pid, SIGKILL);
}

pid_t Workers::start(Job job) {
  auto fails = [&](const Error& error) {
    job.finished(std::unexpected(Error{error.code, cat(job.name, ": ", error.text)}));
    return 0;
  };
  Result<UniqueFd> answer = sys::make_answer_file();
  if (!answer) return fails(answer.error());
  Result<sys::Pipe> errors = job.own_errors ? sys::make_pipe() : sys::Pipe();
  if (!errors) return fails(errors.error());
  sys::Fork how;
  for (int i = 0; i < 3; ++i) how.standard[i] = job.standard[i];
  if (job.own_errors) how.standard[2] = errors->to;
  if (job.own_errors && job.own_output) how.standard[1] = errors->to;
  job.keep.push_back(answer->raw());
  how.keep = job.keep;
  how.leads_group = true;
  Result<pid_t> pid = sys::fork_child(how);
  if (pid && *pid == 0) {
    if (huge_pages_) sys::allow_huge_pages();
    put_answer(*answer, job.work());
    sys::exit_now(0);
  }
  if (!pid) return fails(pid.error());
  running_.push_back(
      std::make_unique<Running>(loop_, job, std::move(*answer), std::move(errors->from)));
  running_.back()->begin(loop_, *pid, job.timeout);
  return *pid;
}

bool Workers::any_makes_process() const {
  return std::ranges::any_of(running_, [](const auto& each) { return each->makes_process; });
}

void Workers::kill(pid_t worker) {
  for (const auto& running : running_) {
    if (running->pid == worker) (void)sys::signal_child(worker, SIGKILL);
  }
}

bool Workers::ended(pid_t pid, sys::ExitStatus status) {
  auto found =
      std::ranges::find_if(running_, [&](const auto& running) { return running->pid == pid; });
  if (found == running_.end()) return false;
  const std::unique_ptr<Running> worker = std::move(*found);
  running_.erase(found);
  Result<Done> done = worker->take_answer(status);
  worker->finished(std::move(done));
  return true;
}

}  // namespace ocirt::shim
