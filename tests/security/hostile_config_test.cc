// What a configuration must not do to the host, whoever wrote it: the mounts, the host name, the
// network settings, the files and the descriptors of the host are as they were afterwards.
//
// Where a runtime that gets it wrong would harm the test program as well, the runtime has a
// namespace of its own, which unshare(1) makes and which is the host as far as the runtime can
// tell.
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class HostileConfiguration : public ContainerTest {
 protected:
  // `run FLAGS` of the bundle below SCRIPT: a host's shell that says "$@" where it wants the
  // runtime, in new namespaces as the flags of unshare(1) say.
  Outcome run_below(const Args& unshare, const std::string& script, const Args& flags = {}) {
    Container container(runtime, bundle);
    bundle.save(container.id());
    Args args = {"run"};
    args.insert(args.end(), flags.begin(), flags.end());
    args.insert(args.end(), {"--bundle", bundle.path(), container.id()});
    const Command inner = runtime.command(args);
    Command outer;
    outer.argv = {"unshare"};
    outer.argv.insert(outer.argv.end(), unshare.begin(), unshare.end());
    outer.argv.insert(outer.argv.end(), {"sh", "-c", script, "sh"});
    outer.argv.insert(outer.argv.end(), inner.argv.begin(), inner.argv.end());
    return run_command(outer);
  }

  std::string text_of(const std::string& name) {
    return exists(scratch() + name) ? read_file(scratch() + name) : "";
  }

  void hook(const std::string& kind, const std::string& script) {
    Json entry;
    entry.set("path", Json::string("/bin/sh"));
    entry.set("args", Json::array({"sh", "-c", script}));
    bundle.append("hooks." + kind, entry.print());
  }
};

TEST_F(HostileConfiguration, NoPropagationOfTheRootUnmountsAnythingOfTheHost) {
  // Every mount is shared, as systemd leaves it, and below one of them is another.
  const std::string tree = scratch() + "/tree", before = scratch() + "/before";
  const std::string script = "set -e; mkdir -p " + tree + "; mount -t tmpfs outer " + tree +
                             "; mkdir " + tree + "/below; mount -t tmpfs inner " + tree +
                             "/below; cat /proc/self/mountinfo > " + before +
                             "; \"$@\"; cat /proc/self/mountinfo > " + scratch() + "/after";
  bundle.shell("echo ran");
  for (const char* mode : {"", "private", "rprivate", "slave", "rslave", "shared", "rshared"}) {
    for (const bool no_pivot : {false, true}) {
      SCOPED_TRACE(std::string(mode) + (no_pivot ? " --no-pivot" : ""));
      if (*mode) bundle.set("linux.rootfsPropagation", Json::string(mode).print());
      unlink((scratch() + "/after").c_str());
      const Outcome outcome = run_below({"--mount", "--propagation", "shared"}, script,
                                        no_pivot ? Args{"--no-pivot"} : Args{});
      EXPECT_OK(outcome);
      EXPECT_EQ("ran\n", outcome.out);
      EXPECT_SAYS(text_of("/before"), " " + tree + "/below ");
      EXPECT_EQ(text_of("/before"), text_of("/after"));
    }
  }
}

TEST_F(HostileConfiguration, TheMountNamespaceOfTheRuntimeKeepsItsRoot) {
  // To join it and to pivot its root would take the host's away.
  for (const char* path : {"/proc/self/ns/mnt", "/proc/thread-self/ns/mnt"}) {
    SCOPED_TRACE(path);
    bundle.with_namespace("mount", path);
    const Outcome outcome = run_below({"--mount", "--propagation", "slave"},
                                      "cat /proc/self/mountinfo > " + scratch() +
                                          "/before; \"$@\"; code=$?; cat /proc/self/mountinfo > " +
                                          scratch() + "/after; exit $code");
    EXPECT_OK(outcome);
    EXPECT_NE("", text_of("/before"));
    EXPECT_EQ(text_of("/before"), text_of("/after"));
  }
}

