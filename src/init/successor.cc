// Into a pid namespace that others live in, at the last moment.
//
// setns(2) moves only the children of its caller into a pid namespace, so init has to go on in a
// child. From then on the container's processes can see it, and one with CAP_SYS_PTRACE in the
// host's user namespace could take it over (CVE-2016-9962's kind). Therefore this happens when the
// host's mounts are out of reach and all privileges are given up: what can be taken over then is
// what the container has anyway. Only where a seccomp filter that is in force by then forbids to
// clone does ocirt try again with a plan that moves before.
#include <sched.h>
#include <sys/ioctl.h>

#include "src/init/channel.h"
#include "src/init/init.h"

namespace ocirt::init {

// The child is a child of ocirt's, as its parent is, which ends. By clone(2): profiles answer
// ENOSYS for clone3(2), whose arguments a filter cannot see.
void go_on_in_child(Init& init) {
  long pid = must(init, bare::call(SYS_clone, CLONE_PARENT, nullptr, nullptr, nullptr, nullptr),
                  "enter the pid namespace");
  if (pid != 0) {
    plan::Header header{plan::Word::moved};
    header.pid = static_cast<int32_t>(pid);
    long told = bare::write(init.channel, &header, sizeof header);
    if (told < 0) bare::call(SYS_kill, pid, SIGKILL);
    bare::exit_now(told < 0 ? 1 : 0);
  }
  if (!init.plan.ready_by_moving) await(init, plan::Word::followed);
}

void lead_session(Init& init) {
  must(init, bare::call(SYS_setsid), "setsid");
  if (init.plan.process.terminal && init.has_terminal) {
    must(init, bare::call(SYS_ioctl, 0, TIOCSCTTY, 0), "make the terminal the controlling one");
  }
}

void move_before_user(Init& init) {
  if (init.plan.join_pid_namespace && init.plan.move_early) {
    go_on_in_child(init);
    lead_session(init);
  }
}

void move_after_user(Init& init) {
  if (init.plan.join_pid_namespace && !init.plan.move_early) {
    go_on_in_child(init);
    set_late_rlimits(init);
    lead_session(init);
  }
}

}  // namespace ocirt::init
