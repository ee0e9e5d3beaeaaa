// An allow list, since new system calls appear with every kernel. What is not in it: modules,
// kexec, reboot, swap, clocks, mounts, namespaces, keys, tracing of others, bpf, perf, io_uring,
// and what is obsolete. Groups of these come back with the capability that the kernel demands for
// them anyway: to have NET_ADMIN or SYS_ADMIN and not be able to use it would only confuse. An
// answer of EPERM for the rest would make programs believe that a new call exists; ocirt answers
// ENOSYS to calls that are newer than all that a profile names (docs/design.md, "Why a seccomp
// generator of our own").
#include "src/podfile/default_profiles.h"

#include <sched.h>

#include <algorithm>

#include "src/base/text.h"

namespace ocirt::podfile {
namespace {

constexpr std::string_view kCapabilities[] = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",     "CAP_FSETID",
    "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",    "CAP_SETFCAP",
    "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT",
};

// By topic, one blank between names. One literal for each line, and one string for each topic.
// NOLINTBEGIN(bugprone-suspicious-missing-comma)
constexpr std::string_view kAllowed[] = {
    // files and directories
    "access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 "
    "faccessat faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown "
    "fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr "
    "fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd "
    "getdents "
    "getdents64 getxattr getxattrat lchown lchown32 lgetxattr link linkat listxattr listxattrat "
    "llistxattr lremovexattr lseek lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat newfstatat "
    "open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink "
    "readlinkat readv removexattr removexattrat rename renameat renameat2 rmdir sendfile "
    "sendfile64 "
    "setxattr setxattrat splice stat stat64 statfs statfs64 statx symlink symlinkat sync "
    "sync_file_range sync_file_range2 syncfs tee truncate truncate64 umask unlink unlinkat utime "
    "utimensat utimensat_time64 utimes vmsplice write writev _llseek ioctl",
    // waiting and notification
    "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait "
    "epoll_wait_old eventfd eventfd2 inotify_add_watch inotify_init inotify_init1 inotify_rm_watch "
    "io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit pipe "
    "pipe2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select _newselect signalfd signalfd4 "
    "timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64",
    // sockets
    "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg "
    "recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketpair",
    // memory
    "brk cachestat get_mempolicy madvise map_shadow_stack membarrier memfd_create memfd_secret "
    "mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal msync munlock munlockall "
    "munmap "
    "pkey_alloc pkey_free pkey_mprotect remap_file_pages",
    // processes and threads
    "alarm arch_prctl capget capset execve execveat exit exit_group fork futex futex_requeue "
    "futex_time64 futex_wait futex_waitv futex_wake get_robust_list get_thread_area getcpu getegid "
    "getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpgid getpgrp "
    "getpid getppid getpriority getresgid getresgid32 getresuid getresuid32 getrlimit getrusage "
    "getsid gettid getuid getuid32 ioprio_get ioprio_set kill modify_ldt nanosleep pause "
    "pidfd_open "
    "pidfd_send_signal prctl prlimit64 process_mrelease restart_syscall rseq rt_sigaction "
    "rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
    "rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min "
    "sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval "
    "sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam "
    "sched_setscheduler "
    "sched_yield set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid "
    "setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid "
    "setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid "
    "setuid setuid32 sigaltstack sigprocmask sigreturn tgkill time times tkill ugetrlimit vfork "
    "wait4 waitid waitpid",
    // interprocess communication
    "ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend "
    "mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop "
    "semtimedop_time64 shmat shmctl shmdt shmget",
    // time, system, own limits on oneself
    "clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 "
    "clock_nanosleep clock_nanosleep_time64 getrandom gettimeofday landlock_add_rule "
    "landlock_create_ruleset landlock_restrict_self name_to_handle_at seccomp sysinfo "
    "adjtimex timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 "
    "timer_settime "
    "timer_settime64 uname lsm_get_self_attr lsm_list_modules lsm_set_self_attr statmount "
    "listmount "
    "breakpoint cacheflush set_tls sync_file_range2 arm_fadvise64_64 arm_sync_file_range",
    // the own process's memory, which the kernel guards by ptrace's rules
    "process_vm_readv process_vm_writev ptrace kcmp pidfd_getfd process_madvise",
};
// NOLINTEND(bugprone-suspicious-missing-comma)

struct ForCapability {
  std::string_view capability;
  std::string_view names;
};

constexpr ForCapability kMore[] = {
    {"CAP_DAC_READ_SEARCH", "open_by_handle_at"},
    {"CAP_SYS_ADMIN",
     "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount "
     "mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname "
     "sethostname setns syslog umount umount2 unshare"},
    {"CAP_SYS_BOOT", "reboot"},
    {"CAP_SYS_CHROOT", "chroot"},
    {"CAP_SYS_MODULE", "delete_module finit_module init_module"},
    {"CAP_SYS_PACCT", "acct"},
    {"CAP_SYS_RAWIO", "ioperm iopl"},
    {"CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime"},
    {"CAP_SYS_TTY_CONFIG", "vhangup"},
    {"CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"},
    {"CAP_SYSLOG", "syslog"},
    {"CAP_BPF", "bpf"},
    {"CAP_PERFMON", "perf_event_open"},
};

// The families of sockets, all but two: AF_ALG (38), since what is in the kernel's crypto has been
// a way to write into the page cache (CVE-2026-31431), and AF_VSOCK (40), which reaches the
// hypervisor, past the pod's network namespace. The kernel takes the lower half of the argument and
// a filter compares all of it: "not 38" would allow 38 with a bit above. So each range says which
// bits it looks at.
//
// i386 programs can also ask by socketcall(2), which has its arguments in memory. It is not in the
// list: what it asks for is allowed where the call of that name is without conditions, and so never
// socket(2).
struct Families {
  uint64_t mask;
  uint64_t value;
};
constexpr Families kFamilies[] = {
    {0xffffffe0, 0},                                       // 0 to 31
    {0xfffffffc, 32},                                      // to 35
    {0xfffffffe, 36},                                      // and 37
    {0xffffffff, 39}, {0xffffffff, 41}, {0xfffffffe, 42},  // and 43
    {0xfffffffc, 44},                                      // to 47
};

bool has(const std::vector<std::string>& capabilities, std::string_view name) {
  return std::find(capabilities.begin(), capabilities.end(), name) != capabilities.end();
}

void allow(oci::Seccomp& profile, std::string_view names) {
  oci::Syscall rule;
  rule.action = oci::SeccompAction::kAllow;
  for (std::string_view name : split(names, ' ')) rule.names.emplace_back(name);
  profile.syscalls.push_back(std::move(rule));
}

void allow_if(oci::Seccomp& profile, std::string_view name, oci::SyscallArg argument) {
  allow(profile, name);
  profile.syscalls.back().args.push_back(argument);
}

}  // namespace

