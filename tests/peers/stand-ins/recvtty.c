// Takes terminals for runc's tests, which want a helper of theirs that is written in Go. In C, because
// the tests do not wait for it: an interpreter that starts on a busy machine comes too late.
//
// Usage: recvtty [--no-stdin] [--pid-file FILE] [--mode single|null] SOCKET. Mode null takes any number of
// terminals and drops what they say; single takes one and copies it to standard output.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

enum { kMost = 64 };

static void give_up(const char* what) {
  perror(what);
  exit(1);
}

static int listen_at(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr*)&address, sizeof address) != 0 || listen(fd, 16) != 0) give_up(path);
  return fd;
}

// The terminal that comes over the next connection, or -1.
static int take_terminal(int listener) {
  int connection = accept(listener, NULL, NULL);
  if (connection < 0) give_up("accept");
  char bytes[4096];
  union {
    struct cmsghdr alignment;
    char room[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec part = {bytes, sizeof bytes};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  int terminal = -1;
  if (recvmsg(connection, &message, 0) > 0) {
    struct cmsghdr* entry = CMSG_FIRSTHDR(&message);
    if (entry != NULL && entry->cmsg_type == SCM_RIGHTS)
      memcpy(&terminal, CMSG_DATA(entry), sizeof terminal);
  }
  close(connection);
  return terminal;
}

static void leave_newlines_alone(int terminal) {
  struct termios settings;
  if (tcgetattr(terminal, &settings) != 0) return;
  settings.c_oflag &= ~(tcflag_t)ONLCR;
  tcsetattr(terminal, TCSANOW, &settings);
}

int main(int argc, char** argv) {
  int single = 1;
  const char* path = NULL;
  const char* pid_file = NULL;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--pid-file") == 0 && i + 1 < argc) {
      pid_file = argv[++i];
    } else if (strcmp(argv[i], "--mode") == 0 && i + 1 < argc) {
      single = strcmp(argv[++i], "null") != 0;
    } else if (strcmp(argv[i], "--no-stdin") != 0) {
      path = argv[i];
    }
  }
  if (path == NULL) return 2;
  struct pollfd open_ones[kMost] = {{listen_at(path), POLLIN, 0}};
  nfds_t count = 1;
  if (pid_file != NULL) {
    FILE* file = fopen(pid_file, "w");
    if (file == NULL) give_up(pid_file);
    fprintf(file, "%d\n", (int)getpid());
    fclose(file);
  }
  while (poll(open_ones, count, -1) > 0) {
    for (nfds_t i = count; i-- > 1;) {
      if (open_ones[i].revents == 0) continue;
      char bytes[65536];
      ssize_t size = read(open_ones[i].fd, bytes, sizeof bytes);
      if (size > 0 && single && write(STDOUT_FILENO, bytes, (size_t)size) < 0) give_up("write");
      if (size > 0) continue;
      close(open_ones[i].fd);  // EIO: nobody holds the other end any more
      open_ones[i] = open_ones[--count];
      if (single) return 0;
    }
    if ((open_ones[0].revents & POLLIN) == 0) continue;
    int terminal = take_terminal(open_ones[0].fd);
    if (terminal < 0) continue;
    if (count == kMost) return 1;
    if (single) leave_newlines_alone(terminal);
    open_ones[count++] = (struct pollfd){terminal, POLLIN, 0};
  }
  return 0;
}
