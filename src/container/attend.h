// Stays with a process in the foreground, for `run` and `exec`: forwards signals, copies the
// terminal, and learns how the process ended.
#pragma once

#include "src/base/callback.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/container/notify_socket.h"
#include "src/sys/process.h"
#include "src/sys/signals.h"

namespace ocirt::container {

// `process` is our child. `console`: master of its terminal, or invalid when it has our own
// standard streams. With a terminal ours is in raw mode meanwhile, and a change of its size is
// passed on. Every signal from `signals` but SIGCHLD is forwarded. Output that the terminal still
// holds at the process's end is copied before this returns. Other children that end meanwhile are
// reaped. What the container has to say to a service manager comes by `notify`. `lives` is called
// once, when the process has lived so long that others may have to do with it.
Result<sys::ExitStatus> attend(pid_t pid, Fd pidfd, Fd console, sys::SignalInbox& signals,
                               NotifySocket* notify = nullptr, Callback<> lives = {});

}  // namespace ocirt::container
