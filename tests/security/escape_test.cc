// What programs in a container must not get hold of when the runtime comes by: the host's files
// through a process that is on its way in (CVE-2016-9962, CVE-2019-5736), the caller's keys.
//
// The attacker is a process of this test program that has joined the container: nothing in it is
// slower than it has to be, and the kernel judges it as any other process of the container.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>

#include "tests/support/fixture.h"

namespace harness {
namespace {

// What the attacker tells; shared memory, since it has no other way out.
struct Loot {
  std::atomic<bool> is_ready, is_over;
  std::atomic<int> looks;     // roots of other processes that it could look into
  std::atomic<int> taken;     // processes that it could stop
  std::atomic<int> of_host;   // any of which showed the host
  std::atomic<int> programs;  // programs that were the host's runtime
  char first[1024];
};

struct Target {
  std::string marker;   // a file that the host has and the container has not
  struct stat runtime;  // the program of the runtime
};

class Attacker {
 public:
  enum class Means { look, seize };

  Attacker(pid_t init, const std::string& marker, const std::string& program, Means means)
      : loot_(*static_cast<Loot*>(mmap(nullptr, sizeof(Loot), PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    target_.marker = marker;
    EXPECT_EQ(0, stat(program.c_str(), &target_.runtime));
    const std::string namespaces = "/proc/" + std::to_string(init) + "/ns/";
    const int pid = open((namespaces + "pid").c_str(), O_RDONLY | O_CLOEXEC);
    const int mnt = open((namespaces + "mnt").c_str(), O_RDONLY | O_CLOEXEC);
    int user = -1;
    if (link_target(namespaces + "user") != link_target("/proc/self/ns/user"))
      user = open((namespaces + "user").c_str(), O_RDONLY | O_CLOEXEC);
    joiner_ = fork();
    if (joiner_ == 0) join(pid, mnt, user, means);
    close(pid);
    close(mnt);
    if (user >= 0) close(user);
    EXPECT_TRUE(eventually([&] { return loot_.is_ready.load(); })) << "the attacker did not start";
  }
  ~Attacker() {
    end();
    munmap(&loot_, sizeof(Loot));
  }

  void end() {
    loot_.is_over = true;
    if (joiner_ < 0) return;
    const pid_t joiner = std::exchange(joiner_, -1);
    if (wait_for_end(joiner)) return;
    ADD_FAILURE() << "the attacker hangs";
    kill(joiner, SIGKILL);
    wait_for_end(joiner);
  }
  const Loot& loot() const { return loot_; }

 private:
  [[noreturn]] void join(int pid, int mnt, int user, Means means) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (setns(pid, CLONE_NEWPID) != 0 || setns(mnt, CLONE_NEWNS) != 0) _exit(1);
    if (user >= 0 &&
        (setns(user, CLONE_NEWUSER) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0))
      _exit(1);
    const pid_t attacker = fork();
    if (attacker == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      give_up_privileges();
      loot_.is_ready = true;
      while (!loot_.is_over && getppid() == 0) attack_newest(means);
      _exit(0);
    }
    waitpid(attacker, nullptr, 0);
    _exit(0);
  }

  // What the configuration of these tests gives: CAP_SYS_PTRACE and nothing else.
  static void give_up_privileges() {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2] = {};
    sets[0].permitted = sets[0].effective = 1u << CAP_SYS_PTRACE;
    if (syscall(SYS_capset, &header, sets) != 0) _exit(1);
  }

  // The processes around the one that was made last, a few hundred times: they appear while we
  // look.
  void attack_newest(Means means) {
    int last = 0;
    if (FILE* file = std::fopen("/proc/loadavg", "r")) {
      if (std::fscanf(file, "%*s %*s %*s %*s %d", &last) != 1) last = 0;
      std::fclose(file);
    }
    for (int tries = 0; tries < 200; ++tries)
      for (int pid = last; pid < last + 4; ++pid)
        if (pid > 1 && pid != getpid()) {
          if (means == Means::look)
            look(pid);
          else if (seize(pid))
            return;
        }
  }