TEST_F(HostileConfiguration, ANetworkSysctlDoesNotReachTheNetworkOfTheRuntime) {
  bundle.set("linux.sysctl", R"({"net.ipv4.ip_forward": "1"})");
  for (const char* path : {"/proc/self/ns/net", "/proc/thread-self/ns/net"}) {
    SCOPED_TRACE(path);
    bundle.with_namespace("network", path);
    const Outcome outcome =
        // A new namespace inherits it from the host, which may be a router.
        run_below({"--net"},
                  "echo 0 > /proc/sys/net/ipv4/ip_forward; "
                  "\"$@\"; code=$?; cat /proc/sys/net/ipv4/ip_forward; exit $code");
    EXPECT_FAILS(outcome, 1, "net.ipv4.ip_forward");
    EXPECT_EQ("0\n", outcome.out);
  }
}

TEST_F(HostileConfiguration, ANetworkSysctlIsSetInAnotherNetworkThatIsJoined) {
  // The other side of the same rule: what is not the host's own may be changed.
  bundle.shell("exec sleep 100");
  Container owner(runtime, bundle);
  owner.launch();
  bundle.with_namespace("network", "/proc/" + std::to_string(owner.pid()) + "/ns/net");
  bundle.set("linux.sysctl", R"({"net.ipv4.ip_forward": "1"})");
  EXPECT_EQ("1\n", run_shell("cat /proc/sys/net/ipv4/ip_forward"));
}

TEST_F(HostileConfiguration, AHostnameDoesNotReachTheUtsNamespaceOfTheRuntime) {
  for (const char* path : {"/proc/self/ns/uts", "/proc/thread-self/ns/uts"}) {
    SCOPED_TRACE(path);
    bundle.with_namespace("uts", path).set("hostname", R"("hostile")");
    const Outcome outcome =
        run_below({"--uts"},
                  "echo as-it-was > /proc/sys/kernel/hostname; \"$@\"; code=$?; "
                  "cat /proc/sys/kernel/hostname; exit $code");
    EXPECT_FAILS(outcome, 1, "hostname");
    EXPECT_EQ("as-it-was\n", outcome.out);
  }
}

TEST_F(HostileConfiguration, ADeviceThatIsALinkInTheImageDoesNotChangeAFileOfTheHost) {
  const std::string victim = scratch() + "/victim", tree = scratch() + "/victims";
  write_file(victim, "victim\n", 0600);
  make_directories(tree, 0700);
  bundle.directory("/vol");
  ASSERT_EQ(0, symlink(victim.c_str(), bundle.rootfs("/vol/node").c_str()));
  ASSERT_EQ(0, symlink(("../../../../../../../../.." + victim).c_str(),
                       bundle.rootfs("/vol/climber").c_str()));
  ASSERT_EQ(0, symlink(tree.c_str(), bundle.rootfs("/vol/tree").c_str()));
  for (const char* path : {"/vol/node", "/vol/climber", "/vol/tree/node"}) {
    SCOPED_TRACE(path);
    bundle.set("linux.devices", std::string(R"([{"path": ")") + path +
                                    R"(", "type": "c", "major": 1, "minor": 3, "fileMode": 438,
                                    "uid": 1000, "gid": 1000}])");
    Container container(runtime, bundle);
    container.run();  // refused or not: what counts is what it does
    struct stat status;
    ASSERT_EQ(0, lstat(victim.c_str(), &status));
    EXPECT_EQ(0100600u, status.st_mode);
    EXPECT_EQ(0u, status.st_uid);
    EXPECT_EQ(0u, status.st_gid);
    EXPECT_EQ("victim\n", read_file(victim));
    EXPECT_EQ(std::vector<std::string>(), names_in(tree));
  }
}

