// What may be asked of a process in which state: the table that containerd's clients rely on. They
// decide by the code of an answer, and some by words of its text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/result.h"

namespace ocirt::shim {

// Of a container's init, and of a process that `Exec` has added (`created` means: not started).
enum class Phase : uint8_t { kCreating, kCreated, kStarting, kRunning, kPaused, kStopped };
inline constexpr size_t kPhases = 6;

enum class Request : uint8_t { kStart, kExec, kKill, kDelete, kPause, kResume, kUpdate, kResize };
inline constexpr size_t kRequests = 8;

// What the answer is when it may not be: the text, with the code "failed precondition" unless the
// process has finished (then "not found"). Empty: it may.
inline constexpr std::string_view kFinished = "process already finished";
inline constexpr std::string_view kRefusals[kPhases][kRequests] = {
    // kCreating: the worker that makes it has not answered
    {"cannot start a process that is being created",
     "cannot exec in a container that is being created",
     "cannot kill a process that is being created", "cannot delete a process that is being created",
     "cannot pause a container that is being created",
     "cannot resume a container that is not paused",
     "cannot update a container that is being created",
     "cannot resize a process that is being created"},
    // kCreated
    {"", "", "", "", "cannot pause a container that is not running",
     "cannot resume a container that is not paused", "", ""},
    // kStarting
    {"cannot start a process that is being started", "", "",
     "cannot delete a process that is being started",
     "cannot pause a container that is not running", "cannot resume a container that is not paused",
     "", ""},
    // kRunning
    {"cannot start a running process", "", "", "cannot delete a running process", "",
     "cannot resume a container that is not paused", "", ""},
    // kPaused
    {"cannot start a paused process", "cannot exec in a paused container", "",
     "cannot delete a paused process", "cannot pause a paused container", "", "", ""},
    // kStopped
    {"cannot start a stopped process", "cannot exec in a stopped container", kFinished, "",
     "cannot pause a stopped container", "cannot resume a stopped container",
     "cannot update a stopped container", "cannot resize a stopped process"},
};

constexpr std::string_view refusal_of(Phase phase, Request request) {
  return kRefusals[static_cast<size_t>(phase)][static_cast<size_t>(request)];
}

// The same as an error with the code that answers have (wire/status.h): EBUSY for a failed
// precondition, ENOENT for what is not there.
Result<> check(Phase phase, Request request);

}  // namespace ocirt::shim