  void look(int pid) {
    char path[512];
    struct stat status;
    std::snprintf(path, sizeof path, "/proc/%d/root/", pid);
    if (stat(path, &status) == 0) ++loot_.looks;
    std::snprintf(path, sizeof path, "/proc/%d/root%s", pid, target_.marker.c_str());
    if (const int fd = open(path, O_RDONLY | O_CLOEXEC); fd >= 0) {
      close(fd);
      if (loot_.of_host++ == 0) std::snprintf(loot_.first, sizeof loot_.first, "%s", path);
    }
    char link[256];
    std::snprintf(path, sizeof path, "/proc/%d/exe", pid);
    if (stat(path, &status) == 0 && status.st_dev == target_.runtime.st_dev &&
        status.st_ino == target_.runtime.st_ino && loot_.programs++ == 0) {
      const ssize_t size = readlink(path, link, sizeof link - 1);
      link[size > 0 ? size : 0] = 0;
      std::snprintf(loot_.first, sizeof loot_.first, "%s -> %s", path, link);
    }
  }

  bool seize(int pid) {
    if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) return false;
    ++loot_.taken;
    ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
    waitpid(pid, nullptr, __WALL);
    look(pid);
    char path[64], line[128];
    std::snprintf(path, sizeof path, "/proc/%d/status", pid);
    if (FILE* file = std::fopen(path, "r")) {
      while (std::fgets(line, sizeof line, file)) {
        unsigned long long bits = 0;
        // A process with more than the container's capabilities is as good as the host's.
        if (std::sscanf(line, "CapEff: %llx", &bits) == 1 && (bits & ~(1ull << CAP_SYS_PTRACE)) &&
            loot_.of_host++ == 0)
          std::snprintf(loot_.first, sizeof loot_.first, "%d: %s", pid, line);
      }
      std::fclose(file);
    }
    ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
    return true;
  }

  Loot& loot_;
  Target target_;
  pid_t joiner_ = -1;
};

class Escape : public ContainerTest {
 protected:
  Escape() {
    bundle.shell("exec sleep 10000");  // as long as an attack takes on an emulated processor
    for (const char* set : {"bounding", "effective", "permitted"})
      bundle.set(std::string("process.capabilities.") + set, R"(["CAP_SYS_PTRACE"])");
    write_file(marker(), "of the host\n");
  }
  std::string marker() const { return scratch() + "/marker"; }

  void expect_nothing_of_the_host(const Attacker& attacker) {
    EXPECT_EQ(0, attacker.loot().of_host) << attacker.loot().first;
    EXPECT_EQ(0, attacker.loot().programs) << attacker.loot().first;
  }

  // At least `rounds`, and more as long as the attacker has had no luck on a busy machine.
  static bool goes_on(const Attacker& attacker, int done, int rounds) {
    return done < rounds || (attacker.loot().looks == 0 && done < 100 * rounds);
  }

  // 50 times `exec` under attack.
  void exec_under_attack(Attacker::Means means) {
    Container container(runtime, bundle);
    container.launch();
    Attacker attacker(container.pid(), marker(), runtime.program(), means);
    for (int i = 0; goes_on(attacker, i, 50); ++i) ASSERT_OK(container.exec({"true"}));
    attacker.end();
    expect_nothing_of_the_host(attacker);
    EXPECT_GT(attacker.loot().looks, 0) << "no process was ever seen: this test tests nothing";
  }

  // Can procfs be made for another pid namespace than one's own? Otherwise it is made by a process
  // in there (docs/security.md, "What does not protect yet").
  static bool procfs_takes_a_namespace() {
    const long context = ::syscall(SYS_fsopen, "proc", 0);
    const bool takes =
        ::syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "pidns", "/proc/self/ns/pid", 0) == 0;
    ::close(static_cast<int>(context));
    return takes;
  }

  // 25 times `run` into the pid namespace of a container under attack.
  void share_pids_under_attack(Attacker::Means means) {
    if (!has_user_namespace_ && !procfs_takes_a_namespace())
      GTEST_SKIP() << "this kernel's procfs has no option pidns";
    Container container(runtime, bundle);
    container.launch();
    bundle.with_namespace("pid", "/proc/" + std::to_string(container.pid()) + "/ns/pid");
    if (has_user_namespace_)
      bundle.with_namespace("user", "/proc/" + std::to_string(container.pid()) + "/ns/user");
    bundle.args({"true"});
    Attacker attacker(container.pid(), marker(), runtime.program(), means);
    for (int i = 0; goes_on(attacker, i, 25); ++i) ASSERT_OK(Container(runtime, bundle).run());
    attacker.end();
    expect_nothing_of_the_host(attacker);
    EXPECT_GT(attacker.loot().looks, 0) << "no process was ever seen: this test tests nothing";
  }

