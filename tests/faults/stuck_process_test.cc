// Processes that the kernel does not let die: they wait for a device or a file system that does not
// answer, in state D. A FUSE file system of the test is one: a request that its server has read and
// does not answer holds whoever asked, also after SIGKILL, until the server goes.
#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class SilentFileSystem {
 public:
  explicit SilentFileSystem(const std::string& path) : path_(path) {
    make_directories(path);
    fd_ = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fd_ < 0) return;
    const std::string options =
        "rootmode=40000,user_id=0,group_id=0,allow_other,fd=" + std::to_string(fd_);
    mounted_ = ::mount("silent", path.c_str(), "fuse", 0, options.c_str()) == 0;
    if (mounted_) server_ = std::thread([this] { serve(); });
  }
  ~SilentFileSystem() { go(); }
  bool works() const { return mounted_; }
  // How many wait for a name to be looked up.
  int waiting() const { return waiting_; }
  // Whoever waits gets an error.
  void go() {
    if (!mounted_) return;
    ::umount2(path_.c_str(), MNT_FORCE | MNT_DETACH);  // which also ends the server's read
    server_.join();
    ::close(fd_);
    mounted_ = false;
  }

 private:
  template <typename T>
  void answer(uint64_t unique, const T& body) const {
    char room[sizeof(fuse_out_header) + sizeof(T)];
    const fuse_out_header header{sizeof room, 0, unique};
    std::memcpy(room, &header, sizeof header);
    std::memcpy(room + sizeof header, &body, sizeof body);
    (void)!::write(fd_, room, sizeof room);
  }
  void serve() {
    alignas(8) static char room[1 << 16];
    for (ssize_t got; (got = ::read(fd_, room, sizeof room)) > 0 || errno == EINTR;) {
      fuse_in_header request{};
      std::memcpy(&request, room, sizeof request);
      if (request.opcode == FUSE_INIT) {
        fuse_init_out body{};
        body.major = FUSE_KERNEL_VERSION;
        body.minor = 31;
        body.max_write = 4096;
        body.flags = FUSE_PARALLEL_DIROPS;
        answer(request.unique, body);
      } else if (request.opcode == FUSE_GETATTR) {
        fuse_attr_out body{};
        body.attr_valid = 1000;
        body.attr.ino = 1;
        body.attr.mode = S_IFDIR | 0755;
        body.attr.nlink = 2;
        answer(request.unique, body);
      } else if (request.opcode == FUSE_LOOKUP) {
        ++waiting_;
      } else if (request.opcode != FUSE_FORGET && request.opcode != FUSE_INTERRUPT) {
        const fuse_out_header none{sizeof none, -ENOSYS, request.unique};
        (void)!::write(fd_, &none, sizeof none);
      }
    }
  }

  std::string path_;
  int fd_ = -1;
  bool mounted_ = false;
  std::atomic<int> waiting_{0};
  std::thread server_;
};

class StuckProcess : public ContainerTest {};

// All at once, since each of them waits for ten seconds.
TEST_F(StuckProcess, IsNamedByWhoeverWaitsForItAndGoesWhenItMay) {
  Container init(runtime, bundle), child(runtime, bundle), paused(runtime, bundle);
  SilentFileSystem silent(scratch() + "/silent");
  if (!silent.works()) GTEST_SKIP() << "this machine has no FUSE";
  bundle.mount("/silent", "bind", scratch() + "/silent", {"bind"});
  bundle.shell("exec cat /silent/init");
  init.launch();
  bundle.shell("cat /silent/child & echo $!; exec sleep 100");
  child.launch();
  bundle.shell("cat /silent/paused & exec sleep 100");
  paused.launch();
  ASSERT_TRUE(eventually([&] { return silent.waiting() == 3; }));

  EXPECT_EQ("running", init.status());
  EXPECT_OK(child.exec({"true"}));
  EXPECT_OK(init.kill("KILL"));
  const std::string pid = std::to_string(init.pid());
  Process pause(runtime.command({"pause", paused.id()}));
  Process of_init(runtime.command({"delete", "--force", init.id()}));
  Process of_child(runtime.command({"delete", "--force", child.id()}));
  EXPECT_FAILS(of_init.wait(), 1,
               "process " + pid + " is still there 10 seconds after SIGKILL: process " + pid +
                   " waits for a device or a file system (state D)");
  EXPECT_FAILS(of_child.wait(), 1, " waits for a device or a file system (state D)");
  EXPECT_FAILS(pause.wait(), 1, "not all processes stopped");
  EXPECT_EQ("running", paused.status());
  EXPECT_EQ("running", init.status());

  silent.go();
  for (const Container* each : {&init, &child, &paused}) {
    EXPECT_OK(each->remove({"--force"}));
    EXPECT_EQ("", each->status());
  }
}

}  // namespace
}  // namespace harness
