// The shim's event loop: descriptors, times and signals, one thread, no polling. Everything that
// the shim does is begun from here and returns soon; what may take long is a worker's (worker.h).
#pragma once

#include <cstdint>
#include <vector>

#include "src/base/callback.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/poller.h"

namespace ocirt::shim {

class Loop {
 public:
  using Ready = Callback<void(uint32_t)>;  // what has happened: bits of sys/poller.h
  using Due = Callback<void()>;
  using TimerId = uint32_t;  // 0: none

  static Result<Loop> open();

  // Calls `ready` whenever one of `what` holds, until unwatch(). The descriptor stays the caller's.
  Result<> watch(Fd fd, uint32_t what, Ready ready);
  Result<> change(Fd fd, uint32_t what);
  void unwatch(Fd fd);  // before it is closed; of one that is not watched: nothing

  // Calls `due` once.
  TimerId after(int64_t milliseconds, Due due);
  void cancel(TimerId& id);  // and clears it

  // Until stop().
  Result<> run();
  void stop() { stopped_ = true; }
  // One round; `wait`: for the next thing that happens.
  Result<> turn(bool wait);

 private:
  struct Watched {
    Fd fd;
    uint32_t generation = 0;
    Ready ready;
  };
  struct Timer {
    TimerId id = 0;
    int64_t when_ms = 0;
    Due due;
  };
  size_t find(Fd fd) const;
  void run_timers();

  sys::Poller poller_;
  std::vector<Watched> watched_;
  std::vector<Timer> timers_;
  uint32_t generation_ = 0;
  TimerId last_timer_ = 0;
  bool stopped_ = false;
};

}  // namespace ocirt::shim
