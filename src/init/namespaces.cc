// Namespaces: those that the container shares with others are joined, the cgroup namespace is made
// here, because its root is the cgroup in which its maker is (cgroup_namespaces(7)) and clone3(2)
// makes namespaces before it puts the child into its cgroup.
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

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

}  // namespace

void join_namespaces(Init& init) {
  for (const plan::Join& join : init.list(init.plan.joins)) {
    must(init, bare::call(SYS_setns, join.fd, join.flag), "join ", init.text(join.path));
    bare::close(join.fd);
  }
  if (init.plan.unshare != 0) {
    must(init, bare::call(SYS_unshare, init.plan.unshare), "unshare");
  }
  if (init.plan.new_network) raise_loopback(init);
}

void join_keyring(Init& init) {
  if (!init.plan.process.keyring.given()) return;
  constexpr int kJoinSessionKeyring = 1;  // KEYCTL_JOIN_SESSION_KEYRING
  long result = bare::call(SYS_keyctl, kJoinSessionKeyring, init.text(init.plan.process.keyring));
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
