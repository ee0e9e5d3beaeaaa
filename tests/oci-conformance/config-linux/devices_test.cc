// config-linux.md, "Devices", "Default Devices" and "Dev symbolic links", and the device rules of
// control groups: nodes are stated and then used, because a node alone proves no access.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class Devices : public ContainerTest {};

TEST_F(Devices, TheDefaultOnesExistForEverybody) {
  SPEC("config-linux.md#default-devices",
       "In addition to any devices configured with this setting, the runtime MUST also supply the "
       "default devices.");
  EXPECT_EQ(
      "/dev/null c 1:3 666\n/dev/zero c 1:5 666\n/dev/full c 1:7 666\n"
      "/dev/random c 1:8 666\n/dev/urandom c 1:9 666\n/dev/tty c 5:0 666\n",
      run_shell("for d in null zero full random urandom tty; do test -c /dev/$d && "
                "stat -c '%n c %t:%T %a' /dev/$d; done"));
}

TEST_F(Devices, TheDefaultOnesWork) {
  EXPECT_EQ("4\nno space\n4\n0\n",
            run_shell("head -c 4 /dev/zero | wc -c; (echo x > /dev/full) 2>/dev/null || echo no "
                      "space; head -c 4 /dev/urandom | wc -c; wc -c < /dev/null"));
}

TEST_F(Devices, TheStandardLinksExist) {
  SPEC("config-linux.md#dev-symbolic-links",
       "While creating the container, runtimes MUST create the following symlinks.");
  EXPECT_EQ("/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n",
            run_shell("for l in fd stdin stdout stderr; do readlink /dev/$l; done"));
}

TEST_F(Devices, PtmxIsTheOneOfThisDevptsInstance) {
  SPEC("config-linux.md#default-devices",
       "/dev/ptmx: a bind-mount or symlink of the container's /dev/pts/ptmx.");
  EXPECT_EQ("5:2\n5:2\n", run_shell("stat -L -c %t:%T /dev/ptmx /dev/pts/ptmx"));
  EXPECT_EQ("opened\n", run_shell("exec 3<>/dev/ptmx && echo opened"));
}

TEST_F(Devices, ThereIsNoConsoleWithoutATerminal) {
  EXPECT_EQ("none\n", run_shell("test -c /dev/console || echo none"));
}

TEST_F(Devices, TheOnesGivenAreMadeWithModeAndOwner) {
  SPEC("config-linux.md#devices", "devices lists devices that MUST be available in the container.");
  bundle.set("linux.devices", R"([
    {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 384,
     "uid": 12, "gid": 34},
    {"path": "/dev/deep/loop", "type": "b", "major": 7, "minor": 77, "fileMode": 432},
    {"path": "/dev/unbuffered", "type": "u", "major": 1, "minor": 3, "fileMode": 438},
    {"path": "/dev/pipe", "type": "p", "fileMode": 416}])");
  EXPECT_EQ("a:e5 600 12 34\n7:4d 660 0 0\n1:3 666 0 0\nblock\nfifo 640\n",
            run_shell("cd /dev; stat -c '%t:%T %a %u %g' fuse deep/loop unbuffered;"
                      "test -b deep/loop && echo block; test -p pipe && stat -c 'fifo %a' pipe"));
}

// st_mode, and what os.FileMode of Go has for a character device.
TEST_F(Devices, OfAWholeModeThePermissionsCount) {
  bundle.set("linux.devices", R"([
    {"path": "/dev/c", "type": "c", "major": 1, "minor": 3, "fileMode": 8630},
    {"path": "/dev/go", "type": "c", "major": 1, "minor": 3, "fileMode": 69206454}])");
  EXPECT_EQ("666\n666\n", run_shell("stat -c %a /dev/c /dev/go"));
}

TEST_F(Devices, TheModeIsExactWhateverTheUmask) {
  bundle.set("linux.devices", R"([
    {"path": "/dev/wide", "type": "c", "major": 1, "minor": 3, "fileMode": 511}])");
  EXPECT_EQ("777\n", run_shell("stat -c %a /dev/wide"));
}

