// A fixture for tests of what cgroups do to processes. Needs root and a writable hierarchy; makes
// cgroups below /ocirt-test-PID only. The layout is that of the mount namespace the tests run in,
// so that they are run once as the host is and once with cgroup2 mounted at /sys/fs/cgroup.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::cgroup {

#define ASSERT_DONE(expr)                                 \
  do {                                                    \
    auto done_ = (expr);                                  \
    ASSERT_TRUE(done_.has_value()) << done_.error().text; \
  } while (false)

// Counters that child and test share.
struct Shared {
  std::atomic<uint64_t> count;
  std::atomic<int> value;
};

class CgroupRoot : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    auto host = probe_host();
    if (!host) GTEST_SKIP() << host.error().text;
    host_ = *host;
    top_ = cat("/ocirt-test-", getpid());
    for (const Hierarchy& hierarchy : host_.hierarchies) {
      if (access(hierarchy.mount_point.c_str(), W_OK) != 0) {
        GTEST_SKIP() << hierarchy.mount_point << " is not writable";
      }
    }
    shared_ = static_cast<Shared*>(
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    location_ = at("c1");
  }

  void TearDown() override {
    if (top_.empty()) return;
    // Whatever a test left, the deepest first; remove() takes the children along.
    if (auto top = locate(host_, top_, "x")) (void)remove(*top);
    for (pid_t pid : children_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
    for (const Hierarchy& hierarchy : host_.hierarchies) {
      EXPECT_FALSE(sys::exists(sys::kCwd, join(hierarchy.mount_point, top_)));
    }
    if (shared_ != nullptr) munmap(shared_, sizeof(Shared));
  }

  Location at(std::string_view name) {
    auto location = locate(host_, cat(top_, '/', name), "x");
    EXPECT_TRUE(location);
    return *location;
  }
  bool unified() const { return host_.layout == Layout::unified; }

  // The path of a control file: of the controller's v1 directory, or of the v2 one.
  std::string file(std::string_view controller, std::string_view name) {
    const Directory* directory = v1_directory(location_, controller);
    if (directory == nullptr) directory = v2_directory(location_);
    return join(directory->path, name);
  }
  std::string read(std::string_view controller, std::string_view name) {
    auto text = sys::read_control(sys::kCwd, file(controller, name));
    return text ? std::string(trim(*text)) : text.error().text;
  }

  // Makes a cgroup as a container does inside of its own: on v2 make() would have the container's
  // cgroup hand down controllers, which one that holds processes must not.
  void make_inside(const Location& location) {
    if (unified()) {
      ASSERT_DONE(sys::mkdir_parents(location.directories[0].path, 0755));
    } else {
      make(location)->commit();
    }
  }

  // A child that has entered the location and runs `body`, whose result is its exit status.
  pid_t start(const Location& location, auto body) {
    int ready[2];
    EXPECT_EQ(pipe2(ready, O_CLOEXEC), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      die_with_parent();
      for (const Directory& directory : location.directories) {
        if (!sys::write_control(sys::kCwd, join(directory.path, "cgroup.procs"), "0")) _exit(120);
      }
      if (write(ready[1], "x", 1) != 1) _exit(121);
      _exit(body());
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1) << "the child could not enter its cgroup";
    ::close(ready[0]);
    children_.push_back(pid);
    return pid;
  }
  pid_t start(auto body) { return start(location_, body); }
  pid_t start_sleeper(const Location& location) {
    return start(location, [] {
      for (;;) pause();
      return 0;
    });
  }
  pid_t start_counter() {
    return start([this] {
      for (;;) ++shared_->count;
      return 0;
    });
  }

  int wait(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    std::erase(children_, pid);
    return status;
  }
  // Whether the counter moves within a while.
  bool counts() {
    const uint64_t before = shared_->count;
    for (int i = 0; i < 200; ++i) {
      if (shared_->count != before) return true;
      usleep(1000);
    }
    return false;
  }

  static void die_with_parent() { ::prctl(PR_SET_PDEATHSIG, SIGKILL); }

  Host host_;
  Location location_;
  std::string top_;
  Shared* shared_ = nullptr;
  std::vector<pid_t> children_;
};

}  // namespace ocirt::cgroup
