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

// ptmx of the container's devpts and of nothing else: an image could have put any file there, and
// of a device the mere opening may have an effect.
int open_ptmx(const Init& init) {
  constexpr int kDirectory = O_PATH | O_DIRECTORY;
  const char* path = "/dev/pts";
  const long opened = init.root >= 0 ? open_in_root(init, path, kDirectory)
                                     : bare::openat(AT_FDCWD, path, kDirectory);
  if (opened == -ENOENT) {
    fail(init, 0, "process.terminal needs a devpts mount at /dev/pts in the container");
  }
  const int directory = static_cast<int>(must(init, opened, "open ", path));
  struct statfs info{};
  must(init, bare::call(SYS_fstatfs, directory, &info), "statfs ", path);
  if (info.f_type != DEVPTS_SUPER_MAGIC) fail(init, 0, path, " is not of a devpts file system");
  open_how how{};
  how.flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;  // nothing that was mounted on it
  const int fd =
      static_cast<int>(must(init, bare::openat2(directory, "ptmx", how), "open /dev/pts/ptmx"));
  bare::close(directory);
  return fd;
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
