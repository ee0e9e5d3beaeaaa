#include "src/shim/worker.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "src/base/text.h"
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
  if (text.size() > kMostText) text.resize(kMostText);
  if (warnings.size() > kMostText / 2) warnings.resize(kMostText / 2);
  head.text = static_cast<uint32_t>(text.size());
  head.warnings = static_cast<uint32_t>(warnings.size());
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  (void)sys::write_all(to, "answer", bytes + text + warnings);
}

Result<Done> get_answer(Fd from, const std::string& name, sys::ExitStatus status, bool timed_out) {
  std::string bytes;
  char room[4096];
  for (;;) {
    Result<std::optional<size_t>> got = sys::read_some(from, room);
    if (!got || !*got || **got == 0) break;
    bytes.append(room, **got);
  }
  Head head;
  if (bytes.size() >= sizeof head) std::memcpy(&head, bytes.data(), sizeof head);
  if (bytes.size() < sizeof head || bytes.size() != sizeof head + head.text + head.warnings) {
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

Workers::~Workers() {
  for (Running& worker : running_) {
    (void)sys::signal_child(worker.pid, SIGKILL);
    if (worker.errors.valid()) loop_.unwatch(worker.errors);
    loop_.cancel(worker.timer);
  }
}

Workers::Running* Workers::find(pid_t pid) {
  for (Running& worker : running_) {
    if (worker.pid == pid) return &worker;
  }
  return nullptr;
}

pid_t Workers::start(Job job) {
  Result<sys::Pipe> answer = sys::make_pipe();
  sys::Pipe errors;
  if (answer && job.own_errors) {
    Result<sys::Pipe> made = sys::make_pipe();
    if (made) errors = std::move(*made);
  }
  if (!answer) {
    job.finished(std::unexpected(std::move(answer).error()));
    return 0;
  }
  sys::Fork how;
  for (int i = 0; i < 3; ++i) how.standard[i] = job.standard[i];
  if (errors.to.valid()) how.standard[2] = errors.to;
  job.keep.push_back(answer->to.raw());
  how.keep = job.keep;
  Result<pid_t> pid = sys::fork_child(how);
  if (pid && *pid == 0) {
    put_answer(answer->to, job.work());
    sys::exit_now(0);
  }
  if (!pid) {
    job.finished(std::unexpected(Error{pid.error().code, cat(job.name, ": ", pid.error().text)}));
    return 0;
  }
  Running worker;
  worker.pid = *pid;
  worker.name = std::move(job.name);
  worker.answer = std::move(answer->from);
  worker.errors = std::move(errors.from);
  worker.finished = std::move(job.finished);
  if (job.timeout_ms > 0) {
    worker.timer = loop_.after(job.timeout_ms, [this, who = *pid] {
      if (Running* late = find(who)) {
        late->timer = 0;
        late->timed_out = true;
        (void)sys::signal_child(who, SIGKILL);
      }
    });
  }
  const bool listens = worker.errors.valid();
  const Fd from = worker.errors;
  running_.push_back(std::move(worker));
  if (listens) listen(*pid, from);
  return *pid;
}

// A hook that talks much must not be stopped by a pipe that nobody empties.
void Workers::listen(pid_t pid, Fd errors) {
  (void)loop_.watch(errors, sys::kReadable, [this, pid, errors](uint32_t) {
    char room[1024];
    Running* worker = find(pid);
    Result<std::optional<size_t>> got = sys::read_some(errors, room);
    if (worker == nullptr || !got || (*got && **got == 0)) {
      loop_.unwatch(errors);
      return;
    }
    if (!*got) return;
    worker->last_words.append(room, **got);
    if (worker->last_words.size() > kMostLastWords)
      worker->last_words.erase(0, worker->last_words.size() - kMostLastWords);
  });
}

void Workers::kill(pid_t worker) {
  if (find(worker) != nullptr) (void)sys::signal_child(worker, SIGKILL);
}

bool Workers::ended(pid_t pid, sys::ExitStatus status) {
  auto found = std::find_if(running_.begin(), running_.end(),
                            [&](const Running& worker) { return worker.pid == pid; });
  if (found == running_.end()) return false;
  Running worker = std::move(*found);
  running_.erase(found);
  loop_.cancel(worker.timer);
  Result<Done> done = get_answer(worker.answer, worker.name, status, worker.timed_out);
  if (worker.errors.valid()) {
    loop_.unwatch(worker.errors);
    char room[1024];
    for (;;) {
      Result<std::optional<size_t>> got = sys::read_some(worker.errors, room);
      if (!got || !*got || **got == 0) break;
      worker.last_words.append(room, **got);
    }
    if (!done && !trim(worker.last_words).empty()) {
      const size_t size = worker.last_words.size();
      if (size > kMostLastWords) worker.last_words.erase(0, size - kMostLastWords);
      done.error().text += cat(" (it said: ", one_line(worker.last_words), ")");
    }
  }
  worker.answer.reset();
  worker.finished(std::move(done));
  return true;
}

}  // namespace ocirt::shim
