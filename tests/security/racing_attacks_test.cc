// Attacks that were published, or follow from those that were, by a process that moves the ground
// under what the runtime does in the container: it has a directory of the container as a volume.
// And callers, hooks and peers that do not do what they should. docs/security.md has the table.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/base/text.h"
#include "tests/security/swapper.h"
#include "tests/support/fixture.h"
#include "tests/support/terminal.h"

namespace harness {
namespace {

using ocirt::cat;

class RacingAttack : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    make_directories(volume());
    make_directories(victim());
    write_file(victim() + "/of-the-host", "secret\n");
  }
  std::string volume() const { return scratch() + "/volume"; }
  std::string victim() const { return scratch() + "/host"; }
  // A link in the volume that leads there, from wherever it is followed.
  void link_to_victim(const std::string& name, const std::string& more = "") {
    const std::string target = cat("../../../../../../../..", victim(), more);
    ASSERT_EQ(0, ::symlink(target.c_str(), cat(volume(), "/", name).c_str()));
  }
  void expect_untouched_host() {
    EXPECT_EQ(Args{"of-the-host"}, names_in(victim()));
    EXPECT_EQ("secret\n", read_file(victim() + "/of-the-host"));
  }
};

// CVE-2025-31133 and CVE-2023-28642 by a race.
TEST_F(RacingAttack, OnMaskedAndReadOnlyPathsShowsAndCoversNothingOfTheHost) {
  for (const char* name : {"masked", "fixed"}) make_directories(cat(volume(), "/", name));
  link_to_victim("masked-link");
  link_to_victim("fixed-link");
  bundle.mount("/volume", "bind", volume(), {"bind"});
  bundle.set("linux.maskedPaths", R"(["/volume/masked"])")
      .set("linux.readonlyPaths", R"(["/volume/fixed"])")
      .shell("cat /volume/*/of-the-host 2>/dev/null; echo x > /volume/fixed/written; true");
  const Swapper one(volume() + "/masked", volume() + "/masked-link");
  const Swapper two(volume() + "/fixed", volume() + "/fixed-link");
  int ran = 0;
  for (int i = 0; i < 12; ++i) {
    const Outcome outcome = Container(runtime, bundle).run();
    EXPECT_EQ("", outcome.out);
    ran += outcome.ok();
    expect_untouched_host();
  }
  EXPECT_GT(ran, 0) << "no container ever started: this test tests nothing";
}

// CVE-2025-52565 by a race: /dev is the attacker's, and its console and pts are swapped for links.
TEST_F(RacingAttack, OnTheConsoleAndThePtsOfADeviceDirectoryReachesNothingOfTheHost) {
  make_directories(volume() + "/pts");
  write_file(volume() + "/console", "");
  link_to_victim("pts-link");
  link_to_victim("console-link", "/of-the-host");
  bundle.without_mount("/dev/pts").without_mount("/dev/shm").without_mount("/dev/mqueue");
  bundle.without_mount("/dev").mount("/dev", "bind", volume(), {"bind"});
  bundle.mount("/dev/pts", "devpts", "devpts", {"newinstance", "ptmxmode=0666", "mode=0620"});
  bundle.set("process.terminal", "true").shell("echo written > /dev/console; true");
  const Swapper one(volume() + "/pts", volume() + "/pts-link");
  const Swapper two(volume() + "/console", volume() + "/console-link");
  int made = 0;
  for (int i = 0; i < 12; ++i) {
    ConsoleSocket socket(cat(scratch(), "/console-socket-", i));
    Container container(runtime, bundle);
    if (container.create({"--console-socket", socket.path()}).ok()) {
      Terminal terminal(socket.receive());
      (void)container.start();
      container.wait_for_exit();
      ++made;
    }
    expect_untouched_host();
  }
  EXPECT_GT(made, 0) << "no container was ever made: this test tests nothing";
}

// CVE-2024-21626 and CVE-2026-55686 by a race: where the program begins, and what is made for it.
TEST_F(RacingAttack, OnTheWorkingDirectoryLeadsNowhereOnTheHost) {
  make_directories(volume() + "/cwd");
  link_to_victim("cwd-link");
  bundle.mount("/volume", "bind", volume(), {"bind"});
  bundle.set("process.cwd", "\"/volume/cwd\"").shell("cat of-the-host; exec sleep 100");
  const Swapper swapper(volume() + "/cwd", volume() + "/cwd-link");
  int ran = 0;
  // Whether a try comes to its program is chance.
  for (int i = 0; i < 6 || (ran == 0 && i < 100); ++i) {
    Container container(runtime, bundle);
    if (!container.create().ok() || !container.start().ok()) continue;
    for (const char* place : {"/volume/cwd", "/volume/cwd/new/er"}) {
      const Outcome outcome = container.exec_shell("pwd; cat of-the-host", {"--cwd", place});
      EXPECT_EQ(std::string::npos, outcome.out.find("secret")) << outcome;
      ran += says(outcome.out, "/volume/");
    }
    EXPECT_EQ(std::string::npos, container.output().find("secret"));
    expect_untouched_host();
  }
  EXPECT_GT(ran, 0) << "no program ever started: this test tests nothing";
}

