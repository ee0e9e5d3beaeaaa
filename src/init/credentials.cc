// Who the process is: groups, user, capabilities, no_new_privs (config.md, "POSIX process" and
// "Linux Process"; capabilities(7)). The raw calls change this thread, and there is no other.
#include <linux/capability.h>
#include <sys/prctl.h>

#include "src/init/init.h"

namespace ocirt::init {
namespace {

// What is not in the bounding set can never be had again, not even by a set-user-ID program.
void limit_bounding_set(const Init& init) {
  const plan::Process& process = init.plan.process;
  for (uint32_t capability = 0; capability < 64; ++capability) {
    if ((process.bounding >> capability & 1) != 0) continue;
    long result = bare::prctl(PR_CAPBSET_DROP, capability);
    if (result == -EINVAL) break;  // beyond the last that this kernel knows
    must(init, result, "drop capability ", capability, " from the bounding set");
  }
}

void change_ids(const Init& init) {
  const plan::Process& process = init.plan.process;
  auto groups = init.list(process.groups);
  if (process.set_groups) {
    const long result = bare::call(SYS_setgroups, groups.size(), groups.data());
    // Where an ordinary user has made the user namespace, not even that there are none may be said
    // (user_namespaces(7), "deny").
    const bool denied = result == -EPERM && init.plan.user.limits() && groups.empty();
    if (!denied) must(init, result, "process.user.additionalGids: setgroups");
  }
  if (process.keep_ids) return;
  must(init, bare::call(SYS_setresgid, process.gid, process.gid, process.gid),
       "process.user.gid: set ", process.gid);
  must(init, bare::call(SYS_setresuid, process.uid, process.uid, process.uid),
       "process.user.uid: set ", process.uid);
}

void set_capabilities(const Init& init) {
  const plan::Process& process = init.plan.process;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {
      {static_cast<uint32_t>(process.effective), static_cast<uint32_t>(process.permitted),
       static_cast<uint32_t>(process.inheritable)},
      {static_cast<uint32_t>(process.effective >> 32),
       static_cast<uint32_t>(process.permitted >> 32),
       static_cast<uint32_t>(process.inheritable >> 32)}};
  must(init, bare::call(SYS_capset, &header, data), "process.capabilities: capset");
  // Lowering inheritable or permitted lowers ambient with it; what is left is taken away first.
  if (process.inheritable != 0) bare::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
  for (uint32_t capability = 0; capability < 64; ++capability) {
    if ((process.ambient >> capability & 1) == 0) continue;
    must(init, bare::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability),
         "process.capabilities.ambient: raise capability ", capability,
         " (it must be permitted and inheritable too)");
  }
}

// Standard streams belong to the user, or a program could not reopen /dev/stdout. What cannot be
// changed (a read-only or foreign file) stays as it is, as the peers leave it.
void hand_over_streams(const Init& init) {
  const plan::Process& process = init.plan.process;
  if (process.uid == 0) return;
  for (int fd = 0; fd < 3; ++fd) {
    struct stat status{};
    if (bare::call(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH) < 0) continue;
    const bool null = S_ISCHR(status.st_mode) && status.st_rdev == 0x103;
    if (!null && status.st_uid != process.uid) bare::call(SYS_fchown, fd, process.uid, ~0U);
  }
}

}  // namespace

void become_user(Init& init) {
  const plan::Process& process = init.plan.process;
  hand_over_streams(init);
  limit_bounding_set(init);
  if (process.no_new_privileges)
    must(init, bare::prctl(PR_SET_NO_NEW_PRIVS, 1), "set no_new_privs");
  bare::call(SYS_umask, process.umask);  // before a filter can refuse it
  load_early_filter(init);
  // Without this, leaving user 0 would clear the permitted set, from which the new one is taken.
  // The flag is cleared by execve(2).
  if (process.uid != 0) must(init, bare::prctl(PR_SET_KEEPCAPS, 1), "keep capabilities");
  change_ids(init);
  set_capabilities(init);
  // Changing ids makes a process dumpable again or not as fs.suid_dumpable says: never yet.
  if (!process.keep_ids) must(init, bare::prctl(PR_SET_DUMPABLE, 0), "stay unreadable");
  if (init.enter_as_user) {
    init.step = "cwd";
    enter_directory(init);
  }
}

}  // namespace ocirt::init