TEST_F(Devices, OneThatRepeatsADefaultReplacesIt) {
  bundle.set("linux.devices", R"([
    {"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 438, "uid": 7}])");
  bundle.set("linux.resources.devices", R"([{"allow": true, "access": "rwm"}])");
  EXPECT_EQ("1:3 7\n", run_shell("stat -c '%t:%T %u' /dev/null"));
}

TEST_F(Devices, AreNotMadeThroughALinkOfTheRootfs) {
  // Without a mount at /dev the nodes go into the image, whose links must not lead out.
  bundle.set("mounts", R"([{"destination": "/proc", "type": "proc", "source": "proc"}])");
  const std::string victim = scratch() + "/victim";
  make_directories(victim);
  ASSERT_EQ(0, rmdir(bundle.rootfs("/dev").c_str()));
  ASSERT_EQ(0, symlink(victim.c_str(), bundle.rootfs("/dev").c_str()));
  Container container(runtime, bundle);
  container.run();
  EXPECT_TRUE(names_in(victim).empty());
}

TEST_F(Devices, MayBeAnywhereInTheRootfs) {
  SPEC("config-linux.md#devices",
       "The path MAY be anywhere in the container filesystem, notably outside of /dev.");
  bundle.set("linux.devices", R"([
    {"path": "/srv/deep/zero", "type": "c", "major": 1, "minor": 5, "fileMode": 438}])");
  EXPECT_EQ("1:5\n4\n",
            run_shell("stat -c %t:%T /srv/deep/zero; head -c 4 /srv/deep/zero | wc -c"));
}

TEST_F(Devices, ThatFindSomethingElseInTheirPlaceAreErrors) {
  SPEC(
      "config-linux.md#devices",
      "If a file already exists at path that does not match the requested device, the runtime MUST "
      "generate an error.");
  bundle.file("/srv/file", "text").directory("/srv/directory");
  ASSERT_EQ(0, mknod(bundle.rootfs("/srv/node").c_str(), S_IFCHR | 0600, makedev(1, 3)));
  ASSERT_EQ(0, mknod(bundle.rootfs("/srv/fifo").c_str(), S_IFIFO | 0600, 0));
  ASSERT_EQ(0, symlink("node", bundle.rootfs("/srv/link").c_str()));
  for (const char* name : {"file", "directory", "node", "fifo", "link"}) {
    bundle.set("linux.devices", std::string(R"([{"path": "/srv/)") + name +
                                    R"(", "type": "c", "major": 1, "minor": 5}])");
    Container container(runtime, bundle);
    EXPECT_FAILS(container.create(), 1, std::string("/srv/") + name);
  }
  EXPECT_EQ("text", read_file(bundle.rootfs("/srv/file")));
}

TEST_F(Devices, ThatAreThereAlreadyAreGivenTheirModeAndOwner) {
  ASSERT_EQ(0, mknod(bundle.rootfs("/zero").c_str(), S_IFCHR | 0600, makedev(1, 5)));
  bundle.set("linux.devices", R"([
    {"path": "/zero", "type": "c", "major": 1, "minor": 5, "fileMode": 420, "uid": 12, "gid": 34}])");
  EXPECT_EQ("1:5 644 12 34\n", run_shell("stat -c '%t:%T %a %u %g' /zero"));
}

class DeviceRules : public ContainerTest {
 protected:
  // Neither is in the default list. Whether there are drivers does not matter: a rule refuses with
  // EPERM before a driver is looked for.
  DeviceRules() {
    bundle.set("linux.devices", R"([
      {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438},
      {"path": "/dev/vcs", "type": "c", "major": 7, "minor": 0, "fileMode": 438}])");
  }
  // "no" when opening the device in this way is refused by a rule.
  static std::string try_open(const char* how, const char* path) {
    return std::string("(exec 3") + how + path +
           ") 2>&1 | grep -q 'Operation not permitted' && echo no || echo yes;";
  }
};

