// See fixture.h.
#include "tests/support/fixture.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/utsname.h>

#include <cstdio>

#include "tests/support/workspace.h"

namespace harness {

namespace {

std::string next_scratch() {
  static int count = 0;
  const std::string path = workspace() + "/" + std::to_string(++count);
  make_directories(path);
  return path;
}

}  // namespace

// Without the options of the cgroup2 file system: the machine has one, and a test beside this one
// may have mounted it with options.
std::string own_mounts() {
  std::string all;
  for (const std::string& line : lines(read_file("/proc/self/mountinfo"))) {
    all += line.contains(" - cgroup2 ") ? line.substr(0, line.rfind(' ')) + " any" : line;
    all += '\n';
  }
  return all;
}

// What came (+) and what went (-). Not what went with its directory: rmdir(2) of somebody else on
// this machine, say of the pin of a network namespace, takes the mounts there out of our copy too.
std::string changed_mounts(const std::string& before, const std::string& after) {
  const std::vector<std::string> old = lines(before), now = lines(after);
  std::string changes;
  for (const std::string& line : now)
    if (!contains(old, line)) changes += "+ " + line + "\n";
  for (const std::string& line : old)
    if (!contains(now, line) && exists(parse_mountinfo(line).at(0).target))
      changes += "- " + line + "\n";
  return changes;
}

ContainerTest::ContainerTest()
    : scratch_(next_scratch()), bundle(scratch_ + "/bundle"), runtime(scratch_ + "/state") {
  make_directories(runtime.root());
}

ContainerTest::~ContainerTest() { remove_tree(scratch_); }

void ContainerTest::SetUp() { take_stock(); }

void ContainerTest::TearDown() { check_leaks(); }

void ContainerTest::take_stock() {
  reap_orphans();
  mounts_ = own_mounts();
  descriptors_ = names_in("/proc/self/fd").size();
}

void ContainerTest::check_leaks() {
  // Containers are gone by now (they were locals of the test), but what the runtime killed may
  // take a moment to become reapable.
  eventually([] { return living_orphans().empty(); });
  for (const auto& [pid, line] : living_orphans()) {
    ADD_FAILURE() << "left behind: process " << pid << " " << line;
    kill(pid, SIGKILL);
  }
  eventually([] { return living_orphans().empty(); });

  std::vector<std::string> left = names_in(runtime.root());
  // Of no container: crun keeps compiled filters in ".cache".
  std::erase_if(left, [](const std::string& name) { return name.starts_with('.'); });
  EXPECT_EQ(left, std::vector<std::string>()) << "left behind in the state directory";
  EXPECT_EQ(cgroups::leftovers(), std::vector<std::string>()) << "left behind control groups";
  cgroups::remove_leftovers();

  EXPECT_EQ(changed_mounts(mounts_, own_mounts()), "") << "left behind mounts, or took some away";
  for (int tries = 0; tries < 20 && own_mounts() != mounts_; ++tries)
    for (const Mount& mount : parse_mountinfo(own_mounts()))
      if (mount.target.starts_with(scratch_ + "/")) umount2(mount.target.c_str(), MNT_DETACH);

  EXPECT_EQ(names_in("/proc/self/fd").size(), descriptors_) << "the test leaks descriptors";
}

std::string ContainerTest::run_shell(std::string_view script, const Args& flags) {
  bundle.shell(script);
  return run_bundle(flags);
}

std::string ContainerTest::run_bundle(const Args& flags) {
  Container container(runtime, bundle);
  const Outcome outcome = container.run(flags);
  EXPECT_OK(outcome);
  return outcome.out;
}

std::vector<Mount> ContainerTest::mounts_inside() {
  return parse_mountinfo(run_shell("cat /proc/self/mountinfo"));
}

std::string ContainerTest::refusal() {
  Container container(runtime, bundle);
  const std::string said = container.create().err;
  const size_t at = said.find("not supported: ");
  return at == std::string::npos ? std::string() : trim(said.substr(at));
}

Json ContainerTest::features() { return Json::parse(runtime.run({"features"}).out); }

bool ContainerTest::implements(std::string_view version) {
  return features()["ociVersionMax"].text() >= version;
}

RunningContainerTest::RunningContainerTest() { bundle.shell("exec sleep 100"); }

void RunningContainerTest::TearDown() {
  container_.reset();
  ContainerTest::TearDown();
}

Container& RunningContainerTest::running() {
  container_ = std::make_unique<Container>(runtime, bundle);
  container_->launch();
  return *container_;
}

void record_spec(const char* section, const char* sentence) {
  const ::testing::TestResult* result =
      ::testing::UnitTest::GetInstance()->current_test_info()->result();
  const std::string key = "spec" + std::to_string(result->test_property_count() + 1);
  ::testing::Test::RecordProperty(key, std::string(section) + ": " + sentence);
}

bool kernel_is_at_least(unsigned major, unsigned minor) {
  utsname name;
  unsigned found[2] = {};
  if (uname(&name) != 0 || std::sscanf(name.release, "%u.%u", &found[0], &found[1]) != 2)
    return false;
  return found[0] > major || (found[0] == major && found[1] >= minor);
}

::testing::AssertionResult succeeded(const Outcome& outcome) {
  if (outcome.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "the command should have worked\n" << outcome;
}

::testing::AssertionResult failed_with(const Outcome& outcome, int code, std::string_view part) {
  // Status, words and that there is one line are promises of ocirt, not of the specification.
  static const bool is_ours = Runtime("").name() == "ocirt";
  if (!is_ours) {
    if (outcome.code > 0 && !outcome.timed_out) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "the command should have failed\n" << outcome;
  }
  if (outcome.code != code)
    return ::testing::AssertionFailure() << "exit code should be " << code << "\n" << outcome;
  if (lines(outcome.err).size() != 1)
    return ::testing::AssertionFailure() << "stderr should be exactly one line\n" << outcome;
  if (outcome.err.find(part) == std::string::npos)
    return ::testing::AssertionFailure() << "stderr should say \"" << part << "\"\n" << outcome;
  return ::testing::AssertionSuccess();
}

::testing::AssertionResult says(std::string_view text, std::string_view part) {
  if (text.find(part) != std::string_view::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "\"" << part << "\" is not said in: " << text;
}

}  // namespace harness
