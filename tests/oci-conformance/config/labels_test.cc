// config.md, `apparmorProfile` and `selinuxLabel`, config-linux.md, "Mount Label": in force where
// the host has the module, refused before anything is made where it has not.
#include "tests/support/fixture.h"

namespace harness {
namespace {

constexpr const char* kProfile = "ocirt-test-box";

// A profile that takes nothing away, loaded for one test.
class LoadedProfile {
 public:
  explicit LoadedProfile(const std::string& directory) : file_(directory + "/profile") {
    write_file(file_, std::string("profile ") + kProfile +
                          " flags=(attach_disconnected,mediate_deleted) {\n  file,\n  network,\n  "
                          "capability,\n  signal,\n  mount,\n  umount,\n  ptrace,\n}\n");
    outcome = run_command({.argv = {"apparmor_parser", "-r", "-K", file_}});
  }
  LoadedProfile(const LoadedProfile&) = delete;
  LoadedProfile& operator=(const LoadedProfile&) = delete;
  ~LoadedProfile() { run_command({.argv = {"apparmor_parser", "-R", file_}}); }

  Outcome outcome;

 private:
  std::string file_;
};

class Labels : public ContainerTest {
 protected:
  bool has(const char* module) { return features()["linux"][module]["enabled"].is_true(); }
  static constexpr const char* kLook = "cat /proc/self/attr/current";
};

TEST_F(Labels, WithoutAppArmorAProfileIsRefusedBeforeAnythingIsMade) {
  if (has("apparmor")) GTEST_SKIP() << "this host has AppArmor";
  Container container(runtime, bundle);
  bundle.shell("exec sleep 1000").set("process.apparmorProfile", R"("box")");
  EXPECT_FAILS(container.create(), 1, "not supported: process.apparmorProfile: \"box\"");
  EXPECT_EQ("", container.status());
  bundle.set("process.apparmorProfile", R"("unconfined")");
  EXPECT_OK(container.create());
  EXPECT_OK(container.start());
  EXPECT_FAILS(container.exec({"true"}, {"--apparmor", "box"}), 255,
               "not supported: process.apparmorProfile: \"box\"");
}

TEST_F(Labels, WithoutSelinuxALabelIsRefusedBeforeAnythingIsMade) {
  if (has("selinux")) GTEST_SKIP() << "this host has SELinux";
  Container container(runtime, bundle);
  bundle.shell("exec sleep 1000").set("process.selinuxLabel", R"("u:r:t:s0")");
  EXPECT_FAILS(container.create(), 1, "not supported: process.selinuxLabel: \"u:r:t:s0\"");
  bundle.remove("process.selinuxLabel").set("linux.mountLabel", R"("u:r:t:s0")");
  EXPECT_FAILS(container.create(), 1, "not supported: linux.mountLabel: \"u:r:t:s0\"");
  bundle.set("linux.mountLabel", R"("")");
  EXPECT_OK(container.create());
  EXPECT_OK(container.start());
  EXPECT_FAILS(container.exec({"true"}, {"--process-label", "u:r:t:s0"}), 255,
               "not supported: process.selinuxLabel: \"u:r:t:s0\"");
}

TEST_F(Labels, TheProgramRunsUnderItsAppArmorProfileAndSoDoesExec) {
  SPEC("config.md#linux-process", "apparmorProfile specifies the name of the AppArmor profile.");
  if (!has("apparmor")) GTEST_SKIP() << "this host has no AppArmor";
  LoadedProfile profile(scratch());
  if (!profile.outcome.ok()) GTEST_SKIP() << "no profile can be loaded: " << profile.outcome.err;
  const std::string confined = std::string(kProfile) + " (enforce)\n";
  bundle.set("process.apparmorProfile", std::string("\"") + kProfile + "\"");
  bundle.set("process.noNewPrivileges", "false");
  EXPECT_EQ(confined, run_shell(kLook));
  bundle.shell("exec sleep 1000");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ(confined, container.exec_shell(kLook).out) << "as the container has it";
  EXPECT_EQ("unconfined\n", container.exec_shell(kLook, {"--apparmor", "unconfined"}).out);
  bundle.remove("process.apparmorProfile");
  Container free(runtime, bundle);
  free.launch();
  EXPECT_EQ("unconfined\n", free.exec_shell(kLook).out);
  EXPECT_EQ(confined, free.exec_shell(kLook, {"--apparmor", kProfile}).out);
}

TEST_F(Labels, AProfileThatIsNotLoadedIsAnErrorThatEnginesRecognise) {
  if (!has("apparmor")) GTEST_SKIP() << "this host has no AppArmor";
  bundle.set("process.apparmorProfile", R"("ocirt-test-unknown")");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "attr/apparmor/exec`");
}

}  // namespace
}  // namespace harness
