// state.json: what a shim leaves for the one that adopts its pod, and for whoever asks while no
// shim lives. The status is for both; the rest is what a status does not tell.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/enumeration.h"
#include "src/base/result.h"
#include "src/pod/status.h"

namespace ocirt::pod {

// How far a container was.
enum class Step : uint8_t {
  kAwaiting,  // nothing exists, to be created at `due_ns`
  kFinished,  // nothing exists, and nothing will
  kIdle,      // its turn had not come
  kMaking,    // between the request to create it and the start of its program
  kRemoving,  // its process has ended
  kRunning,
  kStopping,  // it runs, and has been asked to end
};
inline constexpr std::string_view kStepNames[] = {"awaiting", "finished", "idle",    "making",
                                                  "removing", "running",  "stopping"};
constexpr std::span<const std::string_view> names_of(Step) { return kStepNames; }

// Times in nanoseconds of the clock that Instant::ns has.
struct SavedContainer {
  Step step = Step::kIdle;  // required
  uint32_t attempt = 0;
  bool ever_started = false;
  uint32_t backoff_ms = 0;
  bool again = false;          // kRemoving: to be created at due_ns
  int64_t due_ns = 0;          // kAwaiting, kRemoving
  int64_t since_ns = 0;        // kRunning, kStopping
  bool post_start = false;     // the same: it is not done
  int64_t kill_at_ns = 0;      // kStopping
  bool condemned = false;      // kStopping: to be restarted as after a failure
  bool restart_asked = false;  // kStopping: to be restarted in any case
  std::optional<Terminated> last = {};
  std::optional<Terminated> before = {};

  bool operator==(const SavedContainer&) const = default;
};

struct State {
  PodStatus status = {};  // required
  bool started = false;   // start() had been called
  int64_t begun_ns = 0;
  uint32_t turn = 0;
  int64_t stop_deadline_ns = 0;                 // meaningful when status.reason is there
  std::vector<SavedContainer> containers = {};  // required; as in the status

  bool operator==(const State&) const = default;
};

// What an adopting shim has found of a container's process.
struct Found {
  bool alive = false;             // this very process: pid and start time are the same
  std::optional<Exit> exit = {};  // not alive: how it ended, where the kernel still knows
};

// As state.json, on one line, and back. A text of another pod or another version is refused.
std::string write_state(const State& state);
Result<State> read_state(std::string_view json, std::string_view document = "state.json");

}  // namespace ocirt::pod
