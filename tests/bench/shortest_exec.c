// One more process in a container of shortest_lifecycle. Usage:
//   shortest_exec STATE NAME PROGRAM [ARGUMENT...]
// Ends with the program's status.
#include "tests/bench/shortest.h"

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  CHECK(chdir(argv[1]) == 0 && chdir(argv[2]) == 0);
  char text[16] = "";
  int fd = open("pid", O_RDONLY | O_CLOEXEC);
  CHECK(read(fd, text, sizeof(text) - 1) > 0);
  int init = (int)syscall(SYS_pidfd_open, atoi(text), 0);
  CHECK(init >= 0);
  struct Cgroups groups;
  find_cgroups(&groups, argv[2]);
  for (int i = 0; i < groups.count; i++) {
    groups.directory[i] = open(groups.path[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(groups.directory[i] >= 0);
  }
  CHECK(setns(init, CLONE_NEWPID) == 0);  // of the child
  pid_t pid = start_in_cgroup(&groups, 0);
  if (pid == 0) {
    join_v1_cgroups(&groups);
    char keyring[64];
    snprintf(keyring, sizeof(keyring), "_ses.%s", argv[2]);
    CHECK(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, keyring) >= 0);
    CHECK(setns(init, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP) == 0);
    setsid();
    limit_rights();
    exec_program(argv + 3);
  }
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
