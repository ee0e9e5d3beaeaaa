// A disk that is full: the pod lives on, and what could not be written is written when there is
// room again.
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

using ocirt::pod::PodStatus;
using ocirt::pod::RestartPolicy;
using ocirt::pod::WaitingReason;

// Every file below a directory, open: what is removed keeps its room.
class OpenFiles {
 public:
  explicit OpenFiles(const std::string& directory) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file())
        files_.push_back(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    }
  }
  ~OpenFiles() {
    for (const int file : files_) ::close(file);
  }
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;

 private:
  std::vector<int> files_;
};

// The pods are on a small file system of their own.
class PodFullDisk : public PodTest {
 protected:
  void SetUp() override {
    PodTest::SetUp();
    make_directories(pods_root());
    ASSERT_EQ(::mount("tmpfs", pods_root().c_str(), "tmpfs", 0, "size=8m"), 0);
  }
  void TearDown() override {
    ::umount2(pods_root().c_str(), MNT_DETACH);
    PodTest::TearDown();
  }
  std::string filler() const { return pods_root() + "/filler"; }
  void fill() {
    FILE* file = std::fopen(filler().c_str(), "w");
    ASSERT_NE(file, nullptr);
    const std::string block(4096, 'x');
    while (std::fwrite(block.data(), block.size(), 1, file) == 1 && std::fflush(file) == 0) {
    }
    std::fclose(file);
  }
};

TEST_F(PodFullDisk, ThePodGoesOnWhenThereIsRoomAgain) {
  TestPod pod(pods_root(), new_name());
  pod.add("a", "exec sleep 60").restart = RestartPolicy::kAlways;
  pod.add("b", "exec sleep 60").restart = RestartPolicy::kAlways;
  pod.launch();
  const auto b = pod.container("b").process;
  const OpenFiles held(pods_root());  // or the room of what is removed would do for the next one
  fill();
  ::kill(pod.container("a").process.pid, SIGKILL);
  EXPECT_TRUE(pod.becomes([](const PodStatus& status) {
    const auto& waiting = status.find("a")->state.waiting;
    return waiting && waiting->reason == WaitingReason::kCreateContainerError &&
           waiting->message.find("No space left on device") != std::string::npos;
  }));
  EXPECT_EQ(pod.container("b").process, b);
  ASSERT_EQ(::unlink(filler().c_str()), 0);
  EXPECT_TRUE(pod.becomes([](const PodStatus& status) {
    return status.find("a")->restart_count == 1 && status.find("a")->state.running;
  }));
  // A shim that adopts the pod finds the new process.
  const auto process = pod.container("a").process;
  pod.kill_shim();
  ASSERT_OK(pod.shim({"--adopt"}));
  EXPECT_EQ(pod.container("a").process, process);
  for (const std::string& line : lines(pod.events()))
    EXPECT_TRUE(line.starts_with("{") && line.ends_with("}")) << line;
}

TEST_F(PodFullDisk, AStateThatCannotBeWrittenIsWrittenLaterThoughNothingHappens) {
  TestPod pod(pods_root(), new_name());
  pod.add("a", "exec sleep 60").restart = RestartPolicy::kAlways;
  pod.launch();
  const std::string before = read_file(pod.layout().state_json());
  const std::string obstacle = pod.layout().state_json() + ".new";
  make_directories(obstacle);
  ::kill(pod.container("a").process.pid, SIGKILL);
  EXPECT_TRUE(pod.becomes([](const PodStatus& status) {
    return status.find("a")->restart_count == 1 && status.find("a")->state.running;
  }));
  EXPECT_EQ(read_file(pod.layout().state_json()), before) << "the old one is there as a whole";
  EXPECT_SAYS(pod.events(), "write the pod's state");
  ASSERT_EQ(::rmdir(obstacle.c_str()), 0);
  EXPECT_TRUE(eventually([&] {
    return read_file(pod.layout().state_json()).find(R"("restartCount":1)") != std::string::npos;
  }));
}

}  // namespace
}  // namespace harness