TEST_F(HostileConfiguration, ADeviceThatBecomesALinkUnderwayDoesNotChangeAFileOfTheHost) {
  // Another container with the same volume may swap what was looked at for what is changed.
  const std::string victim = scratch() + "/victim", node = bundle.rootfs("/vol/node");
  write_file(victim, "victim\n", 0600);
  bundle.directory("/vol");
  ASSERT_EQ(0, mknod(node.c_str(), S_IFCHR | 0600, makedev(1, 3)));
  ASSERT_EQ(0, symlink(victim.c_str(), (node + ".link").c_str()));
  bundle.set("linux.devices", R"([{"path": "/vol/node", "type": "c", "major": 1, "minor": 3,
                                   "fileMode": 438, "uid": 1000, "gid": 1000}])");
  const pid_t swapper = fork();
  if (swapper == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (const std::string link = node + ".link";;)
      syscall(SYS_renameat2, AT_FDCWD, node.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
  }
  int taken_over = 0;
  for (int i = 0; i < 60; ++i) taken_over += Container(runtime, bundle).run().ok();
  kill(swapper, SIGKILL);
  EXPECT_TRUE(wait_for_end(swapper));
  EXPECT_GT(taken_over, 0) << "the node was never found: this test tests nothing";
  struct stat status;
  ASSERT_EQ(0, lstat(victim.c_str(), &status));
  EXPECT_EQ(0100600u, status.st_mode);
  EXPECT_EQ(0u, status.st_uid);
}

// ---- descriptors ------------------------------------------------------------------------------

TEST_F(HostileConfiguration, DescriptorsThatTheCallerDidNotPassAreNotPreserved) {
  // The runtime opens descriptors of its own, and the first free numbers are the ones asked for.
  const int given = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(given, 0);
  bundle.shell("exec sleep 100");
  Container target(runtime, bundle);
  target.launch();
  const Args list = {"ls", "-l", "/proc/self/fd"};
  bundle.args(list);
  for (const size_t open_ones : {0u, 1u, 2u}) {
    for (const int asked : {1, 2, 3, 8}) {
      if (asked <= static_cast<int>(open_ones)) continue;
      SCOPED_TRACE(std::to_string(open_ones) + " open, asked for " + std::to_string(asked));
      const Command base = {.descriptors = std::vector<int>(open_ones, given)};
      const std::string number = std::to_string(asked);
      const Outcome entered = target.exec(list, {"--preserve-fds", number}, base);
      EXPECT_FAILS(entered, 255, "not open");
      EXPECT_EQ("", entered.out);
      Container container(runtime, bundle);
      const Outcome made = container.run({"--preserve-fds", number}, base);
      EXPECT_OK(made);
      EXPECT_SAYS(made.err, "not open");
      EXPECT_EQ(1 + 3 + open_ones + 1, lines(made.out).size())
          << made.out;  // "total", and what ls reads
      size_t passed = 0;
      for (const std::string& line : lines(made.out)) passed += line.ends_with("-> /dev/null");
      EXPECT_EQ(open_ones + 1, passed) << made.out;  // and standard input
    }
  }
  close(given);
}

TEST_F(HostileConfiguration, AGapAmongPreservedDescriptorsStaysOne) {
  bundle.args({"ls", "-1", "/proc/self/fd"});
  Container container(runtime, bundle);
  bundle.save(container.id());
  Command run =
      runtime.command({"run", "--bundle", bundle.path(), "--preserve-fds", "40", container.id()});
  const Args below = {"sh", "-c", "exec 9</dev/null \"$@\"", "sh"};
  run.argv.insert(run.argv.begin(), below.begin(), below.end());
  EXPECT_EQ("0\n1\n2\n3\n9\n", run_command(run).out) << "3 is what ls reads";
}

TEST_F(HostileConfiguration, ListenFdsThatTheCallerDidNotPassAreNotPreserved) {
  bundle.shell("exec sleep 100");
  Container target(runtime, bundle);
  target.launch();
  const Args list = {"ls", "-1", "/proc/self/fd"};
  bundle.args(list);
  for (const std::string number : {"1", "3", "40"}) {
    for (const bool for_the_runtime : {true, false}) {
      SCOPED_TRACE(number + (for_the_runtime ? " with our pid" : " for another process"));
      const std::string pid = for_the_runtime ? "$$" : "1";
      const Args below = {
          "sh", "-c", "export LISTEN_FDS=" + number + " LISTEN_PID=" + pid + "; exec \"$@\"", "sh"};
      Container container(runtime, bundle);
      bundle.save(container.id());
      Command run = runtime.command({"run", "--bundle", bundle.path(), container.id()});
      Command exec = runtime.command({"exec", target.id()});
      exec.argv.insert(exec.argv.end(), list.begin(), list.end());
      for (Command* command : {&run, &exec}) {
        command->argv.insert(command->argv.begin(), below.begin(), below.end());
        const Outcome outcome = run_command(*command);
        if (for_the_runtime && command == &exec) {
          EXPECT_FAILS(outcome, 255, "not open");
          EXPECT_EQ("", outcome.out);
        } else {
          EXPECT_EQ("0\n1\n2\n3\n", outcome.out) << "3 is what ls reads";
        }
      }
    }
  }
}