std::span<const std::string_view> default_capabilities() { return kCapabilities; }

oci::Seccomp default_seccomp(const std::vector<std::string>& capabilities) {
  oci::Seccomp profile;
  profile.default_action = oci::SeccompAction::kErrno;
  profile.default_errno_ret = 1;  // EPERM
#if defined(__x86_64__)
  profile.architectures = {oci::SeccompArch::kX86_64, oci::SeccompArch::kX86,
                           oci::SeccompArch::kX32};
#elif defined(__aarch64__)
  profile.architectures = {oci::SeccompArch::kAarch64, oci::SeccompArch::kArm};
#endif
  for (std::string_view names : kAllowed) allow(profile, names);
  for (const ForCapability& more : kMore) {
    if (has(capabilities, more.capability)) allow(profile, more.names);
  }
  for (const Families& families : kFamilies) {
    allow_if(profile, "socket",
             {.index = 0,
              .value = families.mask,
              .value_two = families.value,
              .op = oci::SeccompOperator::kMaskedEq});
  }
  // The personalities of an ordinary program: Linux, 32 bits, without randomised addresses, and
  // asking.
  for (uint64_t personality : {0x0ULL, 0x8ULL, 0x20000ULL, 0x20008ULL, 0xffffffffULL}) {
    allow_if(profile, "personality", {.index = 0, .value = personality});
  }
  if (!has(capabilities, "CAP_SYS_ADMIN")) {
    // Threads and processes, but no new namespaces. clone3 has its flags in memory, where a filter
    // cannot look; with ENOSYS the C library falls back to clone.
    constexpr uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                     CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    allow_if(
        profile, "clone",
        {.index = 0, .value = kNamespaces, .value_two = 0, .op = oci::SeccompOperator::kMaskedEq});
    oci::Syscall clone3;
    clone3.names = {"clone3"};
    clone3.action = oci::SeccompAction::kErrno;
    clone3.errno_ret = 38;  // ENOSYS
    profile.syscalls.push_back(std::move(clone3));
  }
  return profile;
}

}  // namespace ocirt::podfile
