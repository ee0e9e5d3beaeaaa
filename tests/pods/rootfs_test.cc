// Create with mounts of the root file system: made by the shim before the container, and gone
// whatever becomes of it.
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "src/base/text.h"
#include "tests/pods/task_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;
using wire::Code;

// How many processes of this name the process has for children, ended ones included.
size_t children_of(pid_t parent, const std::string& name) {
  size_t count = 0;
  for (const std::string& entry : names_in("/proc")) {
    if (entry.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string path = "/proc/" + entry + "/stat";
    const std::string stat = exists(path) ? read_file(path) : "";
    const size_t end = stat.rfind(')');
    if (end == std::string::npos || stat.find("(" + name) == std::string::npos) continue;
    if (stat.substr(end + 4).starts_with(std::to_string(parent) + " ")) ++count;
  }
  return count;
}

class TaskRootfs : public TaskTest {
 protected:
  void SetUp() override {
    TaskTest::SetUp();
    for (const char* name : {"/upper", "/work", "/other"}) make_directories(scratch() + name);
    layer = scratch() + "/layers/base";
    make_directories(layer);
    make_rootfs(layer);
    // What is to be covered.
    remove_tree(bundle.rootfs());
    bundle.shell("echo written >/file; cat /etc/passwd | head -n 1; exec sleep 60");
  }
  ocirt::shim::RootfsMount overlay(const std::string& lower) const {
    return {"overlay",
            "overlay",
            "",
            {"lowerdir=" + lower, "upperdir=" + scratch() + "/upper",
             "workdir=" + scratch() + "/work"}};
  }
  void in_user_namespace() {
    bundle.with_namespace("user");
    for (const char* kind : {"uidMappings", "gidMappings"}) {
      bundle.set(cat("linux.", kind), R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
    }
    // Every directory on the way to the root file system lets the user through.
    for (std::string path = bundle.path(); path.size() > 4; path.resize(path.rfind('/'))) {
      struct stat info{};
      if (::stat(path.c_str(), &info) == 0) (void)::chmod(path.c_str(), info.st_mode | 0111);
    }
  }
  std::vector<std::string> mounted() { return mounted_below(bundle.rootfs()); }

  std::string layer;
};

TEST_F(TaskRootfs, OverlayIsMadeAndWrittenToAndTakenAwayByDelete) {
  Fifo out(scratch() + "/out");
  launch({.out = out.path(), .rootfs = {overlay(layer)}});
  EXPECT_SAYS(out.read_until("\n"), "root:x:0:0");
  // As containerd sees it.
  EXPECT_EQ(mounted(), std::vector<std::string>{bundle.rootfs()});
  EXPECT_TRUE(eventually([&] { return exists(scratch() + "/upper/file"); }));
  finish();
  EXPECT_EQ(mounted(), std::vector<std::string>());
  EXPECT_EQ(read_file(scratch() + "/upper/file"), "written\n");
}

TEST_F(TaskRootfs, SeveralAreMadeInOrderAndNotesForOthersAreNotOptions) {
  write_file(scratch() + "/other/note", "of the second\n");
  make_directories(layer + "/data");
  Fifo out(scratch() + "/out");
  bundle.shell("cat /data/note; echo no >/data/x; touch /no; exec sleep 60");
  launch({.out = out.path(),
          .err = out.path(),
          .rootfs = {{"bind", layer, "", {"rbind", "ro", "X-containerd.note=1", "x-note"}},
                     {"bind", scratch() + "/other", "/data", {"bind", "ro"}}}});
  const std::string said = out.read_until("/no: Read-only");
  EXPECT_SAYS(said, "of the second");
  EXPECT_SAYS(said, "/data/x: Read-only");
  EXPECT_EQ(mounted().size(), 2u);
  finish();
  EXPECT_EQ(mounted(), std::vector<std::string>());
}

// 300 layers, whose names alone are longer than the page that the kernel takes.
TEST_F(TaskRootfs, LayersMayBeMoreThanAPage) {
  std::string lower;
  for (int i = 0; i < 300; ++i) {
    const std::string one = cat(scratch(), "/layers/", i, "/fs");
    make_directories(one);
    write_file(cat(one, "/number-", i), "");
    lower += one + ":";
  }
  ASSERT_GT(lower.size(), 8000u);
  Fifo out(scratch() + "/out");
  bundle.shell("ls / | grep -c number; exec sleep 60");
  launch({.out = out.path(), .rootfs = {overlay(lower + layer)}});
  EXPECT_EQ(out.read_until("\n"), "300\n");
  finish();
  EXPECT_EQ(mounted(), std::vector<std::string>());
}

TEST_F(TaskRootfs, AMountThatFailsIsNamedAndTheOthersAreUndone) {
  const wire::Answer answer = create(
      {.rootfs = {overlay(layer), {"erofs", "/nonexistent/disk", "", {"ro", "dax=always"}}}});
  EXPECT_EQ(answer.code, Code::kUnknown);
  for (const char* part : {"rootfs[1]", "erofs", "/nonexistent/disk", "rootfs", "dax=always"})
    EXPECT_SAYS(answer.text, part);
  EXPECT_EQ(mounted(), std::vector<std::string>());
  EXPECT_EQ(status(), -1);
  EXPECT_EQ(create({.rootfs = {{"fuse3.something", "x", "/inside", {}}}}).code,
            Code::kUnimplemented);
  EXPECT_EQ(create({.rootfs = {{"bind", layer, "../../..", {"rbind"}},
                               {"bind", layer, "../../..", {"bind"}}}})
                .code,
            Code::kOk);
  // Never outside of the rootfs.
  EXPECT_EQ(mounted_below(scratch()).size(), 2u);
  finish();
  EXPECT_EQ(mounted_below(scratch()), std::vector<std::string>());
}

// As a snapshotter has it for a pod with a user namespace: the layers are as they were unpacked,
// what is written belongs to the namespace.
TEST_F(TaskRootfs, LayersBelongToTheUserNamespaceThatMapsThem) {
  in_user_namespace();
  ASSERT_EQ(::chown((scratch() + "/upper").c_str(), 100000, 100000), 0);
  write_file(layer + "/of-seven", "");
  ASSERT_EQ(::chown((layer + "/of-seven").c_str(), 7, 7), 0);
  bundle.shell("stat -c '%u:%g %n' / /bin /of-seven; echo written >/file; exec sleep 60");
  ocirt::shim::RootfsMount mount = overlay(layer + ":" + scratch() + "/other");
  mount.options.insert(mount.options.end(), {"uidmap=0:100000:65536", "gidmap=0:100000:65536"});
  Fifo out(scratch() + "/out");
  launch({.out = out.path(), .err = out.path(), .rootfs = {mount}});
  EXPECT_EQ(out.read_until("seven\n"), "0:0 /\n0:0 /bin\n7:7 /of-seven\n");
  EXPECT_TRUE(eventually([&] { return exists(scratch() + "/upper/file"); }));
  struct stat info{};
  ASSERT_EQ(::stat((scratch() + "/upper/file").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 100000u);
  EXPECT_EQ(mounted(), std::vector<std::string>{bundle.rootfs()});
  EXPECT_FALSE(exists(bundle.path() + "/layers"));
  finish();
  EXPECT_EQ(mounted(), std::vector<std::string>());
}

TEST_F(TaskRootfs, ABindBelongsToTheUserNamespaceThatMapsIt) {
  in_user_namespace();
  Fifo out(scratch() + "/out");
  bundle.shell("stat -c %u:%g /; touch /no; exec sleep 60");
  launch({.out = out.path(),
          .err = out.path(),
          .rootfs = {{"bind",
                      layer,
                      "",
                      {"rbind", "ro", "uidmap=0:100000:65536", "gidmap=0:100000:65536"}}}});
  EXPECT_SAYS(out.read_until("only"), "0:0\n");
  finish();
  EXPECT_EQ(mounted(), std::vector<std::string>());
}

TEST_F(TaskRootfs, ALayerThatCannotBeMappedIsNamedAndNothingIsLeft) {
  in_user_namespace();
  ocirt::shim::RootfsMount mount = overlay(layer + ":/proc");  // procfs shows ids as they are
  mount.options.insert(mount.options.end(), {"uidmap=0:100000:65536", "gidmap=0:100000:65536"});
  const wire::Answer answer = create({.rootfs = {mount}});
  EXPECT_EQ(answer.code, Code::kUnknown);
  EXPECT_SAYS(answer.text, "layer \"/proc\"");
  EXPECT_SAYS(answer.text, "cannot show ids otherwise than they are");
  EXPECT_EQ(mounted_below(bundle.path()), std::vector<std::string>());
  EXPECT_FALSE(exists(bundle.path() + "/layers"));
}

TEST_F(TaskRootfs, AProgramMayServeIt) {
  if (!exists("/dev/fuse")) GTEST_SKIP() << "this kernel has no FUSE";
  Fifo out(scratch() + "/out");
  ocirt::shim::RootfsMount mount = overlay(layer);
  mount.type = "fuse3.fuse-overlayfs";
  bundle.shell("stat -f -c %t /; echo written >/file; exec sleep 60");
  launch({.out = out.path(), .err = out.path(), .rootfs = {mount}});
  EXPECT_EQ(out.read_until("\n"), "65735546\n");  // FUSE_SUPER_MAGIC
  EXPECT_TRUE(eventually([&] { return exists(scratch() + "/upper/file"); }));
  auto servers = [&] { return children_of(shim(), "fuse-overlayfs"); };
  EXPECT_TRUE(eventually([&] { return servers() == 1; }));
  finish();
  EXPECT_EQ(mounted(), std::vector<std::string>());
  EXPECT_TRUE(eventually([&] { return servers() == 0; }));
}

TEST_F(TaskRootfs, AProgramThatDoesNotServeItIsNamed) {
  ocirt::shim::RootfsMount mount = overlay("/no/such/layer");
  mount.type = "fuse3.fuse-overlayfs";
  const wire::Answer answer = create({.rootfs = {mount}});
  EXPECT_EQ(answer.code, Code::kUnknown);
  EXPECT_SAYS(answer.text, "fuse3.fuse-overlayfs of \"overlay\"");
  EXPECT_SAYS(answer.text, "/no/such/layer");
  EXPECT_EQ(mounted(), std::vector<std::string>());
}

TEST_F(TaskRootfs, AFailedCreationLeavesNoMount) {
  bundle.with_namespace("network", "/no/such");
  const wire::Answer answer = create({.rootfs = {overlay(layer)}});
  EXPECT_SAYS(answer.text, "/no/such");
  EXPECT_EQ(mounted(), std::vector<std::string>());
  bundle.with_namespace("network");
  EXPECT_EQ(create({.rootfs = {overlay(layer)}, .timeout = std::chrono::microseconds(1)}).code,
            Code::kDeadlineExceeded);
  EXPECT_TRUE(eventually([&] { return status() == -1 && mounted().empty(); }));
}

TEST_F(TaskRootfs, AnImageIsMountedByALoopDevice) {
  const std::string image = scratch() + "/image";
  Command make;
  make.argv = {"mke2fs", "-q", "-t", "ext4", "-d", layer, image, "8M"};
  Outcome made;
  try {
    made = run_command(make);
  } catch (const std::exception&) {
    GTEST_SKIP() << "needs mke2fs";
  }
  if (made.code == 127) GTEST_SKIP() << "needs mke2fs";
  ASSERT_OK(made);
  Fifo out(scratch() + "/out");
  bundle.shell("head -n 1 /etc/passwd; exec sleep 60");
  const wire::Answer answer =
      create({.out = out.path(), .rootfs = {{"ext4", image, "", {"ro", "loop"}}}});
  if (answer.text.find("loop-control") != std::string::npos)
    GTEST_SKIP() << "needs loop devices: " << answer.text;
  ASSERT_EQ(answer.code, Code::kOk) << answer.text;
  ASSERT_EQ(ask("Start").code, Code::kOk);
  EXPECT_SAYS(out.read_until("\n"), "root:x:0:0");
  const Mount mount = mount_at(parse_mountinfo(read_file("/proc/self/mountinfo")), bundle.rootfs());
  EXPECT_TRUE(mount.source.starts_with("/dev/loop")) << mount.source;
  finish();
  EXPECT_EQ(mounted(), std::vector<std::string>());
  // The device has let go of the image.
  const std::string backing = cat("/sys/block/", mount.source.substr(5), "/loop/backing_file");
  EXPECT_TRUE(eventually([&] { return !exists(backing) || read_file(backing) != image + "\n"; }));
}

}  // namespace
}  // namespace harness
