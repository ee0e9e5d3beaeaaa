// The container's terminal: a pair of the container's own devpts, its slave side on standard input,
// output and error and at /dev/console, its master sent to whoever asked for it.
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "src/init/channel.h"
#include "src/init/init.h"
#include "src/init/mount_api.h"
#include "src/init/path.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)  // Linux 4.13
#endif

namespace ocirt::init {
namespace {

// ptmx of the container's devpts and of nothing else: an image could have put any file there.
int open_ptmx(const Init& init) {
  constexpr int kFlags = O_RDWR | O_NOCTTY;
  const char* path = "/dev/pts/ptmx";
  long fd =
      init.root >= 0 ? open_in_root(init, path, kFlags) : bare::openat(AT_FDCWD, path, kFlags);
  if (fd == -ENOENT) {
    fail(init, 0, "process.terminal needs a devpts mount at /dev/pts in the container");
  }
  must(init, fd, "open ", path);
  struct statfs info{};
  must(init, bare::call(SYS_fstatfs, static_cast<int>(fd), &info), "statfs ", path);
  if (info.f_type != DEVPTS_SUPER_MAGIC) fail(init, 0, path, " is not of a devpts file system");
  return static_cast<int>(fd);
}

// CVE-2025-52565: the slave is mounted by descriptor, never by a path that could be swapped.
void bind_dev_console(const Init& init, int slave) {
  Parent parent;
  int target = open_or_make_file(init, parent, "/dev/console").fd;
  int tree = static_cast<int>(must(init, open_tree(slave, "", false), "bind the terminal"));
  must(init, move_mount(tree, target), "bind the terminal to /dev/console");
  bare::close(tree);
  bare::close(target);
}

}  // namespace

void open_console(Init& init) {
  const plan::Process& process = init.plan.process;
  if (!process.terminal) {
    if (!init.plan.join_pid_namespace) lead_session(init);
    return;
  }
  int master = open_ptmx(init);
  int unlock = 0;
  must(init, bare::call(SYS_ioctl, master, TIOCSPTLCK, &unlock), "unlock the terminal");
  int slave = static_cast<int>(
      must(init, bare::call(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
           "open the terminal"));
  if (process.rows != 0 || process.columns != 0) {
    winsize size{};
    size.ws_row = static_cast<unsigned short>(process.rows);
    size.ws_col = static_cast<unsigned short>(process.columns);
    must(init, bare::call(SYS_ioctl, slave, TIOCSWINSZ, &size), "set the terminal's size");
  }
  if (init.root >= 0 && init.plan.make_devices) bind_dev_console(init, slave);
  if (process.attached_terminal) {
    tell(init, plan::Word::console, master);
  } else {
    // Receivers want a payload of at least one byte and exactly one descriptor.
    constexpr char kName[] = "/dev/ptmx";
    must(init, send_descriptor(process.console_fd, kName, sizeof kName - 1, master),
         "send the terminal to the console socket");
    bare::close(process.console_fd);
  }
  bare::close(master);
  for (int fd = 0; fd < 3; ++fd) must(init, bare::call(SYS_dup3, slave, fd, 0), "use the terminal");
  bare::close(slave);
  init.has_terminal = true;
  // Otherwise its successor does: the end of a session's leader would hang the terminal up.
  if (!init.plan.join_pid_namespace) lead_session(init);
}

}  // namespace ocirt::init