TEST_F(HostileConfiguration, ClosedStandardStreamsAreTheNullDeviceAndNothingElse) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  bundle.save(container.id());
  Command command = runtime.command({"create", "--bundle", bundle.path(), container.id()});
  const Args closing = {"sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"};
  command.argv.insert(command.argv.begin(), closing.begin(), closing.end());
  ASSERT_OK(run_command(command));
  ASSERT_OK(container.start());
  const std::string process = "/proc/" + std::to_string(container.pid());
  ASSERT_TRUE(eventually([&] { return read_file(process + "/cmdline").starts_with("sleep"); }));
  EXPECT_EQ((std::vector<std::string>{"0", "1", "2"}), names_in(process + "/fd"));
  for (const char* number : {"0", "1", "2"}) {
    struct stat status, null;
    ASSERT_EQ(0, stat((process + "/fd/" + number).c_str(), &status));
    ASSERT_EQ(0, stat("/dev/null", &null));
    EXPECT_TRUE(S_ISCHR(status.st_mode) && status.st_rdev == null.st_rdev)
        << number << " is " << link_target(process + "/fd/" + number);
  }
}

// ---- hooks ------------------------------------------------------------------------------------

TEST_F(HostileConfiguration, HooksOfTheRuntimeAreInItsPidNamespaceWhicheverTheContainerJoins) {
  bundle.shell("exec sleep 100");
  Container owner(runtime, bundle);
  owner.launch();
  bundle.with_namespace("pid", "/proc/" + std::to_string(owner.pid()) + "/ns/pid");
  for (const char* kind : {"prestart", "createRuntime", "poststart"})
    hook(kind, "readlink /proc/self/ns/pid > " + scratch() + "/" + kind + ".own; readlink " +
                   "/proc/self/ns/pid_for_children > " + scratch() + "/" + kind + ".children");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ(link_target("/proc/" + std::to_string(owner.pid()) + "/ns/pid"),
            link_target("/proc/" + std::to_string(container.pid()) + "/ns/pid"));
  const std::string ours = link_target("/proc/self/ns/pid") + "\n";
  for (const std::string kind : {"prestart", "createRuntime", "poststart"}) {
    EXPECT_EQ(ours, text_of("/" + kind + ".own")) << kind;
    EXPECT_EQ(ours, text_of("/" + kind + ".children")) << kind;
  }
}

TEST_F(HostileConfiguration, HooksMakeFilesThatNotEverybodyMayWrite) {
  for (const std::string kind :
       {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"})
    hook(kind, "umask > " + (kind == "startContainer" ? "" : bundle.rootfs()) + "/tmp/" + kind +
                   "; echo > " + (kind == "startContainer" ? "" : bundle.rootfs()) + "/tmp/" +
                   kind + ".file");
  run_bundle();
  for (const std::string kind : {"prestart", "createRuntime", "createContainer", "startContainer",
                                 "poststart", "poststop"}) {
    ASSERT_TRUE(exists(bundle.rootfs("/tmp/" + kind))) << kind;
    EXPECT_EQ("0022\n", read_file(bundle.rootfs("/tmp/" + kind))) << kind;
    struct stat status;
    ASSERT_EQ(0, lstat(bundle.rootfs("/tmp/" + kind + ".file").c_str(), &status)) << kind;
    EXPECT_EQ(0100644u, status.st_mode) << kind;
  }
}

}  // namespace
}  // namespace harness
