// Whether the kernel has killed a process of a container for its memory: told by the cgroup on its
// own, v2 by a change of memory.events, v1 by a counter (linux/cgroup/oom.h does the same for
// `ocirt events`, which waits for it alone).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/base/closure.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/event_loop.h"

namespace ocirt::shim {

class OomWatches {
 public:
  // `call` gets the name that watch() was given.
  OomWatches(sys::EventLoop& loop, Closure<void(const std::string&)> call);
  OomWatches(const OomWatches&) = delete;
  OomWatches& operator=(const OomWatches&) = delete;
  ~OomWatches();

  // `file`: Facts::memory. A host that does not tell is no error: then nothing is told.
  void watch(const std::string& name, const std::string& file);
  // Whether there was a kill since the last call, told of or not; looked up now, since a process's
  // end may be known before its reason is.
  bool take_kills(const std::string& name);
  void forget(const std::string& name);

 private:
  class Entry;
  Entry* find(const std::string& name);
  sys::EventLoop& loop_;
  Closure<void(const std::string&)> call_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace ocirt::shim
