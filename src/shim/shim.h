// The shim as a whole: one loop, one socket, one pod. Parts are put together here, and signals are
// turned into what they mean.
#pragma once

#include <memory>
#include <string>

#include "src/base/result.h"
#include "src/pod/paths.h"
#include "src/shim/containers.h"
#include "src/shim/sandbox_service.h"
#include "src/shim/task_service.h"
#include "src/shim/worker.h"
#include "src/sys/event_loop.h"
#include "src/sys/signals.h"
#include "src/wire/server.h"

namespace ocirt::shim {

class Shim {
 public:
  // Blocks all signals; `loop` is the program's.
  Shim(sys::EventLoop& loop, Runtime runtime, const pod::Layout& layout);
  Shim(const Shim&) = delete;
  Shim& operator=(const Shim&) = delete;

  // Who has started a shim creates a pod at once, unless it was killed in between: without a pod it
  // ends so long after it was opened or called last, whoever is connected.
  void set_patience(sys::Nanoseconds patience) { patience_ = patience; }
  Result<> open(UniqueFd listener);
  Result<> adopt() { return sandbox_.adopt(); }
  // Until the pod was removed, or nobody wanted one.
  Result<> run();

 private:
  void on_call(wire::Call& call);
  void on_signal(unsigned ready);
  void nobody_came();
  void end();

  sys::EventLoop& loop_;
  std::optional<sys::SignalInbox> signals_;
  sys::Watch signals_watch_;
  Workers workers_;
  Containers containers_;
  TaskService task_;
  SandboxService sandbox_;
  wire::Server server_;
  sys::Timer unwanted_;
  sys::Nanoseconds patience_ = std::chrono::seconds(30);
};

}  // namespace ocirt::shim
