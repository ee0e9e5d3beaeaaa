#include "src/sys/spawn.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/process.h"
#include "src/sys/signals.h"

namespace ocirt::sys {
namespace {

struct Pipe {
  Pipe() {
    int fds[2];
    EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    from = UniqueFd(fds[0]);
    to = UniqueFd(fds[1]);
  }
  UniqueFd from, to;
};

// A shell as the program; what its script prints to $OUT comes back.
class Spawning : public testing::Test {
 protected:
  Result<Child> start(std::string script) { return execute({"sh", "-c", std::move(script)}); }
  Result<Child> execute(std::vector<std::string> words) {
    words_ = std::move(words);
    for (const std::string& word : words_) argv_.push_back(word.c_str());
    argv_.push_back(nullptr);
    out_ = cat("OUT=/proc/self/fd/", output.to.raw());  // a shell redirects to one digit only
    envp_ = {out_.c_str(), "PATH=/usr/bin:/bin", nullptr};
    keep.push_back(output.to.raw());
    request.program = program;
    request.argv = argv_.data();
    request.envp = envp_.data();
    request.keep = keep;
    return spawn(request);
  }
  // What it has printed until its end, or the reason why there is nothing.
  std::string printed(Result<Child> child) {
    if (!child) return child.error().text;
    output.to.reset();
    std::string text = *read_all(output.from, "output");
    EXPECT_EQ(wait_child(child->pidfd)->shell_code(), 0);
    return text;
  }
  std::string run(std::string script) { return printed(start(std::move(script))); }
  // A mask of its /proc/self/status, by a program that leaves its signals alone (a shell does not).
  uint64_t own_mask(std::string_view field) {
    program = *open(kCwd, "/bin/cp", O_RDONLY);
    std::string status =
        printed(execute({"cp", "/proc/self/status", cat("/proc/self/fd/", output.to.raw())}));
    std::string_view rest = status;
    while (auto line = next_line(rest)) {
      if (line->starts_with(field))
        return *to_number<uint64_t>(trim(line->substr(field.size() + 1)), 16);
    }
    ADD_FAILURE() << "no " << field << " in: " << status;
    return 0;
  }

  UniqueFd program = *open(kCwd, "/bin/sh", O_RDONLY);
  Pipe output;
  std::vector<int> keep;
  Spawn request;

