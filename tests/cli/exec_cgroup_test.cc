// `exec` and cgroups: below the container's own on request, and next to its first process when the
// container has taken its cgroup over, as engines inside of containers do.
#include <sys/stat.h>

#include <csignal>
#include <memory>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class ExecCgroup : public RunningContainerTest {
 protected:
  // Makes a cgroup below the container's and returns its path as /proc/PID/cgroup has it.
  void make_below(std::string_view controller, const std::string& name) {
    make_directories(container_->cgroup(controller) + "/" + name);
  }

  // The lines of /proc/self/cgroup of a process of `exec FLAGS`.
  std::string where(const Args& flags) {
    return container_->exec({"cat", "/proc/self/cgroup"}, flags).out;
  }
};

TEST_F(ExecCgroup, BelowTheContainersOnV2) {
  NEEDS_CGROUP_V2();
  running();
  make_below("", "sub/deep");
  const std::string own = trim(where({}));
  EXPECT_EQ(own + "/sub/deep", trim(where({"--cgroup", "sub/deep"})));
  EXPECT_EQ(own + "/sub/deep", trim(where({"--cgroup=/sub//./deep/"})));
  EXPECT_EQ(own, trim(where({"--cgroup", "/"})));
  EXPECT_FAILS(container_->exec({"true"}, {"--cgroup", "pids:sub"}), 255, "pids:sub");
}

TEST_F(ExecCgroup, BelowTheContainersForOneControllerOnV1) {
  NEEDS_CGROUP_V1();
  NEEDS_CONTROLLER("pids");
  NEEDS_CONTROLLER("memory");
  running();
  make_below("pids", "sub");
  const auto at = [&](const std::string& text, const std::string& controller) {
    for (const std::string& line : lines(text)) {
      const std::vector<std::string> fields = split(line, ':');
      if (contains(split(fields[1], ','), controller)) return fields[2];
    }
    return std::string();
  };
  const std::string own = where({});
  const std::string below = where({"--cgroup", "pids:sub"});
  EXPECT_EQ(at(own, "pids") + "/sub", at(below, "pids"));
  EXPECT_EQ(at(own, "memory"), at(below, "memory"));
  make_below("memory", "other");
  const std::string both = where({"--cgroup", "pids:sub", "--cgroup", "memory:other"});
  EXPECT_EQ(at(own, "pids") + "/sub", at(both, "pids"));
  EXPECT_EQ(at(own, "memory") + "/other", at(both, "memory"));
}

TEST_F(ExecCgroup, ThatIsMissingOrOutsideIsRefused) {
  running();
  EXPECT_FAILS(container_->exec({"true"}, {"--cgroup", "missing"}), 255, "missing");
  EXPECT_FAILS(container_->exec({"true"}, {"--cgroup", "../other"}), 255, "..");
  EXPECT_FAILS(container_->exec({"true"}, {"--cgroup", "nosuch:sub"}), 255, "nosuch");
  EXPECT_FAILS(container_->exec({"true"}, {"--cgroup", "a", "--cgroup", "b"}), 255, "same cgroup");
}

// The kernel takes no processes where controllers are handed down (cgroups(7), "no internal
// processes").
TEST_F(ExecCgroup, IsThatOfInitWhenTheContainersOwnTakesNoProcesses) {
  NEEDS_CGROUP_V2();
  NEEDS_CONTROLLER("hugetlb");
  running();
  make_below("", "init");
  make_below("", "sub");
  const std::string own = container_->cgroup("");
  write_file(own + "/init/cgroup.procs", std::to_string(container_->pid()));
  write_file(own + "/cgroup.subtree_control", "+hugetlb");
  const std::string inside = where({});
  EXPECT_TRUE(trim(inside).ends_with("/init")) << inside;
  // One that was asked for is no matter of taste.
  write_file(own + "/sub/cgroup.subtree_control", "+hugetlb");
  make_directories(own + "/sub/leaf");
  EXPECT_FAILS(container_->exec({"true"}, {"--cgroup", "sub"}), 255,
               ": adding pid of the process to cgroups: " + own +
                   "/sub/cgroup.procs: device or resource busy");
}

// Below the container's cgroup, which keeps the limits: the container may do there as it likes.
TEST_F(ExecCgroup, IsTheDelegatedOneWithTheContainersProcess) {
  NEEDS_CGROUP_V2();
  bundle.with_namespace("cgroup").set("annotations", R"({"run.oci.delegate-cgroup": "payload"})");
  running();
  EXPECT_EQ("/payload", field(container_->exec({"cat", "/proc/1/cgroup"}).out, "0::"));
  EXPECT_EQ("/payload", field(where({}), "0::"));
  EXPECT_TRUE(cgroups::pids_in(container_->cgroup("")).empty());
}

TEST_F(ExecCgroup, DelegationNeedsVersion2) {
  NEEDS_CGROUP_V1();
  bundle.set("annotations", R"({"run.oci.delegate-cgroup": "payload"})");
  EXPECT_SAYS(refusal(), "not supported");
}

}  // namespace
}  // namespace harness