  void use_user_namespace() {
    has_user_namespace_ = true;
    bundle.with_namespace("user");
    bundle.set("linux.uidMappings", R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
    bundle.set("linux.gidMappings", R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
  }
  bool has_user_namespace_ = false;

  // A filter that init has to load before it gives up its privileges.
  void filter_early() {
    bundle.set("process.noNewPrivileges", "false");
    bundle.set("linux.seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
      [{"names": ["sysfs"], "action": "SCMP_ACT_ERRNO"}]})");
  }
};

TEST_F(Escape, ThroughTheRootOfAProcessOfExecIsImpossible) {
  exec_under_attack(Attacker::Means::look);
}

TEST_F(Escape, ByTakingOverAProcessOfExecIsImpossible) {
  exec_under_attack(Attacker::Means::seize);
}

TEST_F(Escape, ThroughTheRootOfAProcessOfExecWithAnEarlyFilterIsImpossible) {
  filter_early();
  exec_under_attack(Attacker::Means::look);
}

TEST_F(Escape, ByTakingOverAProcessOfExecWithAnEarlyFilterIsImpossible) {
  filter_early();
  exec_under_attack(Attacker::Means::seize);
}

TEST_F(Escape, ThroughTheRootOfAContainerInTheSamePidNamespaceIsImpossible) {
  share_pids_under_attack(Attacker::Means::look);
}

TEST_F(Escape, FromAUserNamespaceByTakingOverAProcessOfExecIsImpossible) {
  use_user_namespace();
  exec_under_attack(Attacker::Means::seize);
}

TEST_F(Escape, FromAUserNamespaceByTakingOverAProcessOfExecWithAnEarlyFilterIsImpossible) {
  use_user_namespace();
  filter_early();
  exec_under_attack(Attacker::Means::seize);
}

TEST_F(Escape, FromAUserNamespaceByTakingOverAContainerThatJoinsItIsImpossible) {
  use_user_namespace();
  share_pids_under_attack(Attacker::Means::seize);
}

TEST_F(Escape, ByTakingOverAContainerInTheSamePidNamespaceIsImpossible) {
  share_pids_under_attack(Attacker::Means::seize);
}

TEST_F(Escape, ByTakingOverAContainerWithAnEarlyFilterInTheSamePidNamespaceIsImpossible) {
  filter_early();
  share_pids_under_attack(Attacker::Means::seize);
}

// ---- keys -------------------------------------------------------------------------------------

class Keys : public ContainerTest {
 protected:
  // A key that only those possess whose session keyring is this process's, such as a runtime that
  // it starts. The session keyring stays ours; nobody else looks at it.
  void SetUp() override {
    ContainerTest::SetUp();
    if (!exists("/proc/keys")) GTEST_SKIP() << "this kernel has no keys";
    ASSERT_GT(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr), 0);
    key_ = syscall(SYS_add_key, "user", kName, "secret", 6, KEY_SPEC_SESSION_KEYRING);
    ASSERT_GT(key_, 0);
    ASSERT_EQ(0, syscall(SYS_keyctl, KEYCTL_SETPERM, key_, 0x3f000000));
    ASSERT_TRUE(says(run_command({.argv = {"cat", "/proc/keys"}}).out, kName))
        << "the key must be seen by the programs that we start";
  }
  void TearDown() override {
    if (key_ > 0) syscall(SYS_keyctl, KEYCTL_UNLINK, key_, KEY_SPEC_SESSION_KEYRING);
    ContainerTest::TearDown();
  }
  static void expect_no_key(const Outcome& outcome) {
    EXPECT_OK(outcome);
    EXPECT_SAYS(outcome.out, "end\n");
    EXPECT_EQ(std::string::npos, outcome.out.find(kName)) << outcome.out;
  }

  static constexpr char kName[] = "ocirt-test-secret";
  static constexpr char kLook[] = "cat /proc/keys; echo end";
  long key_ = -1;
};

TEST_F(Keys, OfTheCallerAreNotInTheReachOfTheContainer) {
  bundle.shell(kLook);
  Container container(runtime, bundle);
  expect_no_key(container.run());
}

TEST_F(Keys, OfTheCallerAreNotInTheReachOfAProgramOfExec) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  expect_no_key(container.exec_shell(kLook));
  write_file(scratch() + "/process.json",
             R"({"args": ["sh", "-c", "cat /proc/keys; echo end"], "env": ["PATH=/bin"],
                 "cwd": "/"})");
  expect_no_key(container.exec({}, {"--process", scratch() + "/process.json"}));
}