 private:
  std::string out_;
  std::vector<std::string> words_;
  std::vector<const char*> argv_, envp_;
};

TEST_F(Spawning, ExecutesTheProgramWithItsArgumentsAndEnvironment) {
  EXPECT_EQ(run("echo $0 ${HOME-none} >$OUT"), "sh none\n");
}

TEST_F(Spawning, GivesPidAndPidfdOfOurChild) {
  Child child = *start("exit 7");
  UniqueFd same = *pidfd_open(child.pid);
  EXPECT_EQ((**process_stat(child.pid)).parent, ::getpid());
  EXPECT_EQ(::fcntl(child.pidfd.raw(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(wait_child(child.pidfd)->code, 7);
  EXPECT_EQ(send_signal(same, 0).error().code, ESRCH);
}

TEST_F(Spawning, OnlyKeptDescriptorsReachTheProgramAtTheirNumbers) {
  // High numbers: a shell has some low ones of its own.
  UniqueFd kept(::fcntl(program.raw(), F_DUPFD_CLOEXEC, 500));
  UniqueFd other(::fcntl(program.raw(), F_DUPFD_CLOEXEC, 500));
  UniqueFd same(::fcntl(program.raw(), F_DUPFD_CLOEXEC, 500));
  std::swap(program, same);
  keep = {kept.raw()};
  EXPECT_EQ(run(cat("for fd in ", kept.raw(), " ", other.raw(), " ", program.raw(),
                    "; do [ -e /proc/self/fd/$fd ] && echo open || echo closed; done >$OUT")),
            "open\nclosed\nclosed\n");
  EXPECT_EQ(::fcntl(kept.raw(), F_GETFD), FD_CLOEXEC);  // ours are as they were
}

// SIGKILL and SIGSTOP cannot be blocked, and the C library keeps 32 and 33 for itself.
constexpr uint64_t kBlockable =
    ~(uint64_t{1} << (SIGKILL - 1) | uint64_t{1} << (SIGSTOP - 1) | uint64_t{3} << 31);

TEST_F(Spawning, StartsWithEverySignalBlocked) {
  EXPECT_EQ(own_mask("SigBlk:") & kBlockable, kBlockable);
}

TEST_F(Spawning, UnderASignalInboxTheSignalsAreBlockedAlready) {
  SignalInbox inbox = *SignalInbox::open();
  request.signals_blocked = true;
  EXPECT_EQ(own_mask("SigBlk:") & kBlockable, kBlockable);
  sigset_t mask;
  ::sigprocmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(::sigismember(&mask, SIGTERM), 1);
}

TEST_F(Spawning, IgnoredSignalsStayIgnored) {
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGUSR2, &ignore, &before);
  const uint64_t ignored = own_mask("SigIgn:");
  ::sigaction(SIGUSR2, &before, nullptr);
  EXPECT_NE(ignored & uint64_t{1} << (SIGUSR2 - 1), 0u);
}

TEST_F(Spawning, OurOwnMaskAndHandlersStay) {
  struct sigaction handler{}, before{}, after{};
  handler.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &handler, &before);
  sigset_t mask_before, mask_after;
  ::sigprocmask(SIG_SETMASK, nullptr, &mask_before);
  run("true");
  ::sigprocmask(SIG_SETMASK, nullptr, &mask_after);
  ::sigaction(SIGUSR1, &before, &after);
  EXPECT_EQ(after.sa_handler, handler.sa_handler);
  for (int signal = 1; signal < NSIG; ++signal) {
    EXPECT_EQ(::sigismember(&mask_before, signal), ::sigismember(&mask_after, signal)) << signal;
  }
}

TEST_F(Spawning, ProgramThatCannotBeExecutedIsAnErrorAndTheChildIsReaped) {
  UniqueFd nothing = *open(kCwd, "/dev/null", O_RDONLY);
  std::swap(program, nothing);
  Result<Child> child = start("true");
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, EACCES);
  EXPECT_EQ(child.error().text, "execute the container's init: Permission denied");
  output.to.reset();
  EXPECT_EQ(*read_all(output.from, "output"), "");  // nobody has the other end
}

TEST_F(Spawning, ChildThatFailedIsReaped) {
  auto children = [] { return *read_file(kCwd, "/proc/thread-self/children"); };
  const std::string before = children();
  program = *open(kCwd, "/dev/null", O_RDONLY);
  EXPECT_FALSE(start("true"));
  EXPECT_EQ(children(), before);
}

TEST_F(Spawning, DescriptorThatCannotBeKeptIsAnError) {
  Pipe gone;
  keep = {gone.to.raw()};
  gone.to.reset();
  Result<Child> child = start("true");
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().text, "keep a descriptor open: Bad file descriptor");
}

TEST_F(Spawning, CgroupThatCannotBeEnteredIsAnError) {
  UniqueFd procs = *open(kCwd, "/dev/full", O_WRONLY);
  const int join[] = {procs.raw()};
  request.join = join;
  Result<Child> child = start("true");
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().text, "enter the cgroup: No space left on device");
}

TEST_F(Spawning, WritesItselfIntoEveryProcsFileBeforeItsProgramRuns) {
  Pipe first, second;
  const int join[] = {first.to.raw(), second.to.raw()};
  request.join = join;
  Child child = *start("exit 0");
  first.to.reset();
  second.to.reset();
  EXPECT_EQ(*read_all(first.from, "first"), "0");  // cgroup.procs: 0 is the writer
  EXPECT_EQ(*read_all(second.from, "second"), "0");
  (void)wait_child(child.pidfd);
}

TEST_F(Spawning, WhatCloneRefusesIsAnError) {
  request.flags = CLONE_NEWNS | CLONE_FS;  // EINVAL by clone(2)
  Result<Child> child = start("true");
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, EINVAL);
  EXPECT_EQ(child.error().text, "clone3: Invalid argument");
}

TEST_F(Spawning, DirectoryThatIsNoCgroupIsRefused) {
  UniqueFd directory = *open(kCwd, "/tmp", O_RDONLY | O_DIRECTORY);
  request.cgroup = directory;
  EXPECT_TRUE(start("true").error().text.starts_with("clone3: "));
}

