#include "src/net/plugin.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "src/base/fd.h"
#include "src/base/text.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/sys/signals.h"

namespace ocirt::net {
namespace {

constexpr size_t kMostOutput = size_t{1} << 20;
constexpr int kExecFailed = 127;

struct Pipe {
  UniqueFd reading, writing;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return os_error("pipe", errno);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

[[noreturn]] void become(const std::string& program, const std::vector<std::string>& environment,
                         const Fd (&streams)[3], pid_t parent) {
  (void)::setpgid(0, 0);
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kExecFailed);
  for (int i = 0; i < 3; ++i) ::dup2(streams[i].raw(), i);
  sys::default_signals();
  std::string name = program;
  char* const arguments[] = {name.data(), nullptr};
  std::vector<char*> variables;
  variables.reserve(environment.size() + 1);
  for (const std::string& variable : environment) {
    variables.push_back(const_cast<char*>(variable.c_str()));
  }
  variables.push_back(nullptr);
  ::execve(program.c_str(), arguments, variables.data());
  const std::string said = cat("execute it: ", errno_text(errno), "\n");
  (void)!::write(STDERR_FILENO, said.data(), said.size());
  ::_exit(kExecFailed);
}

// What is there to read; false at the end.
bool take(Fd fd, std::string& out) {
  char buffer[4096];
  const ssize_t got = ::read(fd.raw(), buffer, sizeof buffer);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (out.size() < kMostOutput) out.append(buffer, static_cast<size_t>(got));
  return got > 0;
}

// Talks to it until it has closed both of its streams; false when the time was over first.
bool converse(UniqueFd input, std::string_view text, UniqueFd output, UniqueFd errors,
              int64_t until, PluginOutcome& outcome) {
  (void)::fcntl(input.raw(), F_SETFL, O_NONBLOCK);
  while (output.valid() || errors.valid()) {
    const int64_t left = until - sys::monotonic_ms();
    if (left <= 0) return false;
    pollfd watched[] = {
        {input.raw(), POLLOUT, 0}, {output.raw(), POLLIN, 0}, {errors.raw(), POLLIN, 0}};
    if (::poll(watched, 3, static_cast<int>(left)) <= 0) continue;
    if (watched[0].revents != 0) {
      const ssize_t put = ::write(input.raw(), text.data(), text.size());
      if (put > 0) text.remove_prefix(static_cast<size_t>(put));
      if (text.empty() || (put < 0 && errno != EAGAIN && errno != EINTR)) input.reset();
    }
    if (watched[1].revents != 0 && !take(output, outcome.output)) output.reset();
    if (watched[2].revents != 0 && !take(errors, outcome.errors)) errors.reset();
  }
  return true;
}

// Its end, without which it may still be at work; false when the time is over.
bool wait_for(pid_t child, int64_t until, int& status) {
  for (int pause_ms = 1;; pause_ms = pause_ms < 50 ? pause_ms * 2 : 50) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child || (ended < 0 && errno != EINTR)) return true;
    if (sys::monotonic_ms() >= until) return false;
    ::poll(nullptr, 0, pause_ms);
  }
}

}  // namespace

Result<std::string> find_plugin(std::string_view path, std::string_view type) {
  for (std::string_view directory : split(path, ':')) {
    if (directory.empty()) continue;
    std::string program = cat(directory, "/", type);
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::unexpected(
      Error{ENOENT, cat("the CNI plugin ", quoted(type), " is in none of ", path)});
}

Result<PluginOutcome> run_plugin(const std::string& program, std::string_view input,
                                 const std::vector<std::string>& environment, int timeout_ms) {
  Pipe in = TRY(make_pipe());
  Pipe out = TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  (void)::signal(SIGPIPE, SIG_IGN);
  (void)::signal(SIGCHLD, SIG_DFL);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return os_error("fork", errno);
  if (child == 0) become(program, environment, {in.reading, out.writing, err.writing}, parent);
  (void)::setpgid(child, child);  // whoever is first
  in.reading.reset();
  out.writing.reset();
  err.writing.reset();

  PluginOutcome outcome;
  int status = 0;
  const int64_t until = sys::monotonic_ms() + timeout_ms;
  const bool ended = converse(std::move(in.writing), input, std::move(out.reading),
                              std::move(err.reading), until, outcome) &&
                     wait_for(child, until, status);
  if (!ended) {
    ::kill(-child, SIGKILL);
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return std::unexpected(
        Error{ETIMEDOUT, cat("it did not end within ", timeout_ms / 1000, " seconds")});
  }
  outcome.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return outcome;
}

}  // namespace ocirt::net
