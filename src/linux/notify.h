// Messages to a service manager (sd_notify(3)): lines of NAME=VALUE in one datagram. A container's
// are passed on in the name of the service that ocirt runs in, so only those go on that say
// something about the container's own program: that it is ready, stops, reloads, lives, and how it
// is. Which process the service's main one is (MAINPID), descriptors to be kept for it (FDSTORE),
// and whatever else a service manager may come to obey are not for a container to say.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace ocirt {

struct Notification {
  bool ready = false;  // READY=1 is among it
  std::string text;    // what may go on, lines without a last newline; empty: nothing
};

// What of a container's message may go on to the service manager.
Notification admissible(std::string_view message);

// The directory in which a container finds the socket that stands for `address`, the NOTIFY_SOCKET
// of our caller. As crun has it, the address itself is that directory; but a service manager inside
// wants /run/systemd for its own socket, and an abstract address ("@...") is no path: then it is
// /run/notify, as runc has it. An address that no socket of ours can reach is an error.
Result<std::string> notify_directory(std::string_view address);

inline constexpr char kNotifyName[] = "notify.sock";  // in that directory

}  // namespace ocirt
