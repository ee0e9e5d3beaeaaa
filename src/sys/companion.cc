#include "src/sys/companion.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>
#include <vector>

#include "src/base/text.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/sys/retry.h"
#include "src/sys/spawn_instructions.h"

namespace ocirt::sys {
namespace {

constexpr size_t kMostDescriptors = 16;
constexpr size_t kMostAnswer = size_t{1} << 20;
constexpr size_t kMostShown = 300;  // of what a companion without an answer said
constexpr int kFirst = 3;           // what the companion calls its first descriptor

// Everything until end of file; false when the time was over first.
Result<bool> read_until(Fd fd, int timeout_ms, std::string& out) {
  const int64_t end = monotonic_ms() + timeout_ms;
  char buffer[4096];
  for (;;) {
    const int64_t left = end - monotonic_ms();
    if (left <= 0) return false;
    pollfd watched{fd.raw(), POLLIN, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) return os_error("poll", errno);
    if (ready <= 0) continue;
    const ssize_t got = retry([&] { return ::read(fd.raw(), buffer, sizeof buffer); });
    if (got < 0) return os_error("read", errno);
    if (got == 0) return true;
    if (out.size() < kMostAnswer) out.append(buffer, static_cast<size_t>(got));
  }
}

// "ok", "ok TEXT" or "error CODE TEXT"; nothing for any other line.
std::optional<Result<std::string>> parse_answer(std::string_view line) {
  if (line == "ok") return std::string();
  if (line.starts_with("ok ")) return std::string(line.substr(3));
  if (!line.starts_with("error ")) return std::nullopt;
  line.remove_prefix(6);
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  std::optional<int> code = to_number<int>(line.substr(0, space));
  if (!code) return std::nullopt;
  return std::unexpected(Error{*code, std::string(line.substr(space + 1))});
}

// What it said, libraries and the loader included, comes by one pipe: the last line that is an
// answer is the answer.
Result<std::string> answer_in(std::string_view name, std::string_view said) {
  std::optional<Result<std::string>> answer;
  std::string_view rest = said;
  while (std::optional<std::string_view> line = next_line(rest)) {
    if (std::optional<Result<std::string>> found = parse_answer(*line)) answer = std::move(found);
  }
  if (answer) return *std::move(answer);
  said = trim(said);
  if (said.empty()) return refuse(cat(name, " ended without an answer"));
  if (said.size() > kMostShown) said.remove_prefix(said.size() - kMostShown);
  std::string text(said);
  std::ranges::replace(text, '\n', ' ');
  return refuse(cat(name, " ended without an answer; it said: ", text));
}

}  // namespace

Result<std::string> find_companion_from(std::string_view directory, std::string_view name) {
  for (std::string_view way : {"/", "/../libexec/ocirt/", "/../lib/ocirt/"}) {
    std::string path = cat(directory, way, name);
    if (exists(kCwd, path)) return path;
  }
  return std::unexpected(
      Error{ENOENT, cat("the program ", name, " is missing: it belongs beside ocirt or in ",
                        clean_path(cat(directory, "/../libexec/ocirt")),
                        ", and a build without its library leaves it out")});
}

Result<std::string> find_companion(std::string_view name) {
  const std::string own = TRY(read_link(kCwd, "/proc/self/exe"));
  return find_companion_from(std::string_view(own).substr(0, own.rfind('/')), name);
}

Result<std::string> ask_companion(const CompanionCall& call) {
  const std::string_view name = std::string_view(call.path).substr(call.path.rfind('/') + 1);
  if (call.descriptors.size() > kMostDescriptors) return refuse("too many descriptors");
  UniqueFd request = TRY(sealed_memory("ocirt-request", {call.request}, false));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return os_error("pipe", errno);
  UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);

  // Copies out of the way, or putting one at its place could cover another that is still needed.
  std::vector<UniqueFd> copies;
  const int beyond = kFirst + static_cast<int>(call.descriptors.size());
  auto copy = [&](Fd fd) -> Result<int> {
    const int number = ::fcntl(fd.raw(), F_DUPFD_CLOEXEC, beyond);
    if (number < 0) return os_error("duplicate a descriptor", errno);
    copies.emplace_back(number);
    return number;
  };
  SpawnInstructions instructions;
  posix_spawn_file_actions_t* actions = &instructions.files;
  const int input = TRY(copy(request));
  const int output = TRY(copy(writing));
  int code = ::posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);
  for (int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    if (code == 0) code = ::posix_spawn_file_actions_adddup2(actions, output, stream);
  }
  for (size_t i = 0; i < call.descriptors.size(); ++i) {
    const int source = TRY(copy(call.descriptors[i]));
    if (code == 0) {
      code = ::posix_spawn_file_actions_adddup2(actions, source, kFirst + static_cast<int>(i));
    }
  }
  if (code == 0) code = ::posix_spawnattr_setflags(&instructions.attributes, POSIX_SPAWN_SETPGROUP);
  std::string argument(name);
  char* const argv[] = {argument.data(), nullptr};
  pid_t child = 0;
  if (code == 0) {
    code =
        ::posix_spawn(&child, call.path.c_str(), actions, &instructions.attributes, argv, environ);
  }
  if (code != 0) return os_error(cat("execute ", call.path), code);
  writing.reset();
  copies.clear();

  std::string said;
  Result<bool> complete = read_until(reading, call.timeout_ms, said);
  if (!complete || !*complete) ::kill(child, SIGKILL);
  // How it ended says nothing that its answer does not, and our caller may ignore SIGCHLD.
  (void)retry([&] { return ::waitpid(child, nullptr, 0); });
  if (!complete) return std::unexpected(std::move(complete).error());
  if (!*complete) {
    return std::unexpected(
        Error{ETIMEDOUT, cat(name, " did not answer within ", call.timeout_ms / 1000, " seconds")});
  }
  return answer_in(name, said);
}

Result<std::string> companion_request() {
  return read_all(Fd(STDIN_FILENO), "the request", kMostAnswer);
}

void end_with_caller() {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // One that died before that is not told of any more. Only it has the other end of the pipe for
  // the answer, and a process loses its descriptors before it loses its children.
  pollfd answer{STDOUT_FILENO, 0, 0};
  if (::poll(&answer, 1, 0) == 1 && (answer.revents & POLLERR) != 0) ::_exit(1);
}

int companion_answer(const Result<std::string>& answer) {
  std::string line =
      answer ? cat("ok ", *answer) : cat("error ", answer.error().code, " ", answer.error().text);
  std::ranges::replace(line, '\n', ' ');
  print(cat(line, "\n"));
  return answer ? 0 : 1;
}

}  // namespace ocirt::sys