TEST_F(Spawning, IsBornInItsNamespaces) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: makes a pid and a UTS namespace";
  request.flags = CLONE_NEWPID | CLONE_NEWUTS;
  EXPECT_EQ(run("echo $$ >$OUT; hostname inside && hostname >$OUT"), "1\ninside\n");
  char name[256] = {};
  ASSERT_EQ(::gethostname(name, sizeof name - 1), 0);
  EXPECT_STRNE(name, "inside");
}

TEST_F(Spawning, BehindAGateRunsOnlyAfterAByte) {
  Pipe gate;
  request.gate = gate.from;
  Child child = *start("echo runs >$OUT");
  output.to.reset();
  EXPECT_FALSE(*wait_until_ended(child.pidfd, 50));
  EXPECT_EQ((**process_stat(child.pid)).parent, ::getpid());
  ASSERT_EQ(::write(gate.to.raw(), "x", 1), 1);
  EXPECT_EQ(*read_all(output.from, "output"), "runs\n");
  EXPECT_EQ(wait_child(child.pidfd)->shell_code(), 0);
}

TEST_F(Spawning, BehindAGateThatIsClosedNeverRuns) {
  Pipe gate;
  request.gate = gate.from;
  gate.to.reset();  // before, since the child gets a copy of every descriptor
  Child child = *start("echo runs >$OUT");
  EXPECT_EQ(wait_child(child.pidfd)->code, 126);
  output.to.reset();
  EXPECT_EQ(*read_all(output.from, "output"), "");
}

TEST_F(Spawning, BehindAGateHearsThatItsKeyIsClosedAfterwards) {
  Pipe gate;
  request.gate = gate.from;
  request.gate_key = gate.to;
  Child child = *start("echo runs >$OUT");
  EXPECT_FALSE(*wait_until_ended(child.pidfd, 20));
  gate.to.reset();
  EXPECT_EQ(wait_child(child.pidfd)->code, 126);
}

TEST_F(Spawning, BehindAGateFailsInSilence) {
  Pipe gate;
  UniqueFd nothing = *open(kCwd, "/dev/null", O_RDONLY);
  std::swap(program, nothing);
  request.gate = gate.from;
  Child child = *start("true");
  ASSERT_EQ(::write(gate.to.raw(), "x", 1), 1);
  EXPECT_EQ(wait_child(child.pidfd)->code, 126);
}

TEST_F(Spawning, ChildCanBelongToTheParent) {
  request.for_parent = true;
  Pipe pid_pipe;
  const pid_t worker = ::fork();
  if (worker == 0) {
    Result<Child> child = start("read line <&0; exit 3");
    const pid_t pid = child ? child->pid : 0;
    const bool waited = child && wait_child(child->pidfd);  // it is none of ours
    const pid_t said[2] = {pid, waited ? 1 : 0};
    (void)!::write(pid_pipe.to.raw(), said, sizeof said);
    ::_exit(0);
  }
  pid_t said[2] = {};
  ASSERT_EQ(::read(pid_pipe.from.raw(), said, sizeof said), static_cast<ssize_t>(sizeof said));
  EXPECT_EQ(::waitpid(worker, nullptr, 0), worker);
  EXPECT_EQ(said[1], 0);
  int status = 0;
  ASSERT_EQ(::waitpid(said[0], &status, 0), said[0]);
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST_F(Spawning, FailureOfAChildOfTheParentIsReportedToTheWorker) {
  request.for_parent = true;
  program = *open(kCwd, "/etc/passwd", O_RDONLY);
  Pipe answer;
  const pid_t worker = ::fork();
  if (worker == 0) {
    Result<Child> child = execute({"x"});
    (void)write_all(answer.to, "pipe", child ? "runs" : child.error().text);
    ::_exit(0);
  }
  answer.to.reset();
  EXPECT_EQ(*read_all(answer.from, "pipe"), "execute the container's init: Permission denied");
  EXPECT_EQ(::waitpid(worker, nullptr, 0), worker);
  EXPECT_GT(::waitpid(-1, nullptr, 0), 0);  // what had failed was ours to reap
}

}  // namespace
}  // namespace ocirt::sys
