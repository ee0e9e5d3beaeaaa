// A pod's network namespace: made, and pinned by a bind mount where `ip netns exec` looks, so that
// it lives without any process in it.
#pragma once

#include <sched.h>

#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::net {

// Makes a new one, with the loopback device up, pinned at `path`. Code EEXIST when there is
// something already; then nothing has been touched. This process stays where it was.
Result<> make_netns(const std::string& path);

// The namespace behind the pin. Code EINVAL when it is none (any more), ENOENT when nothing is
// there.
Result<UniqueFd> open_netns(const std::string& path);
bool is_netns(const std::string& path);

// Takes the pin away; what is not there is no error.
Result<> remove_netns(const std::string& path);

// Goes back to this namespace. When that fails the program answers so and ends, as if it had been
// killed: whatever it did from here on, undoing included, would happen in the wrong network, and
// who has asked takes the pod down anew.
void return_home(Fd home);

// Runs `work`, which returns a Result<>, inside the namespace: sockets opened there stay there, and
// /proc/sys/net shows the caller's. This process comes back.
template <class Work>
Result<> inside_netns(Fd ns, Work work) {
  UniqueFd home = TRY(sys::open(sys::kCwd, "/proc/self/ns/net", O_RDONLY));
  TRY(within("enter the pod's network namespace", sys::setns(ns, CLONE_NEWNET)));
  Result<> done = work();
  return_home(home);
  return done;
}

// Runs `work` in a child, which may go where it does not come back from, and returns what it
// returns. The child ends with us.
Result<std::string> in_child(Result<std::string> (*work)(const std::string&),
                             const std::string& argument);

}  // namespace ocirt::net
