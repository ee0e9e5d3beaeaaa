// Asks a container how it is, and runs its handlers: by a command in it, by HTTP, by a connection.
// Everything here runs in a worker, which may enter the pod's network and take its time.
#pragma once

#include <string>

#include "src/base/result.h"
#include "src/pod/pod.h"
#include "src/shim/runtime.h"
#include "src/sys/event_loop.h"

namespace ocirt::shim {

// Where the questions go.
struct ProbeTarget {
  Runtime runtime;
  std::string container;
  std::string netns;    // of the pod; empty: the host's
  std::string address;  // of the pod
};

// Success, or why not. `timeout` counts from the call.
Result<Done> run_probe(const ProbeTarget& target, const pod::Probe& probe);
Result<Done> run_handler(const ProbeTarget& target, const pod::Handler& handler,
                         sys::Nanoseconds timeout);

}  // namespace ocirt::shim
