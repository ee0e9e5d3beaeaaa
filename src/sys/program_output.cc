#include "src/sys/program_output.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/retry.h"

namespace ocirt::sys {
namespace {

// posix_spawn(3) takes its instructions as an object that has to be destroyed.
class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

}  // namespace

Result<std::string> program_output(std::span<const std::string> argv, bool errors_too) {
  std::string name = argv[0];
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return os_error("pipe", errno);
  UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);

  std::vector<char*> pointers;
  for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  FileActions actions;
  int code =
      ::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (code == 0) {
    code = ::posix_spawn_file_actions_adddup2(actions.get(), writing.raw(), STDOUT_FILENO);
  }
  if (code == 0 && errors_too) {
    code = ::posix_spawn_file_actions_adddup2(actions.get(), writing.raw(), STDERR_FILENO);
  }
  pid_t child = 0;
  if (code == 0) {
    code = ::posix_spawnp(&child, name.c_str(), actions.get(), nullptr, pointers.data(), environ);
  }
  if (code != 0) return os_error(cat("execute ", name), code);
  writing.reset();

  Result<std::string> output = read_all(reading, cat("the output of ", name), 16 << 20);
  reading.reset();  // a program whose output became too much ends by SIGPIPE
  int status = 0;
  if (retry([&] { return ::waitpid(child, &status, 0); }) < 0) {
    return os_error(cat("wait for ", name), errno);
  }
  if (!output) return output;
  if (WIFSIGNALED(status)) return refuse(cat(name, " was killed by signal ", WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0) {
    if (errors_too && !trim(*output).empty()) return refuse(std::string(trim(*output)));
    return refuse(cat(name, " ended with status ", WEXITSTATUS(status)));
  }
  return output;
}

}  // namespace ocirt::sys
