// See workspace.h. Subreaping matters because a runtime's create must leave the container's init to
// the nearest subreaper: the tests stand where containerd-shim and conmon stand.
#include "tests/support/workspace.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>

#include "tests/support/cgroups.h"
#include "tests/support/files.h"
#include "tests/support/process.h"

namespace harness {

namespace {

std::string& path() {
  static std::string value;
  return value;
}

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("cannot prepare the workspace: ") + what);
}

void enter() {
  must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "PR_SET_PDEATHSIG");
  must(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "PR_SET_CHILD_SUBREAPER");
  must(unshare(CLONE_NEWNS) == 0, "unshare");
  must(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount --make-rprivate /");
  must(mount("tmpfs", path().c_str(), "tmpfs", 0, "mode=755") == 0, "mount tmpfs");
  umask(022);
  // A container that ends while we feed it must not end us.
  signal(SIGPIPE, SIG_IGN);
}

void leave() {
  // Only a crash of the tests leaves processes to us.
  for (const auto& [pid, line] : living_orphans()) kill(pid, SIGKILL);
  eventually([] { return living_orphans().empty(); }, 2000);
  cgroups::remove_leftovers();
  cgroups::remove_parent();
  rmdir(path().c_str());
}

}  // namespace

const std::string& workspace() { return path(); }

int run_in_workspace(int (*tests)()) {
  must(geteuid() == 0, "these tests need root");
  char name[] = "/tmp/ocirt-test-XXXXXX";
  must(mkdtemp(name) != nullptr, "mkdtemp");
  path() = name;
  cgroups::test_parent();  // named after this process, for both of us
  prctl(PR_SET_CHILD_SUBREAPER, 1);

  sigset_t watched, before;
  sigemptyset(&watched);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&watched, number);
  sigprocmask(SIG_BLOCK, &watched, &before);
  const pid_t child = fork();
  if (child == 0) {
    sigprocmask(SIG_SETMASK, &before, nullptr);
    try {
      enter();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      _exit(1);
    }
    exit(tests());
  }

  int status = 0;
  while (waitpid(child, &status, WNOHANG) != child) {
    const int number = sigwaitinfo(&watched, nullptr);
    if (number != SIGCHLD) kill(child, SIGKILL);
  }
  leave();
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  std::fprintf(stderr, "the tests were ended by signal %d\n", WTERMSIG(status));
  return 128 + WTERMSIG(status);
}

}  // namespace harness
