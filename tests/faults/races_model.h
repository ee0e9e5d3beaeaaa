// The lifecycle of a container as its callers may see it, and whether a history of calls is one
// that it allows (linearizability, searched as Wing and Gong do).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace harness {

enum class Verb {
  kCreate,
  kStart,
  kKill,  // by SIGKILL
  kDelete,
  kDeleteForce,
  kState,
  kPause,
  kResume,
  kExec,
};

struct Event {
  Verb verb = Verb::kState;
  int64_t begin = 0, end = 0;
  int code = 0;
  std::string text;  // all that was said
};

// "" when there is an order in which every answer is right; otherwise where the search got stuck.
std::string why_impossible(std::vector<Event> events);

}  // namespace harness
