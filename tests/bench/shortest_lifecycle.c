// The same container in steps: the process waits at a fifo between create and start. Usage:
//   shortest_lifecycle STATE create NAME ROOTFS PROGRAM [ARGUMENT...]
//   shortest_lifecycle STATE start|delete NAME
// `delete` ends the process if it has not ended yet.
#include "tests/bench/shortest.h"

static void create(const char* name, const char* rootfs, char** program) {
  CHECK(mkdir(name, 0700) == 0 && chdir(name) == 0 && mkfifo("gate", 0600) == 0);
  struct Cgroups groups;
  find_cgroups(&groups, name);
  make_cgroups(&groups);
  int ready[2];
  CHECK(pipe2(ready, O_CLOEXEC) == 0);
  pid_t pid = start_process(&groups);
  if (pid == 0) {
    int gate =
        open("gate", O_RDWR | O_CLOEXEC);  // a reader that is its own writer never meets the end
    CHECK(gate >= 0);
    enter_container(&groups, rootfs, name);
    CHECK(write(ready[1], "", 1) == 1);
    char word;
    CHECK(read(gate, &word, 1) == 1);
    exec_program(program);
  }
  close(ready[1]);
  char word;
  CHECK(read(ready[0], &word, 1) == 1);
  char text[16];
  int length = snprintf(text, sizeof(text), "%d", (int)pid);
  int fd = open("pid", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  CHECK(write(fd, text, (size_t)length) == length);
}

static void start(const char* name) {
  CHECK(chdir(name) == 0);
  int gate = open("gate", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  CHECK(gate >= 0 && write(gate, "", 1) == 1);
}

static void delete(const char* name) {
  CHECK(chdir(name) == 0);
  char text[16] = "";
  int fd = open("pid", O_RDONLY | O_CLOEXEC);
  CHECK(read(fd, text, sizeof(text) - 1) > 0);
  int process = (int)syscall(SYS_pidfd_open, atoi(text), 0);
  if (process >= 0) {
    syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
    struct pollfd ended = {process, POLLIN, 0};
    CHECK(poll(&ended, 1, -1) == 1);
  }
  struct Cgroups groups;
  find_cgroups(&groups, name);
  remove_cgroups(&groups);
  CHECK(unlink("pid") == 0 && unlink("gate") == 0 && chdir("..") == 0 && rmdir(name) == 0);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  CHECK(chdir(argv[1]) == 0);
  if (strcmp(argv[2], "create") == 0 && argc > 5) {
    create(argv[3], argv[4], argv + 5);
  } else if (strcmp(argv[2], "start") == 0) {
    start(argv[3]);
  } else if (strcmp(argv[2], "delete") == 0) {
    delete (argv[3]);
  } else {
    return 2;
  }
  return 0;
}