// CVE-2019-19921 by a race: two containers have one root, and one of them swaps /proc for a link.
TEST_F(RacingAttack, OnProcOfARootThatTwoContainersShareGainsNothing) {
  const std::string target = cat("../../../../../../../..", victim());
  ASSERT_EQ(0, ::symlink(target.c_str(), bundle.rootfs("/proc-link").c_str()));
  make_directories(bundle.rootfs("/proc"));
  bundle.shell("cat /proc/of-the-host; read id < /proc/self/stat && echo ran");
  const Swapper swapper(bundle.rootfs("/proc"), bundle.rootfs("/proc-link"));
  int ran = 0, refused = 0;
  for (int i = 0; i < 30 || (ran * refused == 0 && i < 200); ++i) {
    const Outcome outcome = Container(runtime, bundle).run();
    EXPECT_EQ(std::string::npos, outcome.out.find("secret")) << outcome;
    (outcome.out == "ran\n" ? ran : refused) += 1;
    expect_untouched_host();
  }
  EXPECT_GT(ran, 0) << "no container ever started: this test tests nothing";
  EXPECT_EQ(std::string::npos, read_file("/proc/self/mountinfo").find(victim()));
}

// CVE-2019-5736 by way of an interpreter, of exec too.
TEST_F(RacingAttack, ByAnInterpreterThatIsTheRuntimeRunsSomethingOfTheContainer) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  for (const char* interpreter : {"/proc/self/exe", "/proc/1/exe", "/proc/self/fd/3"}) {
    write_file(bundle.rootfs("/bin/script"), cat("#!", interpreter, "\n"), 0755);
    const Outcome outcome = container.exec({"/bin/script", "--version"});
    EXPECT_EQ(std::string::npos, outcome.out.find("spec:")) << "it ran the runtime" << outcome;
  }
}

// ---- peers that do not do what they should

class UnwillingPeer : public ContainerTest {
 protected:
  // A listening socket in the scratch directory.
  int listener(const std::string& path) {
    const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(0, ::bind(made, reinterpret_cast<sockaddr*>(&address), sizeof address));
    EXPECT_EQ(0, ::listen(made, 1));
    return made;
  }
};

TEST_F(UnwillingPeer, AtTheConsoleSocketIsAnErrorAndNothingIsLeft) {
  bundle.set("process.terminal", "true").shell("echo ran");
  write_file(scratch() + "/file", "untouched\n");
  ASSERT_EQ(0, ::symlink((scratch() + "/file").c_str(), (scratch() + "/link").c_str()));
  const int closed = listener(scratch() + "/closed");
  ::close(closed);
  for (const char* name : {"/file", "/link", "/closed", "/missing", ""}) {
    Container container(runtime, bundle);
    const Outcome outcome = container.create({"--console-socket", scratch() + name});
    EXPECT_FAILS(outcome, 1, "console-socket");
    EXPECT_EQ("", container.status());
  }
  EXPECT_EQ("untouched\n", read_file(scratch() + "/file"));
  // One that never accepts: what is sent waits in the socket, and nobody waits for it.
  const int silent = listener(scratch() + "/silent");
  Container container(runtime, bundle);
  EXPECT_OK(container.create({"--console-socket", scratch() + "/silent"}));
  EXPECT_OK(container.remove({"--force"}));
  ::close(silent);
}

TEST_F(UnwillingPeer, InAHookThatReadsNothingOfALargeStateDoesNotEndTheRuntime) {
  bundle.set("annotations", cat(R"({"large": ")", std::string(300'000, 'x'), "\"}"));
  for (const char* script : {"exec 0<&-; exit 0", "head -c 5 >/dev/null"}) {
    bundle.set("hooks", cat(R"({"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", ")",
                            script, R"("]}]})"));
    bundle.shell("echo ran");
    Container container(runtime, bundle);
    const Outcome outcome = container.run();
    EXPECT_OK(outcome);
    EXPECT_EQ("ran\n", outcome.out);
  }
}

}  // namespace
}  // namespace harness
