// NOTIFY_SOCKET: when a service manager starts `ocirt` (Type=notify), the container's program is
// what has to say that the service is ready (sd_notify(3)), and the manager's socket is out of its
// reach: not in its mounts, and closed to processes of other cgroups. So the container gets a
// socket of its own. `create` mounts the directory in which it will be and puts its path into the
// program's environment; `start` and `run` make it, and pass on what may be passed on
// (src/linux/notify.h).
//
// Nothing of this happens, and no system call is made, without NOTIFY_SOCKET.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "oci-spec/spec.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/container/store.h"

namespace ocirt::container {

// What NOTIFY_SOCKET of our environment says; empty: nothing.
std::string notify_address();

// Adds the mount and the variable to `spec`, for a container that is going to be made in `store`
// under `id`. False: there is no NOTIFY_SOCKET.
Result<bool> add_notify_mount(oci::Spec& spec, const Store& store, const std::string& id);
// Makes the directory that is mounted.
Result<> make_notify_directory(const Directory& directory);

class [[nodiscard]] NotifySocket {
 public:
  // Makes the socket. Nothing without NOTIFY_SOCKET, or when there was none at `create`: nobody
  // inside could say anything then.
  static Result<std::optional<NotifySocket>> open(const Directory& directory);

  Fd fd() const { return inbox_; }  // readable when a message waits

  // Passes on the messages that wait. With the first READY=1 goes `main_pid`, as the service's.
  void pass_on(pid_t main_pid);

  // Passes messages on until the container is ready or its init has ended, and then until the
  // manager has taken them: it asks who has sent them, and we are gone soon.
  Result<> wait_until_ready(Fd init, pid_t main_pid);

  // Why the manager does not know that the container is ready; empty: it does, or is not.
  const std::string& failure() const { return failure_; }

 private:
  bool may_send();
  Result<> send(std::string_view text, int timeout_ms);
  Result<> tell_ready(const std::string& text, pid_t main_pid);
  Result<> barrier();

  std::string address_;
  UniqueFd inbox_;
  UniqueFd manager_;  // connected by the first message
  bool ready_ = false;
  std::string failure_;
  int64_t tokens_ = 0, refilled_ms_ = 0;
};

}  // namespace ocirt::container
