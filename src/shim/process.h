// What the shim keeps of a process that it has made: a container's init, or one that `Exec` added.
// Everything else is asked of the kernel, by a worker.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/base/callback.h"
#include "src/base/fd.h"
#include "src/shim/rules.h"
#include "src/shim/streams.h"
#include "src/sys/event_loop.h"
#include "src/sys/process.h"
#include "src/wire/server.h"

namespace ocirt::shim {

// How a process ended.
struct Ending {
  sys::ExitStatus status = {};
  bool unknown = false;  // nobody was there to be told
  timespec at = {};
  // As containerd has it: the code, 128 + signal; 255 for what nobody knows.
  uint32_t code() const { return unknown ? 255 : static_cast<uint32_t>(status.shell_code()); }
};

class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  bool is_init() const { return exec_id.empty(); }
  bool lives() const { return phase != Phase::kStopped && pid != 0; }
  // Gives the ending to everybody who waits for it, now or later.
  void tell();
  void wait_for(wire::Reply reply);
  // Somebody waited for its end, and nobody does any more.
  bool is_abandoned() const;
  // It was deleted without ever having been started: nobody will hear of an ending.
  void refuse_waiting();

  std::string exec_id;  // empty: init
  Phase phase = Phase::kCreating;
  pid_t pid = 0;
  uint64_t start_time = 0;
  Ending ending;
  bool held = false;  // it has ended, but others have to be told of first (phase is not kStopped)
  StreamPaths paths;
  std::unique_ptr<Streams> streams;
  std::string document;  // of an exec that was not started: its process as JSON

  // Of a process that a shim before us has made: not our child, so it is signalled by this.
  UniqueFd pidfd;

 private:
  std::vector<wire::Reply> waiting_;
};

wire::WaitResponse wait_response(const Ending& ending, wire::Timestamp& time);
// Now, by the clock on the wall.
timespec wall_time();
// The time of a message; 0 stays absent: nullptr.
wire::Timestamp* to_timestamp(const timespec& time, wire::Timestamp& room);

}  // namespace ocirt::shim
