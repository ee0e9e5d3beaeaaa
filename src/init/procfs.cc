// procfs for a pid namespace that is joined.
//
// A procfs shows the pid namespace of whoever opens the file system, and setns(2) takes only the
// children of its caller into one; init itself stays outside until it has given up its rights
// (successor.cc). What init mounts would be the host's processes. So the file system is made before
// anything else, as a detached mount that perform_mounts() attaches:
//
// - by the option "pidns" where procfs has it (Linux 6.17);
// - elsewhere by a child that is born inside. Processes in there can see it, and one with
//   CAP_SYS_PTRACE over the host's processes could take it over or look at what it has open
//   (CVE-2016-9962's kind). So the child has nothing: the rootfs as its root, no descriptor but a
//   socket, one capability, and a filter that lets it make a file system and say so. What is
//   mounted in the end is checked to be a procfs.
//
// This comes before a user namespace is entered, from where the rights over a pid namespace of the
// host would be missing.
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "src/init/channel.h"
#include "src/init/init.h"
#include "src/init/mount_api.h"
#include "src/init/mount_steps.h"

namespace ocirt::init {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

bool is_procfs(const Init& init, const plan::Mount& mount) {
  return mount.kind == plan::MountKind::filesystem && init.view.view(mount.type) == "proc";
}

// A call that the child may make. `rest`: how many more such lines follow.
constexpr sock_filter allowed(long call, size_t rest) {
  return {BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint8_t>(rest + 1), 0,
          static_cast<uint32_t>(call)};
}

void forbid_the_rest(const Init& init) {
  static constexpr sock_filter kFilter[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, arch)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 9, kArchitecture},
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      allowed(SYS_clone, 7),
      allowed(SYS_fsopen, 6),
      allowed(SYS_fsconfig, 5),
      allowed(SYS_fsmount, 4),
      allowed(SYS_read, 3),  // what a file system says of an option
      allowed(SYS_sendmsg, 2),
      allowed(SYS_sendto, 1),  // a failure
      allowed(SYS_exit_group, 0),
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog program{sizeof kFilter / sizeof kFilter[0], const_cast<sock_filter*>(kFilter)};
  long result = bare::call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
  // A kernel without filters.
  if (result != -ENOSYS && result != -EINVAL) must(init, result, "load a filter");
}

// The child of init that goes into the pid namespace by a child of its own, and never comes back.
[[noreturn]] void mount_inside(Init& init, const plan::Mount& mount, const plan::Join& join,
                               int socket) {
  init.channel = socket;  // to which failures go, too
  must(init, bare::call(SYS_setns, join.fd, CLONE_NEWPID), "join ", init.text(join.path));
  const char* root = init.text(init.plan.root);
  must(init, bare::call(SYS_chdir, root), "enter ", root);
  must(init, bare::call(SYS_chroot, "."), "chroot ", root);
  bare::call(SYS_close_range, 0, socket - 1, 0);
  bare::call(SYS_close_range, socket + 1, ~0U, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  constexpr uint32_t kBit = 1U << CAP_SYS_ADMIN;
  const __user_cap_data_struct data[2] = {{kBit, kBit, 0}, {}};
  must(init, bare::call(SYS_capset, &header, data), "capset");
  forbid_the_rest(init);
  const long pid =
      must(init, bare::call(SYS_clone, CLONE_PARENT, nullptr, nullptr, nullptr, nullptr),
           "enter the pid namespace");
  if (pid == 0) {
    const plan::Header done{plan::Word::fetched};
    const int tree = detached_filesystem(init, mount, init.view.view(mount.data));
    send_descriptor(socket, &done, sizeof done, tree);
  }
  bare::exit_now(0);
}

int mount_by_child(Init& init, const plan::Mount& mount, const plan::Join& join) {
  int ends[2];
  must_for(init, mount, bare::call(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends),
           ": socketpair");
  // Without a signal at its end.
  const long pid = must_for(
      init, mount, bare::call(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr), ": clone");
  if (pid == 0) mount_inside(init, mount, join, ends[1]);
  bare::close(ends[1]);
  char text[plan::kMostText];
  const Heard heard = hear(ends[0], text, sizeof text);
  bare::close(ends[0]);
  while (bare::call(SYS_wait4, -1, nullptr, __WALL, nullptr) > 0) {
  }
  const long size = heard.size - static_cast<long>(sizeof heard.header);
  if (size >= 0 && heard.header.word == plan::Word::failed) {
    fail_with(init, heard.header.error, {text, static_cast<size_t>(size)});
  }
  struct statfs info{};
  if (heard.fd < 0 || bare::call(SYS_fstatfs, heard.fd, &info) < 0 ||
      info.f_type != PROC_SUPER_MAGIC) {
    fail_for(init, mount, 0, ": the process that should mount it in the pid namespace was killed");
  }
  return heard.fd;
}

}  // namespace

void make_joined_procfs(Init& init) {
  if (!init.plan.join_pid_namespace) return;
  const plan::Join* join = nullptr;
  for (const plan::Join& one : init.list(init.plan.joins)) {
    if ((one.flag & CLONE_NEWPID) != 0) join = &one;
  }
  size_t used = 0;
  for (const plan::Mount& mount : init.list(init.plan.mounts)) {
    if (!is_procfs(init, mount)) continue;
    if (join == nullptr || used == plan::kMostJoinedProcfs) return;  // never: see draft_mounts()
    int tree = detached_filesystem(init, mount, init.view.view(mount.data), join->fd);
    if (tree < 0) tree = mount_by_child(init, mount, *join);
    init.procfs[used++] = tree;
  }
}

int next_joined_procfs(Init& init, const plan::Mount& mount) {
  if (!init.plan.join_pid_namespace || !is_procfs(init, mount)) return -1;
  return init.procfs[init.used_procfs++];
}

}  // namespace ocirt::init
