// Escapes that were published for runtimes of this kind, each performed: the image, the paths of
// the configuration inside of it, and processes of the container are the attacker's.
// docs/security.md has the table; more are in escape_test.cc and mounts_test.cc.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/security/swapper.h"
#include "tests/support/fixture.h"
#include "tests/support/terminal.h"

namespace harness {
namespace {

class PublishedAttack : public ContainerTest {
 protected:
  // A directory that is not in the container, with a file by which to know it.
  std::string host() {
    const std::string path = scratch() + "/host";
    make_directories(path);
    write_file(path + "/of-the-host", "secret\n");
    return path;
  }
  void link(const std::string& target, const std::string& inside) {
    const std::string path = bundle.rootfs(inside);
    remove_tree(path);
    ASSERT_EQ(0, symlink(target.c_str(), path.c_str()));
  }
  struct stat runtime_program() const {
    struct stat status{};
    EXPECT_EQ(0, stat(runtime.program().c_str(), &status));
    return status;
  }
  static bool same_program(const struct stat& a, const struct stat& b) {
    return a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
           a.st_mtim.tv_nsec == b.st_mtim.tv_nsec && a.st_ctim.tv_sec == b.st_ctim.tv_sec &&
           a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
  }
};

// ---- CVE-2019-5736: the runtime's program, through /proc/self/exe

// Opens whatever program it is, for writing, as the original attack does: by a descriptor that was
// opened for reading while the program ran.
constexpr char kOverwrite[] =
    "while :; do for p in /proc/[0-9]*; do case $p in /proc/1|/proc/$$) continue;; esac;"
    "  (exec 9<$p/exe && cat /bin/other >/proc/self/fd/9) 2>/dev/null; done; done";

TEST_F(PublishedAttack, OnTheRuntimesProgramByAnEntrypointThatIsProcSelfExe) {
  const struct stat before = runtime_program();
  for (const Args& args : {Args{"/proc/self/exe", "--version"}, Args{"/proc/1/exe"}}) {
    bundle.args(args);
    Container container(runtime, bundle);
    const Outcome outcome = container.run();
    EXPECT_EQ(std::string::npos, outcome.out.find("spec:")) << "it ran the runtime" << outcome;
  }
  bundle.file("/bin/script", "#!/proc/self/exe\n", 0755).args({"/bin/script"});
  Container container(runtime, bundle);
  EXPECT_FALSE(container.run().ok());
  EXPECT_TRUE(same_program(before, runtime_program()));
}

TEST_F(PublishedAttack, OnTheRuntimesProgramByExecIntoAContainerThatWaitsForIt) {
  const struct stat before = runtime_program();
  bundle.file("/bin/other", "#!/bin/sh\n", 0755).shell(kOverwrite);
  Container container(runtime, bundle);
  container.launch();
  link("/proc/self/exe", "/bin/linked");
  for (int i = 0; i < 10; ++i) {
    EXPECT_OK(container.exec({"true"}));
    (void)container.exec({"/proc/self/exe", "--version"});
    (void)container.exec({"/bin/linked", "--version"});
  }
  EXPECT_TRUE(same_program(before, runtime_program()));
}

// ---- CVE-2024-21626: descriptors of the host as a way to it

TEST_F(PublishedAttack, OnTheHostByAWorkingDirectoryThatIsADescriptor) {
  int refused = 0;
  for (int fd = 3; fd < 20; ++fd) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    link(path, "/work");
    for (const std::string& cwd : {path, path + "/..", std::string("/work")}) {
      bundle.set("process.cwd", '"' + cwd + '"').shell("stat -c %d:%i / ../../../../..");
      Container container(runtime, bundle);
      const Outcome outcome = container.run();
      // Init may have descriptors of the container's own tree. None may lead to another.
      if (outcome.ok()) {
        EXPECT_EQ(lines(outcome.out).at(0), lines(outcome.out).at(1)) << cwd;
      } else {
        EXPECT_EQ("", outcome.out) << cwd;
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 0);
}

TEST_F(PublishedAttack, OnTheHostByAWorkingDirectoryOfExecThatIsADescriptor) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  for (int fd = 3; fd < 20; ++fd) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    link(path, "/work");
    for (const std::string& cwd : {path, std::string("/work")}) {
      const Outcome outcome = container.exec({"sh", "-c", "ls ../../.."}, {"--cwd", cwd});
      EXPECT_FALSE(outcome.ok()) << cwd << outcome;
      EXPECT_EQ("", outcome.out) << cwd;
    }
  }
}

TEST_F(PublishedAttack, OnTheHostByAProgramBehindADescriptor) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  for (int fd = 3; fd < 20; ++fd) {
    const std::string program = "/proc/self/fd/" + std::to_string(fd) + "/../../../../bin/sh";
    EXPECT_FALSE(container.exec({program, "-c", "true"}).ok()) << program;
  }
}

