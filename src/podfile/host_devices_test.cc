#include "src/podfile/host_devices.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace ocirt::podfile {
namespace {

const oci::Device* find(const std::vector<oci::Device>& devices, std::string_view path) {
  const auto found = std::ranges::find(devices, path, &oci::Device::path);
  return found == devices.end() ? nullptr : &*found;
}

TEST(HostDevices, AreWhatIsInDev) {
  const Result<std::vector<oci::Device>> devices = host_devices();
  ASSERT_TRUE(devices) << devices.error().text;
  const oci::Device* null = find(*devices, "/dev/null");
  ASSERT_NE(null, nullptr);
  EXPECT_EQ(null->type, oci::DeviceType::kCharacter);
  EXPECT_EQ(null->major, 1);
  EXPECT_EQ(null->minor, 3);
  EXPECT_EQ(null->file_mode, 0666u);
  // What a container has of its own, and what is no device.
  for (const char* path : {"/dev/console", "/dev/ptmx", "/dev/pts/ptmx", "/dev/stdin", "/dev"})
    EXPECT_EQ(find(*devices, path), nullptr) << path;
}

// As udev makes and removes them.
TEST(HostDevices, MayGoWhileTheyAreLookedAt) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const pid_t looker = fork();
  ASSERT_GE(looker, 0);
  if (looker == 0) {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0 ||
        mount("devices", "/dev", "tmpfs", 0, nullptr) != 0)
      _exit(2);
    const pid_t remover = fork();
    if (remover == 0) {
      for (;;) {
        mkdir("/dev/bus", 0755);
        mknod("/dev/bus/1", S_IFCHR | 0600, makedev(1, 3));
        unlink("/dev/bus/1");
        rmdir("/dev/bus");
      }
    }
    bool all = true;
    for (int i = 0; i < 3000 && all; ++i) all = host_devices().has_value();
    kill(remover, SIGKILL);
    waitpid(remover, nullptr, 0);
    _exit(all ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(looker, &status, 0), looker);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

}  // namespace
}  // namespace ocirt::podfile
