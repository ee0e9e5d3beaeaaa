// Namespaces that a process keeps for others without being in them itself, and without a process of
// their own: network, ipc and uts namespaces are each thread's, so a thread that does nothing is
// enough. It costs its kernel stack and one page, and ends with the process. /proc/ID/ns/* are the
// namespaces, as they are for a process.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

class HeldNamespaces {
 public:
  HeldNamespaces() = default;
  HeldNamespaces(const HeldNamespaces&) = delete;
  HeldNamespaces& operator=(const HeldNamespaces&) = delete;
  ~HeldNamespaces() { release(); }

  // Makes new ones of these kinds (CLONE_NEWIPC, CLONE_NEWUTS), and enters `network` if it is
  // valid. Signals must be blocked.
  Result<> hold(uint64_t made, Fd network);
  // Lets them go; returns when the thread has ended. None held: nothing to do.
  void release();
  // Of the thread; 0 for none.
  pid_t id() const { return id_; }

 private:
  struct Room;
  Room* room_ = nullptr;
  pid_t id_ = 0;
};

}  // namespace ocirt::sys
