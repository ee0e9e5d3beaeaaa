// Devices that open and that do not.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "src/linux/cgroup/root_test_fixture.h"
#include "src/sys/bpf.h"

namespace ocirt::cgroup {
namespace {

// Opens and makes nodes as the container would: bits of what worked.
int try_devices(const std::string& directory) {
  int worked = 0;
  auto node = [&](const char* name, mode_t type, unsigned major, unsigned minor) {
    const std::string path = cat(directory, '/', name);
    return mknod(path.c_str(), type | 0600, makedev(major, minor)) == 0 ? path : std::string();
  };
  const std::string null = node("null", S_IFCHR, 1, 3);
  const std::string kmsg = node("kmsg", S_IFCHR, 1, 11);
  const std::string disk = node("disk", S_IFBLK, 7, 200);
  if (!null.empty() && !kmsg.empty() && !disk.empty()) worked |= 1;
  if (open(null.c_str(), O_RDWR) >= 0) worked |= 2;
  if (open(kmsg.c_str(), O_RDONLY) >= 0 || errno != EPERM) worked |= 4;
  if (open(kmsg.c_str(), O_WRONLY) >= 0 || errno != EPERM) worked |= 8;
  if (open(disk.c_str(), O_RDONLY) >= 0 || errno != EPERM) worked |= 16;
  for (const std::string& path : {null, kmsg, disk}) unlink(path.c_str());
  return worked;
}

class CgroupDevices : public CgroupRoot {
 protected:
  int result_of(std::vector<oci::DeviceCgroup> rules) {
    char directory[] = "/tmp/ocirt-test-XXXXXX";
    EXPECT_NE(mkdtemp(directory), nullptr);
    oci::Resources resources;
    resources.devices = std::move(rules);
    Result<> done = apply(location_, resources, false);
    EXPECT_TRUE(done) << done.error().text;
    const int status = wait(start([&] { return try_devices(directory); }));
    rmdir(directory);
    return WEXITSTATUS(status);
  }
  size_t programs() {
    auto fd = sys::open(sys::kCwd, v2_directory(location_)->path, O_RDONLY | O_DIRECTORY);
    return sys::bpf_device_programs(*fd)->size();
  }
};

TEST_F(CgroupDevices, RulesDecideWhatOpens) {
  make(location_)->commit();
  EXPECT_EQ(result_of({}), 3);
  EXPECT_EQ(result_of({{false, {}, {}, {}, "rwm"}}), 3);
  EXPECT_EQ(result_of({{false, {}, {}, {}, "rwm"}, {true, "c", 1, 11, "r"}}), 7);
  EXPECT_EQ(result_of({{false, {}, {}, {}, "rwm"}, {true, "b", 7, {}, "rw"}}), 19);
  EXPECT_EQ(result_of({{true, "a", {}, {}, "rwm"}, {false, "c", 1, 11, "w"}}), 23);
  // Rules before one that settles its type: the verifier takes no code that cannot be reached.
  EXPECT_EQ(result_of({{true, "c", 1, 11, "r"}, {true, "c", {}, {}, "rwm"}}), 15);
  EXPECT_EQ(result_of({{true, "a", {}, {}, "rwm"}}), 31);
  if (unified()) {
    EXPECT_EQ(programs(), 1u) << "each set of rules takes the place of the one before";
  }
}

TEST_F(CgroupDevices, AllowingAllAttachesNothing) {
  if (!unified()) GTEST_SKIP() << "v1";
  make(location_)->commit();
  EXPECT_EQ(result_of({{true, "a", {}, {}, "rwm"}}), 31);
  EXPECT_EQ(programs(), 0u);
}

TEST_F(CgroupDevices, UpdateLeavesRulesAlone) {
  make(location_)->commit();
  EXPECT_EQ(result_of({{false, {}, {}, {}, "rwm"}}), 3);
  oci::Resources all;
  all.devices.push_back({true, "a", {}, {}, "rwm"});
  ASSERT_DONE(apply(location_, all, true));
  EXPECT_EQ(WEXITSTATUS(wait(start([] { return try_devices("/tmp"); }))) & 16, 0);
}

}  // namespace
}  // namespace ocirt::cgroup
