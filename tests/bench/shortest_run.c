// What `run` of the default bundle costs when nothing but the kernel's own work is done: one
// process, one child, no state. Usage: shortest_run ROOTFS NAME PROGRAM [ARGUMENT...]
#include "tests/bench/shortest.h"

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  struct Cgroups groups;
  find_cgroups(&groups, argv[2]);
  make_cgroups(&groups);
  pid_t pid = start_process(&groups);
  if (pid == 0) {
    enter_container(&groups, argv[1], argv[2]);
    exec_program(argv + 3);
  }
  int status;
  CHECK(waitpid(pid, &status, 0) == pid);
  remove_cgroups(&groups);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
