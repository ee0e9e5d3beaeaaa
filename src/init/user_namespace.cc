// A user namespace, new or joined (config-linux.md, "User namespace mappings").
//
// Init is executed outside of it and enters before it makes anything else, so that all that is new
// belongs to it: one unshare(2) makes the user namespace first and the others in it. To be executed
// inside would be worse twice: an exec in a namespace that is not mapped yet takes all privileges
// away, and init's memory would belong to the namespace. As it is, nobody in there can trace init,
// not even a user 0 that has been there before (CVE-2016-9962's kind), until the program is
// executed: init is not dumpable, and to look into it all the same takes CAP_SYS_PTRACE outside.
//
// For the same reason init's own files in /proc are not its own in there, so that what goes to them
// is written by ocirt, while init waits: see container/user_namespace.cc.
#include <linux/sched.h>
#include <sys/prctl.h>

#include "src/init/channel.h"
#include "src/init/init.h"

namespace ocirt::init {
namespace {

// As hand_over_streams() does it for other users (credentials.cc); in the namespace there will be
// no right to it. Terminals and devices belong to whoever called us.
void give_streams_away(const Init& init) {
  const uint32_t owner = init.plan.user.stream_owner;
  if (owner == plan::kNoIndex || init.plan.process.terminal) return;
  for (int fd = 0; fd < 3; ++fd) {
    struct stat status{};
    if (bare::call(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH) < 0) continue;
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode) || status.st_uid == owner) continue;
    bare::call(SYS_fchown, fd, owner, ~0U);
  }
}

// Beyond the namespace's border nobody can raise a hard limit; set_rlimits() lowers what is raised
// here. What fails here fails there too, with its message.
void raise_hard_limits(const Init& init) {
  for (const plan::Rlimit& limit : init.list(init.plan.process.rlimits)) {
    uint64_t values[2] = {};
    if (bare::call(SYS_prlimit64, 0, limit.resource, nullptr, values) < 0) continue;
    if (limit.hard <= values[1]) continue;
    values[1] = limit.hard;
    bare::call(SYS_prlimit64, 0, limit.resource, values, nullptr);
  }
}

void join(const Init& init, const plan::Join& join) {
  must(init, bare::call(SYS_setns, join.fd, join.flag), "join ", init.text(join.path));
  bare::close(join.fd);
}

bool is_user(const plan::Join& join) { return (join.flag & CLONE_NEWUSER) != 0; }

// The caller's groups are given back by whoever may: an ordinary user only inside, and not where it
// has mapped its own group (EPERM); real root at once, since a namespace that is joined may deny
// setgroups(2) to everybody (user_namespaces(7)). Returns whether they are gone.
// run.oci.keep_original_groups: they stay, whether they are mapped or not.
bool drop_groups(const Init& init) {
  if (!init.plan.process.set_groups) return true;
  const long dropped = bare::call(SYS_setgroups, 0, nullptr);
  if (dropped == -EPERM) return false;
  must(init, dropped, "setgroups");
  return true;
}

// With the first of these no privilege outside is left.
void become_root(const Init& init) {
  long result = bare::call(SYS_setresgid, 0, 0, 0);
  if (result == -EINVAL) fail(init, 0, "group 0 is not mapped in the user namespace");
  must(init, result, "become group 0");
  result = bare::call(SYS_setresuid, 0, 0, 0);
  if (result == -EINVAL) fail(init, 0, "user 0 is not mapped in the user namespace");
  must(init, result, "become user 0");
  // Another user than before is dumpable as fs.suid_dumpable says.
  must(init, bare::prctl(PR_SET_DUMPABLE, 0), "stay unreadable");
}

}  // namespace

void enter_user_namespace(Init& init) {
  const plan::Plan& plan = init.plan;
  const bool groups_dropped = drop_groups(init);
  give_streams_away(init);
  raise_hard_limits(init);
  auto joins = init.list(plan.joins);
  // The others may belong to the host, whose rights are gone afterwards.
  if (!plan.user.join_first) make_joined_procfs(init);
  for (const plan::Join& one : joins) {
    if (!plan.user.join_first && !is_user(one)) join(init, one);
  }
  for (const plan::Join& one : joins) {
    if (is_user(one)) join(init, one);
  }
  if (plan.unshare != 0) {
    // A new ipc namespace has its file system at once, with the owner that we are now.
    if (plan.user.root_uid != plan::kNoIndex && plan.user.root_gid != plan::kNoIndex) {
      bare::call(SYS_setfsgid, plan.user.root_gid);
      bare::call(SYS_setfsuid, plan.user.root_uid);
    }
    long result = bare::call(SYS_unshare, plan.unshare);
    if (result == -ENOSPC) {
      fail(init, 0, "unshare: too many namespaces, see /proc/sys/user/max_*_namespaces");
    }
    if (result == -EPERM && plan.user.traceable) {
      fail(init, 0, "unshare: this host lets no ordinary user make user namespaces ",
           "(kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)");
    }
    must(init, result, "unshare");
  }
  if (plan.user.join_first) make_joined_procfs(init);
  for (const plan::Join& one : joins) {
    if (plan.user.join_first && !is_user(one)) join(init, one);
  }
  if (plan.user.settles) {
    if (plan.user.traceable) bare::prctl(PR_SET_DUMPABLE, 1);
    tell(init, plan::Word::unmapped);
    await(init, plan::Word::mapped);
  }
  if (!groups_dropped) (void)drop_groups(init);
  become_root(init);
}

int fetch(const Init& init, uint32_t number) {
  plan::Header header{plan::Word::fetch};
  header.number = number;
  must(init, bare::write(init.channel, &header, sizeof header), "tell ocirt");
  return await(init, plan::Word::fetched, true).fd;
}

}  // namespace ocirt::init
