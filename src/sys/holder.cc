#include "src/sys/holder.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "src/sys/file.h"
#include "src/sys/fork.h"

namespace ocirt::sys {
namespace {

[[noreturn]] void hold(std::span<const char* const> arguments, int channel) {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::prctl(PR_SET_NAME, "ocirt-hold");
  for (const char* argument : arguments) {
    ::memset(const_cast<char*>(argument), 0, ::strlen(argument));
  }
  char byte = 0;
  if (::read(channel, &byte, 1) != 1 || ::setsid() < 0 || ::chdir("/") < 0) ::_exit(1);
  ::prctl(PR_SET_PDEATHSIG, 0);
  if (::write(channel, &byte, 1) != 1) ::_exit(1);
  close_all_but({});
  for (int fd = 0; fd < 3; ++fd) ::close(fd);
  for (;;) ::pause();
}

}  // namespace

Result<Holder> start_holder(std::span<const char* const> arguments) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
    return os_error("socketpair", errno);
  }
  const UniqueFd theirs(ends[0]);
  Holder holder;
  holder.channel = UniqueFd(ends[1]);
  const int keep[] = {theirs.raw()};
  Fork how;
  how.keep = keep;
  holder.pid = TRY(fork_child(how));
  if (holder.pid == 0) hold(arguments, theirs.raw());
  return holder;
}

Result<> commit_holder(Holder& holder) {
  char byte = 'x';
  // A send, since one that has ended must not end us by SIGPIPE.
  if (::send(holder.channel.raw(), &byte, 1, MSG_NOSIGNAL) != 1 ||
      ::read(holder.channel.raw(), &byte, 1) != 1) {
    return refuse("the process that is to keep the namespaces has ended");
  }
  holder.channel.reset();
  return {};
}

Error execute_again(std::span<const char* const> arguments, std::span<const int> keep) {
  for (int fd : keep) ::fcntl(fd, F_SETFD, 0);
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (const char* argument : arguments) words.push_back(const_cast<char*>(argument));
  words.push_back(nullptr);
  // By its name, which it then has in a list of processes, if that still leads there.
  if (const Result<std::string> own = read_link(kCwd, "/proc/self/exe")) {
    ::execv(own->c_str(), words.data());
  }
  ::execv("/proc/self/exe", words.data());
  return os_error("execute /proc/self/exe", errno).error();
}

}  // namespace ocirt::sys
