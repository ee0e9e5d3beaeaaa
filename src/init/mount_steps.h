// What the files that make mounts share: mounts.cc (file systems and the order), binds.cc,
// remounts.cc, filesystems.cc.
#pragma once

#include "src/init/init.h"
#include "src/init/path.h"

namespace ocirt::init {

// fail() and must() of init.h, with "mounts[3] (/proc)" before the text.
[[noreturn, gnu::cold]] void fail_for_pieces(const Init& init, const plan::Mount& mount, long error,
                                             const Piece* pieces, size_t count);

template <class... Pieces>
[[noreturn]] void fail_for(const Init& init, const plan::Mount& mount, long error,
                           Pieces... pieces) {
  const Piece list[] = {Piece(pieces)...};
  fail_for_pieces(init, mount, error, list, sizeof...(pieces));
}

template <class... Pieces>
long must_for(const Init& init, const plan::Mount& mount, long result, Pieces... pieces) {
  if (result < 0) [[unlikely]]
    fail_for(init, mount, -result, pieces...);
  return result;
}

// Whatever an image's symlinks say, nothing may be mounted over the files of /proc by which the
// kernel is told what to do to this process (CVE-2019-16884, CVE-2019-19921). The few that lxcfs
// and the like replace are what others allow too; a mount on the top of procfs itself covers it
// whole.
void refuse_inside_proc(const Init& init, const plan::Mount& mount, int target);

// The mount's propagation options, one after the other; `fd` is open on its root.
void set_propagation(const Init& init, const plan::Mount& mount, int fd);

// A detached copy of what a bind mount's source leads to.
int open_source(const Init& init, const plan::Mount& mount);

// The same in a lean namespace, whose init goes back to the host's for it, and for the bind mounts
// that follow at once (lean.cc).
int open_source_on_host(Init& init, const plan::Mount& mount);

// A copy of what is mounted elsewhere, or the symlink that "copy-symlink" asks for (binds.cc).
// Returns whether its destination was there and was reached without a symlink.
bool mount_bind(Init& init, Parent& parent, const plan::Mount& mount);

// "remount" (remounts.cc): only what the words name is changed.
void remount(const Init& init, const plan::Mount& mount);

// Takes away the topmost mount at the destination (remounts.cc).
void remove_mount(const Init& init, const plan::Mount& mount);

// A file system that is nowhere attached yet, by fsopen(2) (filesystems.cc). With a descriptor of a
// pid namespace: a procfs that shows this one; -1 where procfs cannot be told so.
int detached_filesystem(const Init& init, const plan::Mount& mount, std::string_view data,
                        int pid_namespace = -1);

// The procfs for this mount that has been made of a joined pid namespace (procfs.cc); -1: none.
int next_joined_procfs(Init& init, const plan::Mount& mount);

// After mount(2) has refused without saying why: asks the file system for each option alone, and
// fails with the one that it does not take. Returns when it takes all of them (filesystems.cc).
void explain_refusal(const Init& init, const plan::Mount& mount, std::string_view data);

// The options in `data` for the file system of the mount that `fd` is open on (filesystems.cc).
void reconfigure(const Init& init, const plan::Mount& mount, int fd);

// Fails when "dest-nofollow" is given and the destination is a symlink: no directory can be
// mounted over one.
void refuse_symlink(const Init& init, const plan::Mount& mount);

}  // namespace ocirt::init
