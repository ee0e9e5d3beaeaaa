// See process.h. One thread and poll(2): no helper thread may live while tests unshare and fork.
#include "tests/support/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include "tests/support/files.h"
#include "tests/support/patience.h"

namespace harness {

namespace {

// Children that a Process object waits for; everything else that we parent is an orphan.
std::set<pid_t>& tracked() {
  static std::set<pid_t> pids;
  return pids;
}

std::map<pid_t, int>& ended_orphans() {
  static std::map<pid_t, int> statuses;
  return statuses;
}

int as_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int capture_file(const char* name) {
  const int fd = memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) throw std::runtime_error("memfd_create failed");
  // Reopened for appending: several processes share this file without sharing the offset.
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const int appending = open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC);
  close(fd);
  if (appending < 0) throw std::runtime_error("cannot reopen a memfd");
  return appending;
}

std::string content(int fd) {
  std::string text;
  char buffer[65536];
  ssize_t got = 0;
  while ((got = pread(fd, buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0)
    text.append(buffer, static_cast<size_t>(got));
  return text;
}

bool drain(int& fd, std::string& into) {
  char buffer[65536];
  const ssize_t got = read(fd, buffer, sizeof buffer);
  if (got > 0) {
    into.append(buffer, static_cast<size_t>(got));
    return true;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  close(std::exchange(fd, -1));
  return false;
}

struct ChildSide {
  int in, out, err, terminal;
  const std::vector<int>* descriptors;
  const char* directory;
  char** argv;
  char** envp;
  const MissingCall* missing;
};

void take_away(const MissingCall& missing) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(missing.number), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
               static_cast<unsigned>(offsetof(seccomp_data, args) + 8 * missing.argument)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, missing.value, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(missing.error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{sizeof filter / sizeof filter[0], filter};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) _exit(125);
}

[[noreturn]] void become(const ChildSide& side) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (side.terminal >= 0) {
    setsid();
    ioctl(side.terminal, TIOCSCTTY, 0);
  }
  // Two steps, so that no source is overwritten before it was copied.
  std::vector<int> sources = {side.in, side.out, side.err};
  sources.insert(sources.end(), side.descriptors->begin(), side.descriptors->end());
  const int base = 500;
  for (size_t i = 0; i < sources.size(); ++i) dup2(sources[i], base + static_cast<int>(i));
  for (size_t i = 0; i < sources.size(); ++i) dup2(base + static_cast<int>(i), static_cast<int>(i));
  syscall(SYS_close_range, static_cast<unsigned>(sources.size()), ~0u, 0);
  if (side.missing != nullptr) take_away(*side.missing);
  if (*side.directory && chdir(side.directory) != 0) _exit(126);
  execvpe(side.argv[0], side.argv, side.envp);
  _exit(127);
}

std::vector<std::string> environment(const Command& command) {
  std::vector<std::string> all;
  for (char** each = environ; *each; ++each) {
    const std::string_view entry = *each;
    // These three change what a runtime does; a test sets them itself when it means to.
    if (entry.starts_with("LISTEN_") || entry.starts_with("NOTIFY_SOCKET=") ||
        entry.starts_with("XDG_RUNTIME_DIR="))
      continue;
    all.emplace_back(entry);
  }
  for (const auto& [name, value] : command.env) {
    std::erase_if(all, [&](const std::string& entry) { return entry.starts_with(name + "="); });
    all.push_back(name + "=" + value);
  }
  return all;
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  stream << "  command: " << join(outcome.argv, " ") << "\n  exit code: " << outcome.code;
  if (outcome.timed_out) stream << " (killed at the time limit)";
  return stream << "\n  stdout: " << outcome.out.substr(0, 2000)
                << "\n  stderr: " << outcome.err.substr(0, 2000);
}

Process::Process(Command command) : command_(std::move(command)) {
  int in = -1, out = -1, err = -1;
  if (command_.terminal >= 0) {
    in = out = err = command_.terminal;
  } else {
    int pipe_fds[2];
    if (command_.input.empty()) {
      in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    } else if (pipe2(pipe_fds, O_CLOEXEC) == 0) {
      in = pipe_fds[0];
      input_ = pipe_fds[1];
      fcntl(input_, F_SETFL, O_NONBLOCK);
    }
    if (command_.use_pipes) {
      if (pipe2(pipe_fds, O_CLOEXEC) == 0) out_ = pipe_fds[0], out = pipe_fds[1];
      if (pipe2(pipe_fds, O_CLOEXEC) == 0) err_ = pipe_fds[0], err = pipe_fds[1];
      fcntl(out_, F_SETFL, O_NONBLOCK);
      fcntl(err_, F_SETFL, O_NONBLOCK);
    } else {
      out = out_ = capture_file("stdout");
      err = err_ = capture_file("stderr");
    }
  }

  std::vector<std::string> env = environment(command_);
  std::vector<char*> argv, envp;
  for (std::string& each : command_.argv) argv.push_back(each.data());
  for (std::string& each : env) envp.push_back(each.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  const ChildSide side = {in,
                          out,
                          err,
                          command_.terminal,
                          &command_.descriptors,
                          command_.directory.c_str(),
                          argv.data(),
                          envp.data(),
                          command_.missing ? &*command_.missing : nullptr};
  pid_ = fork();
  if (pid_ == 0) become(side);
  tracked().insert(pid_);
  if (command_.terminal < 0) {
    close(in);
    if (command_.use_pipes) close(out), close(err);
  }
}

Process::~Process() {
  if (!code_) {
    kill(pid_, SIGKILL);
    while (!reap()) sleep_ms(1);
  }
  for (const int fd : {input_, out_, err_})
    if (fd >= 0) close(fd);
}

bool Process::reap() {
  if (code_) return true;
  int status = 0;
  const pid_t got = waitpid(pid_, &status, WNOHANG);
  if (got == 0) return false;
  code_ = got == pid_ ? as_code(status) : -1;
  tracked().erase(pid_);
  return true;
}

bool Process::is_over() {
  pump(0);
  return reap();
}

void Process::signal(int number) {
  if (!code_) kill(pid_, number);
}

void Process::pump(int milliseconds) {
  pollfd fds[3] = {{input_, POLLOUT, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}};
  if (command_.use_pipes) fds[1].fd = out_, fds[2].fd = err_;
  if (poll(fds, 3, milliseconds) <= 0) return;
  if (fds[0].revents) {
    const std::string& text = command_.input;
    const ssize_t put = write(input_, text.data() + fed_, text.size() - fed_);
    if (put > 0) fed_ += static_cast<size_t>(put);
    if ((put < 0 && errno != EAGAIN) || fed_ == text.size()) close(std::exchange(input_, -1));
  }
  if (fds[1].revents) drain(out_, piped_out_);
  if (fds[2].revents) drain(err_, piped_err_);
}

Outcome Process::wait() {
  Outcome outcome;
  outcome.argv = command_.argv;
  timespec begin, now;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  while (true) {
    const bool over = reap();
    if (over && (!command_.use_pipes || (out_ < 0 && err_ < 0))) break;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const long spent = (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000;
    if (spent / patience() > command_.time_limit_ms) {
      outcome.timed_out = true;
      if (!over) kill(pid_, SIGKILL);
      while (!reap()) sleep_ms(1);
      break;
    }
    pump(over ? 10 : 1);
    reap_orphans();
  }
  outcome.code = *code_;
  outcome.out = output();
  outcome.err = errors();
  if (outcome.timed_out) ADD_FAILURE() << "a command did not end in time\n" << outcome;
  return outcome;
}

std::string Process::output() const {
  return command_.use_pipes ? piped_out_ : out_ < 0 ? std::string() : content(out_);
}

std::string Process::errors() const {
  return command_.use_pipes ? piped_err_ : err_ < 0 ? std::string() : content(err_);
}

Outcome run_command(Command command) { return Process(std::move(command)).wait(); }

namespace {

std::vector<pid_t> orphans() {
  std::vector<pid_t> pids;
  const std::string self = std::to_string(getpid());
  for (const std::string& word : words(read_file("/proc/self/task/" + self + "/children"))) {
    const pid_t pid = std::atoi(word.c_str());
    if (!tracked().contains(pid)) pids.push_back(pid);
  }
  return pids;
}

}  // namespace

void reap_orphans() {
  for (const pid_t pid : orphans()) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == pid) ended_orphans()[pid] = as_code(status);
  }
}

std::optional<int> orphan_status(pid_t pid) {
  reap_orphans();
  const auto found = ended_orphans().find(pid);
  if (found == ended_orphans().end()) return std::nullopt;
  return found->second;
}

std::vector<std::pair<pid_t, std::string>> living_orphans() {
  reap_orphans();
  std::vector<std::pair<pid_t, std::string>> living;
  for (const pid_t pid : orphans()) {
    std::string line = read_file("/proc/" + std::to_string(pid) + "/cmdline");
    std::replace(line.begin(), line.end(), '\0', ' ');
    living.emplace_back(pid, line);
  }
  return living;
}

bool wait_for_end(pid_t pid, int milliseconds) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  // EINVAL before Linux 6.9: the number lives on as that of a session.
  if (fd < 0) return errno == ESRCH || errno == EINVAL;
  pollfd poller = {fd, POLLIN, 0};
  const bool ended = poll(&poller, 1, milliseconds) > 0;
  close(fd);
  if (ended) reap_orphans();
  return ended;
}

}  // namespace harness
