#include "src/sys/spawn.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <new>

#include "src/base/text.h"
#include "src/sys/process.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL  // Linux 5.5
#endif

namespace ocirt::sys {
namespace {

constexpr size_t kStackSize = size_t{16} * 1024;  // for a dozen calls

// What the child needs, and where it leaves word of its failure: the memory is shared.
struct ChildSide {
  Spawn request;
  volatile int error = 0;
  const char* volatile step = "";
};

// Runs in the child, on its own stack, in our memory: system calls only.
[[noreturn]] void run_child(ChildSide* side) {
  const Spawn& request = side->request;
  auto fail = [&](const char* step) {
    side->error = errno;
    side->step = step;
    ::_exit(126);
  };
  for (int procs : request.join) {
    if (::write(procs, "0", 1) < 0) fail("enter the cgroup");
  }
  for (int fd : request.keep) {
    if (::fcntl(fd, F_SETFD, 0) < 0) fail("keep a descriptor open");
  }
  if (request.gate.valid()) {
    if (request.gate_key.valid()) ::close(request.gate_key.raw());
    char byte = 0;
    ssize_t got = 0;
    do {
      got = ::read(request.gate.raw(), &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got != 1) ::_exit(126);  // the parent gave up
  }
  ::syscall(SYS_execveat, request.program.raw(), "", request.argv, request.envp, AT_EMPTY_PATH);
  fail("execute the container's init");
  __builtin_unreachable();
}

// clone3(2) with a stack for the child, which glibc 2.36 does not offer. The child never returns
// from here: it calls run_child() on its own stack.
long clone3_on_stack(clone_args* args, ChildSide* side) {
#if defined(__x86_64__)
  long result = 0;
  register void (*entry)(ChildSide*) asm("r12") = run_child;
  register ChildSide* argument asm("r13") = side;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r13, %%rdi\n\t"
      "call *%%r12\n\t"
      "hlt\n\t"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone3), "D"(args), "S"(sizeof *args), "r"(entry), "r"(argument)
      : "rcx", "r11", "memory", "cc");
  return result;
#elif defined(__aarch64__)
  register long number asm("x8") = SYS_clone3;
  register long result asm("x0") = reinterpret_cast<long>(args);
  register long size asm("x1") = sizeof *args;
  register void (*entry)(ChildSide*) asm("x9") = run_child;
  register ChildSide* argument asm("x10") = side;
  asm volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, #0\n\t"
      "mov x0, x10\n\t"
      "blr x9\n\t"
      "brk #0\n\t"
      "1:"
      : "+r"(result)
      : "r"(number), "r"(size), "r"(entry), "r"(argument)
      : "x30", "memory", "cc");
  return result;
#else
#error "clone3 on a separate stack is written for x86_64 and aarch64 only"
#endif
}

}  // namespace

Result<Child> spawn(const Spawn& request) {
  Child child;
  // The lowest bytes of the stack's memory hold what the child reads: with a gate it outlives this
  // function's frame.
  child.stack.reset(new char[kStackSize]);
  auto* side = new (child.stack.get()) ChildSide{request};
  int pidfd = -1;
  const bool waits = request.gate.valid();
  clone_args args{};
  args.flags = request.flags | CLONE_VM | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  if (!waits) args.flags |= CLONE_VFORK;
  if (request.for_parent) args.flags |= CLONE_PARENT;
  if (request.cgroup.valid()) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(request.cgroup.raw());
  }
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  // With CLONE_PARENT it is the signal by which our own end is told.
  args.exit_signal = request.for_parent ? 0 : SIGCHLD;
  const auto begin = reinterpret_cast<uint64_t>(child.stack.get());
  args.stack = (begin + sizeof(ChildSide) + 15) & ~uint64_t{15};
  args.stack_size = (begin + kStackSize - args.stack) & ~uint64_t{15};

  // A handler that ran in the child would run in our memory. The program starts with all signals
  // blocked and has to unblock them.
  sigset_t all, before;
  ::sigfillset(&all);
  if (!request.signals_blocked) ::sigprocmask(SIG_SETMASK, &all, &before);
  long pid = clone3_on_stack(&args, side);
  if (!request.signals_blocked) ::sigprocmask(SIG_SETMASK, &before, nullptr);
  // The raw call returns -errno.
  if (pid < 0) return process_error("clone3", static_cast<int>(-pid));
  child.pid = static_cast<pid_t>(pid);
  child.pidfd = UniqueFd(pidfd);
  if (!waits && side->error != 0) {
    (void)end_of(child.pidfd, request.for_parent);
    return process_error(side->step, side->error);
  }
  return child;
}

std::unexpected<Error> process_error(std::string_view what, int code) {
  std::unexpected<Error> error = os_error(what, code);
  if (code == EAGAIN) {
    error.error().text +=
        " (a limit of processes is reached: RLIMIT_NPROC of the user, pids.max of a cgroup, or "
        "kernel.threads-max)";
  }
  return error;
}

}  // namespace ocirt::sys