// ---- CVE-2021-30465, CVE-2024-45310: a volume whose owner moves the ground under a destination

TEST_F(PublishedAttack, OnADestinationThatIsSwappedForALinkWhileItIsMounted) {
  const std::string volume = scratch() + "/volume", victim = host();
  make_directories(volume + "/target");
  ASSERT_EQ(0, symlink(("../../../../../../../.." + victim).c_str(), (volume + "/link").c_str()));
  bundle.mount("/volume", "bind", volume, {"bind"});
  bundle.mount("/volume/target", "bind", bundle.rootfs("/bin"), {"bind"});
  bundle.mount("/volume/target", "tmpfs", "tmpfs", {});
  bundle.shell("find / -xdev -name of-the-host; cat /volume/target/of-the-host; true");
  Swapper swapper(volume + "/target", volume + "/link");
  int ran = 0;
  for (int i = 0; i < 25; ++i) {
    Container container(runtime, bundle);
    const Outcome outcome = container.run();
    EXPECT_EQ("", outcome.out);
    ran += outcome.ok();
  }
  EXPECT_GT(ran, 0) << "no container ever started: this test tests nothing";
  EXPECT_EQ(Args{"of-the-host"}, names_in(victim));
}

TEST_F(PublishedAttack, OnAnAbsentDestinationWhoseParentIsSwappedForALink) {
  const std::string volume = scratch() + "/volume", victim = host();
  make_directories(volume + "/parent");
  ASSERT_EQ(0, symlink(victim.c_str(), (volume + "/link").c_str()));
  bundle.mount("/volume", "bind", volume, {"bind"});
  bundle.shell("true");
  write_file(scratch() + "/source", "");
  Swapper swapper(volume + "/parent", volume + "/link");
  for (int i = 0; i < 25; ++i) {
    const std::string name = "/volume/parent/" + std::to_string(i);
    bundle.mount(name + "/directory", "tmpfs", "tmpfs", {});
    bundle.mount(name + "/file", "bind", scratch() + "/source", {"bind"});
    Container(runtime, bundle).run();
    bundle.without_mount(name + "/directory").without_mount(name + "/file");
  }
  EXPECT_EQ(Args{"of-the-host"}, names_in(victim)) << "made on the host";
}

// ---- CVE-2025-31133, CVE-2025-52565, CVE-2025-52881: what the runtime itself uses inside

TEST_F(PublishedAttack, OnMaskedPathsByANullDeviceOfTheImage) {
  // Without a mount at /dev the image's own directory is it.
  bundle.without_mount("/dev/pts").without_mount("/dev/shm").without_mount("/dev/mqueue");
  bundle.without_mount("/dev").directory("/dev");
  bundle.file("/secret", "shown\n").file("/masked", "shown\n");
  link("/secret", "/dev/null");
  bundle.set("linux.maskedPaths", R"(["/masked", "/proc/kcore"])")
      .shell("cat /masked; stat -c %F%t:%T /masked");
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  EXPECT_EQ(std::string::npos, outcome.out.find("shown")) << outcome;
  if (outcome.ok()) {
    EXPECT_EQ("character special file1:3\n", outcome.out);
  }
  EXPECT_EQ("shown\n", read_file(bundle.rootfs("/secret")));
}

TEST_F(PublishedAttack, OnTheConsoleByALinkOfTheImage) {
  const std::string victim = host() + "/of-the-host";
  bundle.without_mount("/dev/pts").without_mount("/dev/shm").without_mount("/dev/mqueue");
  bundle.without_mount("/dev").directory("/dev").directory("/dev/pts");
  link(victim, "/dev/console");
  bundle.mount("/dev/pts", "devpts", "devpts", {"newinstance", "ptmxmode=0666", "mode=0620"});
  bundle.set("process.terminal", "true").shell("echo written > /dev/console; sleep 0.1");
  ConsoleSocket socket(scratch() + "/console");
  Container container(runtime, bundle);
  if (container.create({"--console-socket", socket.path()}).ok()) {
    Terminal terminal(socket.receive());
    (void)container.start();
    container.wait_for_exit();
  }
  EXPECT_EQ("secret\n", read_file(victim));
}

