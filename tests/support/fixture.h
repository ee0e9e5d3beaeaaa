// The fixture of every conformance test: a workspace, a runtime with a state directory of its own,
// a bundle, and a check that the test left nothing behind in any of the places where a runtime
// works (processes, mounts, control groups, state, descriptors).
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/bundle.h"
#include "tests/support/cgroups.h"
#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/runtime.h"

namespace harness {

class ContainerTest : public ::testing::Test {
 protected:
  ContainerTest();
  ~ContainerTest() override;
  void SetUp() override;
  void TearDown() override;

  // A directory for this test alone, in the workspace.
  const std::string& scratch() const { return scratch_; }
  // Runs the script as the container's program with `run` and returns what it printed on stdout.
  // That it works is asserted.
  std::string run_shell(std::string_view script, const Args& flags = {});
  // Runs the bundle as it is; the same.
  std::string run_bundle(const Args& flags = {});
  // The mount table that the container's program sees.
  std::vector<Mount> mounts_inside();
  // What the runtime says when it refuses the bundle as "not supported: ..."; "" when it does not.
  std::string refusal();
  // What `features` prints; tests skip what a runtime does not claim.
  Json features();
  // Whether the runtime claims version `version` of the specification, such as "1.1".
  bool implements(std::string_view version);

  std::string scratch_;
  Bundle bundle;
  Runtime runtime;

 private:
  void take_stock();
  void check_leaks();

  std::string mounts_;
  size_t descriptors_ = 0;
};

// A test of what is done to a container that runs.
class RunningContainerTest : public ContainerTest {
 protected:
  RunningContainerTest();
  void TearDown() override;

  // A running container of the bundle as the test has set it up.
  Container& running();

  std::unique_ptr<Container> container_;  // of running(), deleted when the test ends
};

// The mounts of this process, a line each.
std::string own_mounts();
// What came (+) and what went (-) between two of these; "" for nothing that a runtime could have
// done.
std::string changed_mounts(const std::string& before, const std::string& after);

// Records in the XML or JSON output which sentence of the specification a test covers.
void record_spec(const char* section, const char* sentence);

bool kernel_is_at_least(unsigned major, unsigned minor);

// Assertion helpers; each prints the whole outcome when it fails.
::testing::AssertionResult succeeded(const Outcome& outcome);
// Failed with this exit code, said exactly one line on stderr, which contains `part`. Of another
// runtime than ocirt only the failure is asked for.
::testing::AssertionResult failed_with(const Outcome& outcome, int code, std::string_view part);
::testing::AssertionResult says(std::string_view text, std::string_view part);

}  // namespace harness

#define SPEC(section, sentence) ::harness::record_spec(section, sentence)
#define EXPECT_OK(outcome) EXPECT_TRUE(::harness::succeeded(outcome))
#define ASSERT_OK(outcome) ASSERT_TRUE(::harness::succeeded(outcome))
#define EXPECT_FAILS(outcome, code, part) \
  EXPECT_TRUE(::harness::failed_with((outcome), (code), (part)))
#define EXPECT_SAYS(text, part) EXPECT_TRUE(::harness::says((text), (part)))

#define NEEDS_VERSION(version) \
  if (!implements(version)) GTEST_SKIP() << "needs version " version " of the specification"
// For settings that a runtime may honestly lack, once the bundle has them.
#define NEEDS_SUPPORT()                                        \
  if (const std::string refused = refusal(); !refused.empty()) \
  GTEST_SKIP() << "the runtime says: " << refused
#define NEEDS_MAPPED_TMPFS()                \
  if (!::harness::kernel_is_at_least(6, 3)) \
  GTEST_SKIP() << "the workspace is a tmpfs, whose ids cannot be mapped before Linux 6.3"
#define NEEDS_NAMESPACE(kind)                                       \
  if (!contains(features()["linux"]["namespaces"].strings(), kind)) \
  GTEST_SKIP() << "the runtime lists no namespaces of type " << (kind) << " in `features`"
#define NEEDS_CGROUP_V1() \
  if (::harness::cgroups::is_pure_v2()) GTEST_SKIP() << "needs cgroup version 1 hierarchies"
#define NEEDS_CGROUP_V2() \
  if (!::harness::cgroups::is_pure_v2()) GTEST_SKIP() << "needs pure cgroup version 2"
#define NEEDS_CONTROLLER(name)                   \
  if (!::harness::cgroups::has_controller(name)) \
  GTEST_SKIP() << "needs the cgroup controller " << (name) << ", which this machine lacks"
