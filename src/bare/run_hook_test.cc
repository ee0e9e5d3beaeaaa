#include "src/bare/run_hook.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace ocirt::bare {
namespace {

// A file in memory, as the state document is.
class Memory {
 public:
  explicit Memory(std::string_view content) : fd(::memfd_create("run-hook-test", MFD_CLOEXEC)) {
    EXPECT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
  }
  ~Memory() { ::close(fd); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  const int fd;
};

HookResult run(std::vector<const char*> argv, uint32_t timeout_s = 0, std::string_view state = "{}",
               std::vector<const char*> env = {}, const char* path = "/bin/sh") {
  Memory document(state);
  argv.push_back(nullptr);
  env.push_back(nullptr);
  return run_hook({path, argv.data(), env.data(), timeout_s, document.fd});
}

HookResult shell(const char* script, uint32_t timeout_s = 0, std::string_view state = "{}") {
  return run({"sh", "-c", script}, timeout_s, state);
}

std::string output_of(const HookResult& result) { return std::string(result.output.view()); }

std::string described(const HookResult& result) {
  Buffer<1024> text;
  describe_hook_failure(text, "createRuntime", 2, "/hook", result);
  return std::string(text.view());
}

int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000} + now.tv_nsec / 1000000;
}

TEST(RunHook, ThatExitsWithZeroIsASuccess) {
  HookResult result = shell("exit 0");
  EXPECT_EQ(result.end, HookEnd::success);
  EXPECT_EQ(result.detail, 0);
}

TEST(RunHook, ThatExitsOtherwiseFailsWithItsStatusAndItsLastWords) {
  HookResult result = shell("echo to stdout; echo to stderr >&2; exit 3");
  EXPECT_EQ(result.end, HookEnd::exited);
  EXPECT_EQ(result.detail, 3);
  EXPECT_EQ(output_of(result), "to stdout to stderr");
  EXPECT_EQ(described(result),
            "error running hook: hooks.createRuntime[2] (/hook): exited with status 3; its last "
            "output: to stdout to stderr");
}

TEST(RunHook, ThatIsKilledFailsWithTheSignal) {
  HookResult result = shell("kill -TERM $$");
  EXPECT_EQ(result.end, HookEnd::killed);
  EXPECT_EQ(result.detail, SIGTERM);
  EXPECT_EQ(described(result),
            "error running hook: hooks.createRuntime[2] (/hook): was killed by signal 15");
}

TEST(RunHook, ThatIsMissingCouldNotBeExecuted) {
  HookResult result = run({"x"}, 0, "{}", {}, "/ocirt-there-is-no-such-hook");
  EXPECT_EQ(result.end, HookEnd::not_started);
  EXPECT_EQ(result.detail, ENOENT);
  EXPECT_EQ(described(result),
            "error running hook: hooks.createRuntime[2] (/hook): could not be executed");
}

TEST(RunHook, ThatIsNoProgramCouldNotBeExecuted) {
  EXPECT_EQ(run({"x"}, 0, "{}", {}, "/dev/null").detail, EACCES);
}

TEST(RunHook, GetsTheStateOnStandardInputFromItsBeginning) {
  HookResult result = shell("cat; exit 1", 0, R"({"id":"c1"})");
  EXPECT_EQ(output_of(result), R"({"id":"c1"})");
}

TEST(RunHook, EveryHookOfOneDocumentReadsTheWhole) {
  Memory document("state");
  const char* argv[] = {"sh", "-c", "cat; exit 1", nullptr};
  const char* envp[] = {nullptr};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(output_of(run_hook({"/bin/sh", argv, envp, 0, document.fd})), "state");
  }
}

TEST(RunHook, ThatNeverReadsALargeStateDoesNotFail) {
  EXPECT_EQ(shell("exit 0", 0, std::string(1 << 20, 'x')).end, HookEnd::success);
}

TEST(RunHook, GetsItsArgumentsAndItsEnvironmentOnly) {
  HookResult result = run({"renamed", "-c", "echo $0 $1 $NAME $HOME.; exit 1", "first", "second"},
                          0, "{}", {"NAME=value"});
  EXPECT_EQ(output_of(result), "first second value .");
}