TEST_F(PublishedAttack, OnProcfsByAVolumeOverItsFiles) {
  const std::string volume = scratch() + "/volume";
  make_directories(volume + "/attr");
  write_file(volume + "/attr/exec", "");
  write_file(volume + "/sysrq-trigger", "");
  for (const char* destination : {"/proc/sys", "/proc/self/attr", "/proc/thread-self", "/proc/1",
                                  "/proc/sys/kernel/domainname"}) {
    bundle.mount(destination, "bind", volume, {"bind"}).shell("echo ran");
    Container container(runtime, bundle);
    const Outcome outcome = container.run();
    EXPECT_EQ(1, outcome.code) << destination;
    EXPECT_EQ("", outcome.out) << destination;
    bundle.without_mount(destination);
  }
}

TEST_F(PublishedAttack, OnASysctlByALinkFromProcToAnotherFile) {
  // The image's /proc is a directory, and below it lies what a runtime that writes there would hit.
  bundle.directory("/proc/sys/kernel").file("/proc/sys/kernel/domainname", "untouched\n");
  bundle.without_mount("/proc").set("linux.sysctl", R"({"kernel.domainname": "attacked"})");
  bundle.shell("cat /proc/sys/kernel/domainname");
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  EXPECT_EQ("untouched\n", read_file(bundle.rootfs("/proc/sys/kernel/domainname"))) << outcome;
}

// ---- CVE-2022-29162, CVE-2022-27650: inheritable capabilities

TEST_F(PublishedAttack, ByProgramsWithInheritableFileCapabilitiesGainsNothing) {
  bundle.shell("grep CapInh /proc/self/status");
  EXPECT_EQ("CapInh:\t0000000000000000\n", run_bundle());
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  for (const Args& flags : {Args{}, Args{"--cap", "CAP_NET_RAW"}, Args{"--user", "1000"}})
    EXPECT_EQ("CapInh:\t0000000000000000\n",
              container.exec({"grep", "CapInh", "/proc/self/status"}, flags).out);
}

// ---- CVE-2016-3697: names of users that look like numbers

TEST_F(PublishedAttack, ByAUserOfTheImageWhoseNameIsANumberGainsNothing) {
  bundle.directory("/etc").file("/etc/passwd", "1000:x:0:0::/:/bin/sh\n").shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_EQ("1000\n", container.exec({"id", "-u"}, {"--user", "1000"}).out);
}

// ---- CVE-2022-0492 and the older ways of control groups of version 1

// CVE-2026-30892: "1" was taken for nothing, and nothing for root.
TEST_F(PublishedAttack, ByAUserOfExecWhoIsASmallNumberGainsNothing) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  for (const std::string user : {"1", "2", "10", "01"}) {
    const Outcome outcome = container.exec_shell("id -u", {"--user", user});
    EXPECT_EQ(std::to_string(std::stoi(user)) + "\n", outcome.out) << user << outcome;
  }
  for (const char* user : {"", ":", ":0", "-1", "+0", " 1", "1 ", "1:", "4294967295", "4294967296"})
    EXPECT_FALSE(container.exec_shell("id -u", {"--user", user}).ok()) << user;
}

TEST_F(PublishedAttack, ByAReleaseAgentIsImpossible) {
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"ro"});
  bundle.directory("/mnt");
  EXPECT_EQ("end\n",
            run_shell("for f in $(find /sys/fs/cgroup -name release_agent); do { echo /attack > "
                      "$f; } 2>/dev/null && echo $f; done;"
                      "for c in memory cpu devices rdma; do mount -t cgroup -o $c cgroup /mnt "
                      "2>/dev/null && echo $c; done;"
                      "mount -t cgroup2 cgroup2 /mnt 2>/dev/null && echo mounted; echo end"));
}

// CVE-2023-25809: without a cgroup namespace, and most of all in a user namespace, the host's mount
// was bound, and not made read-only.
TEST_F(PublishedAttack, OnTheHostsCgroupsThatAreToBeReadOnlyFindsThemSo) {
  bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"ro"});
  const std::string script =
      "while read id parent device root point options rest; do case $point in /sys/fs/cgroup*)"
      "  found=1; case ,$options, in *,ro,*) ;; *) echo \"$point $options\";; esac;; esac;"
      "done < /proc/self/mountinfo;"
      "for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/attack 2>/dev/null && echo $d; done;"
      "echo found $found";
  EXPECT_EQ("found 1\n", run_shell(script));
  bundle.with_namespace("user");
  for (const char* ids : {"linux.uidMappings", "linux.gidMappings"})
    bundle.set(ids, R"([{"containerID": 0, "hostID": 0, "size": 65536}])");
  EXPECT_EQ("found 1\n", run_shell(script)) << "user 0 is the host's, whose cgroups they are";
}

