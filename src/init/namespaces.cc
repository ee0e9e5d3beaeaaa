// Namespaces: those that the container shares with others are joined, the cgroup namespace is made
// here, because its root is the cgroup in which its maker is (cgroup_namespaces(7)) and clone3(2)
// makes namespaces before it puts the child into its cgroup.
#include <linux/sched.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "src/bare/text.h"
#include "src/init/init.h"

namespace ocirt::init {
namespace {

// A new network namespace has a loopback device that is down; every peer but a bare clone sets it
// up.
void raise_loopback(const Init& init) {
  int socket = static_cast<int>(must(
      init, bare::call(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "loopback: socket"));
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  must(init, bare::call(SYS_ioctl, socket, SIOCSIFFLAGS, &request), "loopback: set it up");
}

// A new time namespace is at first that of children only (time_namespaces(7)), so that offsets can
// be written while nobody is in it. setns(2) moves us there without a child; since Linux 6.3 an
// exec would do.
void enter_new_time_namespace(const Init& init) {
  const plan::Plan& plan = init.plan;
  if (plan.clock_offsets.given() && !plan.user.entered) {  // there ocirt has written them
    int fd =
        static_cast<int>(must(init, bare::openat(AT_FDCWD, "/proc/self/timens_offsets", O_WRONLY),
                              "linux.timeOffsets: open /proc/self/timens_offsets"));
    long written = bare::write(fd, init.text(plan.clock_offsets), plan.clock_offsets.size);
    if (written == -ERANGE) {
      fail(init, 0, "linux.timeOffsets: a clock would be below zero or beyond its range: ",
           init.text(plan.clock_offsets));
    }
    must(init, written, "linux.timeOffsets: write ", init.text(plan.clock_offsets));
    bare::close(fd);
  }
  int fd = static_cast<int>(
      must(init, bare::openat(AT_FDCWD, "/proc/self/ns/time_for_children", O_RDONLY),
           "open the new time namespace"));
  must(init, bare::call(SYS_setns, fd, CLONE_NEWTIME), "enter the new time namespace");
  bare::close(fd);
}

}  // namespace

void join_namespaces(Init& init) {
  const plan::Plan& plan = init.plan;
  if (plan.user.entered) {
    enter_user_namespace(init);
  } else {
    make_joined_procfs(init);
    for (const plan::Join& join : init.list(plan.joins)) {
      must(init, bare::call(SYS_setns, join.fd, join.flag), "join ", init.text(join.path));
      if (plan.purpose == plan::Purpose::exec) {
        // No hook could inherit it: the exec closes it, like everything else.
        init.joined_mounts |= (join.flag & CLONE_NEWNS) != 0;
      } else {
        bare::close(join.fd);
      }
    }
    if (plan.unshare != 0) must(init, bare::call(SYS_unshare, plan.unshare), "unshare");
  }
  if (plan.purpose == plan::Purpose::exec && plan.root_fd >= 0) {
    must(init, bare::call(SYS_fchdir, plan.root_fd), "enter the container's root");
    must(init, bare::call(SYS_chroot, "."), "chroot");
    bare::close(plan.root_fd);
    init.joined_mounts = false;
  }
  if ((plan.unshare & CLONE_NEWTIME) != 0) enter_new_time_namespace(init);
  if (plan.user.forks) go_on_in_child(init);
  if (init.plan.new_network) raise_loopback(init);
}

void join_keyring(Init& init) {
  if (!init.plan.process.new_keyring) return;
  constexpr int kJoinSessionKeyring = 1;  // KEYCTL_JOIN_SESSION_KEYRING
  // Without a name. For a name the kernel compares those of all keyrings, of every container on the
  // host (0.2 ms with 1000), and joins one that has it already when its maker lets others search
  // it: any user may make one, and would share the container's keys.
  long result = bare::call(SYS_keyctl, kJoinSessionKeyring, nullptr);
  // A kernel without keyrings has none to leak. EDQUOT and the like are real.
  if (result != -ENOSYS) must(init, result, "join session keyring (--no-new-keyring does without)");
}

void set_names(Init& init) {
  const plan::Plan& plan = init.plan;
  if (plan.hostname.given()) {
    must(init, bare::call(SYS_sethostname, init.text(plan.hostname), plan.hostname.size),
         "set hostname ", init.text(plan.hostname));
  }
  if (plan.domainname.given()) {
    must(init, bare::call(SYS_setdomainname, init.text(plan.domainname), plan.domainname.size),
         "set domainname ", init.text(plan.domainname));
  }
}

}  // namespace ocirt::init