TEST(RunHook, InheritsNoDescriptorBesidesItsStandardOnes) {
  int pipes[2];
  ASSERT_EQ(::pipe(pipes), 0);  // without O_CLOEXEC
  HookResult result = shell("for fd in /proc/self/fd/*; do echo ${fd##*/}; done; exit 1");
  ::close(pipes[0]);
  ::close(pipes[1]);
  // The shell itself has the directory open while it expands the pattern.
  std::string open = output_of(result);
  EXPECT_TRUE(open.starts_with("0 1 2")) << open;
  EXPECT_LE(open.size(), std::string_view("0 1 2 3").size()) << open;
}

// Not a shell, which may unblock signals by itself.
TEST(RunHook, StartsWithoutBlockedSignals) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  HookResult result = run({"grep", "SigBlk", "/proc/self/status"}, 0, "{}", {}, "/bin/grep");
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(output_of(result), "SigBlk: 0000000000000000");
}

TEST(RunHook, ThatOutlivesItsTimeoutIsKilled) {
  // Within it a shell has to have begun, which takes more than a second on an emulated processor.
  const char* patience = std::getenv("TEST_PATIENCE");
  const int seconds = patience == nullptr ? 1 : std::max(1, std::atoi(patience));
  const int64_t begin = now_ms();
  HookResult result = shell("echo waiting; exec sleep 60", static_cast<uint32_t>(seconds));
  const int64_t took = now_ms() - begin;
  EXPECT_EQ(result.end, HookEnd::timed_out);
  EXPECT_EQ(result.detail, seconds);
  EXPECT_GE(took, seconds * 1000);
  EXPECT_LT(took, seconds * 10000);
  EXPECT_EQ(
      described(result),
      "error running hook: hooks.createRuntime[2] (/hook): did not end within its timeout of " +
          std::to_string(seconds) + " s; its last output: waiting");
}

// A file system that is mounted and then says nothing: who asks it waits until release(), and
// SIGKILL does not end that.
class HungFilesystem {
 public:
  HungFilesystem() {
    char name[] = "/tmp/ocirt-hung-XXXXXX";
    if (::mkdtemp(name) == nullptr) return;
    path = name;
    device_ = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    const std::string options =
        "fd=" + std::to_string(device_) + ",rootmode=40000,user_id=0,group_id=0";
    mounted_ = device_ >= 0 &&
               ::mount("ocirt-hung", name, "fuse", MS_NOSUID | MS_NODEV, options.c_str()) == 0;
    if (mounted_) greet();
  }
  ~HungFilesystem() {
    release();
    if (mounted_) ::umount2(path.c_str(), MNT_DETACH);
    ::rmdir(path.c_str());
  }
  HungFilesystem(const HungFilesystem&) = delete;
  HungFilesystem& operator=(const HungFilesystem&) = delete;

  bool is_mounted() const { return mounted_; }
  // Takes the next question, which makes its asker unreachable, and returns its number.
  uint64_t take_question() {
    struct {
      fuse_in_header header;
      char rest[FUSE_MIN_READ_BUFFER];
    } question{};
    EXPECT_GT(::read(device_, &question, sizeof question), 0);
    return question.header.unique;
  }
  void release() {
    if (device_ >= 0) ::close(device_);  // ends the connection, and every wait for it
    device_ = -1;
  }

  std::string path;

 private:
  void greet() {
    struct {
      fuse_out_header header;
      fuse_init_out init;
    } answer{};
    answer.header = {sizeof answer, 0, take_question()};
    answer.init.major = FUSE_KERNEL_VERSION;
    answer.init.minor = FUSE_KERNEL_MINOR_VERSION;
    answer.init.max_write = 4096;
    EXPECT_EQ(::write(device_, &answer, sizeof answer), static_cast<ssize_t>(sizeof answer));
  }

  int device_ = -1;
  bool mounted_ = false;
};

TEST(RunHook, OnAFileSystemThatDoesNotAnswerIsTimedOutAndLeftBehind) {
  HungFilesystem hung;
  if (!hung.is_mounted()) GTEST_SKIP() << "needs root and /dev/fuse";
  std::thread server([&] { hung.take_question(); });
  const std::string path = hung.path + "/hook";
  HookResult result = run({"x"}, 1, "{}", {}, path.c_str());
  server.join();
  EXPECT_EQ(result.end, HookEnd::timed_out);
  EXPECT_TRUE(result.remains);
  EXPECT_EQ(described(result),
            "error running hook: hooks.createRuntime[2] (/hook): did not end within its timeout of "
            "1 s and cannot be killed: it waits for a file system or device");
  hung.release();
  EXPECT_GT(::waitpid(-1, nullptr, 0), 0);
}