// CVE-2025-4437: the image's /etc/passwd was read as a whole, however large it was.
TEST_F(PublishedAttack, ByAPasswdFileWithoutEndNeitherHangsNorTakesMemory) {
  bundle.file("/etc/passwd", "");
  ASSERT_EQ(0, ::truncate(bundle.rootfs("/etc/passwd").c_str(), off_t{1} << 40));
  EXPECT_EQ("/\n", run_shell("echo $HOME"));
  ASSERT_EQ(0, ::unlink(bundle.rootfs("/etc/passwd").c_str()));
  ASSERT_EQ(0, ::mkfifo(bundle.rootfs("/etc/passwd").c_str(), 0600));
  EXPECT_EQ("/\n", run_shell("echo $HOME"));
  link("/dev/zero", "/etc/passwd");
  EXPECT_EQ("/\n", run_shell("echo $HOME"));
}

// CVE-2022-0811: the value of a sysctl that a pod may set held another one, of the whole host.
TEST_F(PublishedAttack, ByASysctlWhoseValueHasAnotherInItChangesNothing) {
  const std::string before = read_file("/proc/sys/kernel/core_pattern");
  bundle.shell("true");
  // Of the others the kernel takes the number.
  for (const std::string value :
       {"1+kernel.core_pattern=|/attack", "1\\nkernel.core_pattern=|/attack", "1 kernel.x=1"}) {
    bundle.set("linux.sysctl", R"({"kernel.shm_rmid_forced": ")" + value + "\"}");
    EXPECT_EQ(!value.starts_with("1+"), Container(runtime, bundle).run().ok()) << value;
    EXPECT_EQ(before, read_file("/proc/sys/kernel/core_pattern"));
  }
  bundle.set("linux.sysctl", R"({"kernel.core_pattern": "|/attack"})");
  EXPECT_FALSE(Container(runtime, bundle).run().ok());
  EXPECT_EQ(before, read_file("/proc/sys/kernel/core_pattern"));
}

// ---- CVE-2021-43784: sizes that do not fit where they are put

TEST_F(PublishedAttack, ByAPathThatIsTooLongForItsMessageIsRefused) {
  std::string source = scratch();
  while (source.size() < 70'000)
    source += "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  bundle.mount("/x", "bind", source, {"bind"}).shell("echo ran");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.run(), 1, "mounts");
}

// ---- the caller's files, terminal and sockets

TEST_F(PublishedAttack, OnAFileOfTheHostByALinkAtThePidFile) {
  const std::string victim = host() + "/of-the-host", pid_file = scratch() + "/pid";
  ASSERT_EQ(0, symlink(victim.c_str(), pid_file.c_str()));
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  ASSERT_OK(container.create({"--pid-file", pid_file}));
  EXPECT_EQ("secret\n", read_file(victim));
  EXPECT_EQ(std::to_string(container.pid()), trim(read_file(pid_file)));
}

// TIOCSTI works on the terminal that controls the process.
TEST_F(PublishedAttack, OnTheCallersTerminalByTypingIntoIt) {
  Terminal terminal;
  bundle.shell("cut -d' ' -f7 /proc/self/stat");
  Command command;
  command.terminal = terminal.slave();
  Container container(runtime, bundle);
  container.run({}, command);
  EXPECT_TRUE(terminal.read_until("0\r\n")) << terminal.seen();
  EXPECT_TRUE(terminal.seen().starts_with("0\r\n"))
      << "a terminal controls it: " << terminal.seen();
}

TEST_F(PublishedAttack, OnAbstractSocketsOfTheHostFindsNone) {
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "ocirt-test-" + std::to_string(getpid());
  name.copy(address.sun_path + 1, name.size());
  ASSERT_EQ(0, bind(listener, reinterpret_cast<sockaddr*>(&address),
                    static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())));
  EXPECT_TRUE(says(read_file("/proc/net/unix"), name));
  bundle.with_namespace("network");
  const std::string seen = run_shell("cat /proc/net/unix; echo end");
  close(listener);
  EXPECT_SAYS(seen, "end");
  EXPECT_EQ(std::string::npos, seen.find(name));
}

}  // namespace
}  // namespace harness
