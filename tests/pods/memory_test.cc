// What a shim keeps in memory: its own pages, which nobody else can share (Private_Dirty of
// smaps_rollup), and its share of all (Pss).
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

class PodMemory : public PodTest {
 protected:
  // A program that was linked a moment ago is dirty in the page cache, and would count.
  PodMemory() {
    const int program = ::open(shim_program().c_str(), O_RDONLY | O_CLOEXEC);
    ::fsync(program);
    ::close(program);
  }
  // KiB.
  static long of(pid_t pid, std::string_view what) {
    for (const std::string& line :
         lines(read_file("/proc/" + std::to_string(pid) + "/smaps_rollup"))) {
      if (line.starts_with(std::string(what) + ":")) return std::stol(line.substr(what.size() + 1));
    }
    return -1;
  }
  long private_dirty_of_pod_with(int containers) {
    TestPod pod(pods_root(), new_name());
    for (int i = 0; i < containers; ++i)
      pod.add("c" + std::to_string(i), "echo hello; exec sleep 60");
    pod.launch();
    EXPECT_TRUE(pod.log_has("c0", "hello"));
    const pid_t shim = pod.shim_pid();
    EXPECT_EQ(names_in("/proc/" + std::to_string(shim) + "/task").size(), 1u);
    const long dirty = of(shim, "Private_Dirty");
    // tests/tools/budget reads this.
    std::printf("shim of %d containers: %ld KiB private\n", containers, dirty);
    return dirty;
  }
};

TEST_F(PodMemory, OneContainerCostsAtMost300KibAndEachFurtherOne40) {
  const long one = private_dirty_of_pod_with(1);
  EXPECT_GT(one, 0);
  EXPECT_LE(one, 300);
  const long five = private_dirty_of_pod_with(5);
  EXPECT_LE(five - one, 4 * 40);
}

TEST_F(PodMemory, TenPodsHaveAtMost500KibEachOfTheirShare) {
  std::vector<std::unique_ptr<TestPod>> pods;
  for (int i = 0; i < 10; ++i) {
    pods.push_back(std::make_unique<TestPod>(pods_root(), new_name()));
    pods.back()->add("c", "exec sleep 60");
    pods.back()->launch();
  }
  for (const auto& pod : pods) {
    const long share = of(pod->shim_pid(), "Pss");
    std::printf("shim of 10 pods: %ld KiB proportional\n", share);
    EXPECT_LE(share, 500);
    EXPECT_GT(share, 0);
  }
}

}  // namespace
}  // namespace harness