// It is a copy of the runtime until its program has been found: a lock would be held by it.
TEST(RunHook, HasNothingOpenWhileItsProgramIsLookedFor) {
  HungFilesystem hung;
  if (!hung.is_mounted()) GTEST_SKIP() << "needs root and /dev/fuse";
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const std::string path = hung.path + "/hook";
  const pid_t runtime = ::fork();
  if (runtime == 0) {
    ::close(ends[0]);
    run({"x"}, 0, "{}", {}, path.c_str());
    ::_exit(0);
  }
  ::close(ends[1]);
  hung.take_question();
  ::kill(runtime, SIGKILL);
  ::waitpid(runtime, nullptr, 0);
  pollfd entry{ends[0], POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 5000), 1) << "the hook's process has it still";
  ::close(ends[0]);
}

TEST(RunHook, ThatEndsWithinItsTimeoutIsNotHeldBack) {
  const int64_t begin = now_ms();
  EXPECT_EQ(shell("exit 0", 30).end, HookEnd::success);
  EXPECT_LT(now_ms() - begin, 10000);
}

TEST(RunHook, IsOverWhenItEndsEvenIfADaemonKeepsItsOutputOpen) {
  const int64_t begin = now_ms();
  HookResult result = shell("sleep 20 & echo $!; exit 1");
  EXPECT_LT(now_ms() - begin, 10000);
  pid_t daemon = static_cast<pid_t>(std::stol(output_of(result)));
  ::kill(daemon, SIGKILL);
  ::waitpid(daemon, nullptr, 0);
}

TEST(RunHook, EndsWithWhoeverRunsIt) {
  int said[2];
  ASSERT_EQ(::pipe2(said, O_CLOEXEC), 0);
  const pid_t runner = ::fork();
  if (runner == 0) {
    Memory document("{}");
    const char* argv[] = {"sh", "-c", "echo $$; exec sleep 1000", nullptr};
    const char* env[] = {nullptr};
    run_hook({"/bin/sh", argv, env, 0, document.fd, said[1]});
    ::_exit(0);
  }
  char text[16] = {};
  ASSERT_GT(::read(said[0], text, sizeof text - 1), 0);
  const int hook = static_cast<int>(::syscall(SYS_pidfd_open, std::atoi(text), 0));
  ASSERT_GE(hook, 0);
  pollfd end{hook, POLLIN, 0};
  EXPECT_EQ(::poll(&end, 1, 0), 0) << "it has ended too early";
  ::kill(runner, SIGKILL);
  ::waitpid(runner, nullptr, 0);
  EXPECT_EQ(::poll(&end, 1, 30'000), 1);
  for (const int fd : {hook, said[0], said[1]}) ::close(fd);
}

TEST(RunHook, ThatPrintsWithoutEndIsNeitherBlockedNorKeptWhole) {
  HookResult result = shell("yes abcdefg | head -c 3000000; echo the end; exit 1");
  EXPECT_EQ(result.end, HookEnd::exited);
  EXPECT_EQ(result.output.view().size(), 500u);
  EXPECT_TRUE(output_of(result).ends_with("abcdefg the end")) << output_of(result);
}

// A program that does not expect EAGAIN would lose what it prints.
TEST(RunHook, OutputIsNotInNonBlockingMode) {
  const std::string flags =
      output_of(run({"grep", "flags", "/proc/self/fdinfo/1"}, 0, "{}", {}, "/bin/grep"));
  ASSERT_TRUE(flags.starts_with("flags: ")) << flags;
  EXPECT_EQ(std::stoul(flags.substr(7), nullptr, 8) & O_NONBLOCK, 0u) << flags;
}

TEST(RunHook, OutputIsOneLineWithoutControlCharacters) {
  HookResult result = shell("printf 'a\\tb\\033c\\r\\nd\\n\\n  '; exit 1");
  EXPECT_EQ(output_of(result), "a b c  d");
}

std::string children() {
  int fd = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  char text[4096];
  ssize_t size = ::read(fd, text, sizeof text);
  ::close(fd);
  return size < 0 ? "unreadable" : std::string(text, static_cast<size_t>(size));
}

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0;
  return count;
}

TEST(RunHook, LeavesNoChildAndNoDescriptorBehind) {
  const std::string children_before = children();
  const int before = open_descriptors();
  shell("exit 0");
  shell("exit 1");
  shell("sleep 60", 1);
  run({"x"}, 0, "{}", {}, "/ocirt-there-is-no-such-hook");
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(children(), children_before);
}

}  // namespace
}  // namespace ocirt::bare
