#include "src/sys/start_program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "src/base/text.h"
#include "src/sys/spawn_instructions.h"

namespace ocirt::sys {
namespace {

std::vector<char*> pointers_to(std::span<const std::string> texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<pid_t> start_program(std::span<const std::string> argv,
                            std::span<const std::string> environment,
                            std::span<const Fd> descriptors) {
  SpawnInstructions how;
  int code = 0;
  for (int i = 0; i < 3 && code == 0; ++i)
    code = ::posix_spawn_file_actions_addopen(&how.files, i, "/dev/null", O_RDWR, 0);
  // Out of the way of each other first: one may have a number that another is to get.
  std::vector<UniqueFd> high;
  const int first = 3, above = first + static_cast<int>(descriptors.size());
  for (size_t i = 0; i < descriptors.size() && code == 0; ++i) {
    high.emplace_back(::fcntl(descriptors[i].raw(), F_DUPFD_CLOEXEC, above));
    if (!high.back().valid()) return os_error("duplicate a descriptor", errno);
    code = ::posix_spawn_file_actions_adddup2(&how.files, high.back().raw(),
                                              first + static_cast<int>(i));
  }
  sigset_t none;
  ::sigemptyset(&none);
  if (code == 0) code = ::posix_spawnattr_setsigmask(&how.attributes, &none);
  if (code == 0)
    code =
        ::posix_spawnattr_setflags(&how.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  pid_t child = 0;
  if (code == 0) {
    code = ::posix_spawn(&child, argv[0].c_str(), &how.files, &how.attributes,
                         pointers_to(argv).data(), pointers_to(environment).data());
  }
  if (code != 0) return os_error(cat("execute ", argv[0]), code);
  return child;
}

}  // namespace ocirt::sys