// keyctl(2) finds session keyrings by their names, also those that another user, or the root of a
// container without a user namespace, has made and opened for everybody: whoever knows the name of
// a container to come could share its keys.
class PreparedKeyring {
 public:
  static constexpr char kKey[] = "ocirt-test-prepared";

  explicit PreparedKeyring(const std::string& name) {
    int ready[2];
    EXPECT_EQ(0, ::pipe2(ready, O_CLOEXEC));
    maker_ = ::fork();
    if (maker_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      long ring = join(name.c_str());
      const long key = ::syscall(SYS_add_key, "user", kKey, "x", 1, KEY_SPEC_SESSION_KEYRING);
      if (::syscall(SYS_keyctl, KEYCTL_SETPERM, key, 0x3f000000) != 0 ||
          ::syscall(SYS_keyctl, KEYCTL_SETPERM, ring, 0x3f3f3f3f) != 0)
        ring = -1;
      if (::write(ready[1], &ring, sizeof ring) != sizeof ring) ::_exit(1);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    EXPECT_EQ(sizeof serial_, static_cast<size_t>(::read(ready[0], &serial_, sizeof serial_)));
    ::close(ready[0]);
  }
  PreparedKeyring(const PreparedKeyring&) = delete;
  PreparedKeyring& operator=(const PreparedKeyring&) = delete;
  ~PreparedKeyring() {
    ::kill(maker_, SIGKILL);
    ::waitpid(maker_, nullptr, 0);
  }
  // Whether somebody who joins a keyring of that name gets this one.
  bool is_joined_by(const std::string& name) const {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(serial_ > 0 && join(name.c_str()) == serial_ ? 0 : 1);
    int status = -1;
    return ::waitpid(child, &status, 0) == child && status == 0;
  }

 private:
  static long join(const char* name) {
    return ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
  }
  pid_t maker_ = -1;
  long serial_ = -1;
};

// The names that ocirt and its peers give, or the kernel where none is given.
TEST_F(Keys, OfAContainerAreNotInAKeyringThatSomebodyHasPreparedForIt) {
  bundle.shell("cat /proc/keys; echo end; exec sleep 100");
  Container container(runtime, bundle);
  for (const std::string& name : {std::string("_ses"), "_ses." + container.id()}) {
    const PreparedKeyring prepared(name);
    ASSERT_TRUE(prepared.is_joined_by(name)) << "the kernel has become careful: this tests nothing";
    container.launch();
    const Outcome outcome = container.exec_shell(kLook);
    EXPECT_OK(outcome);
    EXPECT_TRUE(eventually([&] { return says(container.output(), "end\n"); }));
    for (const std::string& text : {container.output(), outcome.out}) {
      EXPECT_SAYS(text, "end\n");
      EXPECT_EQ(std::string::npos, text.find(PreparedKeyring::kKey)) << text;
    }
    EXPECT_OK(container.remove({"--force"}));
  }
}

// Who is not root sees those keyrings only that it possesses: root has made them. runc's program of
// exec joins that of the container, for which every process of the same user id, of other
// containers too, may look that one up and join it.
TEST_F(Keys, OfAContainerAndOfEachProgramOfExecAreInAKeyringOfItsOwn) {
  // Without the keyrings that the test above makes for everybody: it may run beside this one.
  constexpr char kOwn[] = "grep ' keyring  *_ses: ' /proc/keys | grep -v ' 3f3f3f3f '";
  bundle.set("process.user", R"({"uid": 4242, "gid": 4242})");
  bundle.shell(kOwn + std::string("; echo end; exec sleep 100"));
  Container container(runtime, bundle);
  container.launch();
  EXPECT_TRUE(eventually([&] { return says(container.output(), "end\n"); }));
  std::set<std::string> serials;
  for (const std::string& text :
       {container.output(), container.exec_shell(kOwn).out, container.exec_shell(kOwn).out}) {
    const std::vector<std::string> seen = words(text);
    ASSERT_FALSE(seen.empty());
    EXPECT_TRUE(serials.insert(seen.front()).second) << text;
    EXPECT_EQ(text.find("_ses: "), text.rfind("_ses: ")) << text;
  }
}

TEST_F(Keys, OfTheCallerStayWhenItAsksForNoNewKeyring) {
  bundle.shell(kLook);
  EXPECT_SAYS(run_bundle({"--no-new-keyring"}), kName);
}

}  // namespace
}  // namespace harness
