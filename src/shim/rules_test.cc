#include "src/shim/rules.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "src/wire/status.h"

namespace ocirt::shim {
namespace {

std::string refusal(Phase phase, Request request) {
  Result<> may = check(phase, request);
  return may ? "" : may.error().text;
}

wire::Code code(Phase phase, Request request) {
  Result<> may = check(phase, request);
  return may ? wire::Code::kOk : wire::code_of(may.error().code);
}

TEST(Rules, CreatedProcessMayBeStartedKilledAndDeleted) {
  for (Request request : {Request::kStart, Request::kExec, Request::kKill, Request::kDelete,
                          Request::kUpdate, Request::kResize})
    EXPECT_EQ(refusal(Phase::kCreated, request), "");
}

TEST(Rules, TextsAreThoseThatContainerdKnows) {
  EXPECT_EQ(refusal(Phase::kRunning, Request::kDelete), "cannot delete a running process");
  EXPECT_EQ(refusal(Phase::kStopped, Request::kKill), "process already finished");
}

TEST(Rules, FinishedProcessIsNotFoundAndTheRestFailsAPrecondition) {
  EXPECT_EQ(code(Phase::kStopped, Request::kKill), wire::Code::kNotFound);
  EXPECT_EQ(code(Phase::kStopped, Request::kExec), wire::Code::kFailedPrecondition);
  EXPECT_EQ(code(Phase::kPaused, Request::kExec), wire::Code::kFailedPrecondition);
  EXPECT_EQ(code(Phase::kRunning, Request::kStart), wire::Code::kFailedPrecondition);
}

TEST(Rules, StoppedProcessMayBeDeletedAndAPausedOneKilled) {
  EXPECT_EQ(refusal(Phase::kStopped, Request::kDelete), "");
  EXPECT_EQ(refusal(Phase::kPaused, Request::kKill), "");
  EXPECT_EQ(refusal(Phase::kPaused, Request::kResume), "");
}

TEST(Rules, NothingButAPausedContainerMayBeResumed) {
  for (size_t phase = 0; phase < kPhases; ++phase) {
    const bool may = refusal(static_cast<Phase>(phase), Request::kResume).empty();
    EXPECT_EQ(may, static_cast<Phase>(phase) == Phase::kPaused) << phase;
  }
}

}  // namespace
}  // namespace ocirt::shim