TEST_F(DeviceRules, DenyWhatTheyDeny) {
  SPEC("config-linux.md#allowed-device-list",
       "devices configures the allowed device list. The runtime MUST apply entries in the listed "
       "order.");
  bundle.set("linux.resources.devices", R"([{"allow": false, "access": "rwm"}])");
  EXPECT_EQ("no\nyes\nyes\n", run_shell(try_open("<", "/dev/fuse") + try_open("<", "/dev/null") +
                                        try_open("<", "/dev/urandom")));
}

TEST_F(DeviceRules, AllowWhatTheyAllow) {
  bundle.set("linux.resources.devices", R"([
    {"allow": false, "access": "rwm"},
    {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "r"}])");
  EXPECT_EQ("yes\nno\n", run_shell(try_open("<", "/dev/fuse") + try_open(">", "/dev/fuse")));
}

TEST_F(DeviceRules, ApplyInTheListedOrder) {
  bundle.set("linux.resources.devices", R"([
    {"allow": false, "access": "rwm"},
    {"allow": true, "type": "c", "major": 10, "access": "rwm"},
    {"allow": false, "type": "c", "major": 10, "access": "rwm"}])");
  EXPECT_EQ("no\n", run_shell(try_open("<", "/dev/fuse")));
}

TEST_F(DeviceRules, TakeWildcards) {
  bundle.set("linux.resources.devices", R"([
    {"allow": false, "access": "rwm"},
    {"allow": true, "type": "c", "major": 10, "minor": -1, "access": "rw"}])");
  EXPECT_EQ("yes\nno\n", run_shell(try_open("<", "/dev/fuse") + try_open("<", "/dev/vcs")));
}

TEST_F(DeviceRules, AllowEverythingWhenTheySaySo) {
  bundle.set("linux.resources.devices", R"([{"allow": true, "access": "rwm"}])");
  EXPECT_EQ("yes\nyes\n", run_shell(try_open("<", "/dev/fuse") + try_open("<", "/dev/vcs")));
}

TEST_F(DeviceRules, LetNodesBeMadeButNotUsed) {
  bundle.set("linux.resources.devices", R"([{"allow": false, "access": "rwm"}])");
  EXPECT_EQ("made\nno\n",
            run_shell("mknod /tmp/k c 10 229 && echo made;" + try_open("<", "/tmp/k")));
}

TEST_F(DeviceRules, HoldForExecToo) {
  bundle.set("linux.resources.devices", R"([{"allow": false, "access": "rwm"}])");
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ("no\nyes\n",
            container.exec_shell(try_open("<", "/dev/fuse") + try_open("<", "/dev/null")).out);
}

TEST_F(DeviceRules, HoldForHooksThatRunInTheContainer) {
  bundle.set("linux.resources.devices", R"([{"allow": false, "access": "rwm"}])");
  const std::string script = "{ " + try_open("<", bundle.rootfs("/dev/fuse").c_str()) +
                             try_open("<", bundle.rootfs("/dev/null").c_str()) + " } > " +
                             bundle.rootfs("/tmp/seen");
  Json hook;
  hook.set("path", Json::string("/bin/sh"));
  hook.set("args", Json::array({"sh", "-c", script}));
  bundle.append("hooks.createContainer", hook.print());
  run_shell("true");
  EXPECT_EQ("no\nyes\n", read_file(bundle.rootfs("/tmp/seen")));
}

// They are put in force while init is at work.
TEST_F(DeviceRules, HoldForAProgramThatUsesADeviceAtOnce) {
  bundle.set("linux.resources.devices", R"([{"allow": false, "access": "rwm"}])");
  for (int i = 0; i < 20; ++i) EXPECT_EQ("no\n", run_shell(try_open("<", "/dev/fuse")));
}

TEST_F(DeviceRules, SurviveAnUpdateOfOtherResources) {
  bundle.set("linux.resources.devices", R"([{"allow": false, "access": "rwm"}])");
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  const Outcome updated = runtime.run({"update", "--resources", "-", container.id()},
                                      {.input = R"({"pids": {"limit": 50}})"});
  EXPECT_TRUE(updated.ok() || !cgroups::has_controller("pids")) << updated;
  EXPECT_EQ("no\nyes\n",
            container.exec_shell(try_open("<", "/dev/fuse") + try_open("<", "/dev/null")).out);
}

}  // namespace
}  // namespace harness
