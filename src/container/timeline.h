// `ocirt --trace FILE`: what a command spends its time on, as a file in the trace format of Chrome
// (chrome://tracing, ui.perfetto.dev). Phases follow one another, in ocirt as in init, so a mark at
// the beginning of each is all that there is to note. Off, it is a pointer that is null.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/plan/plan.h"
#include "src/plan/trace.h"
#include "src/sys/shared_block.h"

namespace ocirt::container {

class Timeline {
 public:
  explicit Timeline(std::string command);

  // Our next phase begins here; `name` lives as long as the program.
  void begin(const char* name);

  // Lets init note its steps: plan.trace becomes a descriptor that init has to get.
  Result<> follow_init(plan::Plan& plan);
  // Its program runs by now, or it has ended.
  void end_of_init();

  // All of it, from the first mark to now.
  std::string document() const;

 private:
  struct Mark {
    const char* name;
    uint64_t nanoseconds;
  };
  std::string command_;
  std::vector<Mark> marks_;
  std::optional<sys::SharedBlock> shared_;
  uint64_t init_ended_ = 0;
};

// A phase of a command that may have no timeline.
inline void begin_phase(Timeline* timeline, const char* name) {
  if (timeline != nullptr) [[unlikely]]
    timeline->begin(name);
}

}  // namespace ocirt::container
