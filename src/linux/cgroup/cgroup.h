// The cgroups of a container: where they are, made and removed, entered, frozen, killed.
//
// Three layouts exist (cgroups(7)): legacy (v1: one directory tree per controller), hybrid (v1 with
// a cgroup2 tree without controllers at /sys/fs/cgroup/unified) and unified (v2). A container's
// Location is a plain value that is written into the container's record, so that later commands
// need neither config.json nor mountinfo, whose cost grows with the host.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/resources.h"
#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::cgroup {

enum class Layout { legacy, hybrid, unified };

// One tree of cgroups of this host.
struct Hierarchy {
  std::string controllers;  // "memory", "cpu,cpuacct", "name=systemd"; empty for the cgroup2 tree
  std::string mount_point;  // "/sys/fs/cgroup/memory"
  std::string own;          // where this process is in it, as /proc/self/cgroup says: "/user.slice"
  bool operator==(const Hierarchy&) const = default;
};

struct Host {
  Layout layout = Layout::unified;
  std::vector<Hierarchy> hierarchies;  // unified: exactly one
  // The controllers of /sys/fs/cgroup where that is the cgroup2 tree, as its cgroup.controllers
  // names them.
  std::string top_controllers = {};
};

// Looks at the host: whether /sys/fs/cgroup has a cgroup.controllers, as only the cgroup2 tree
// does, and, for each hierarchy in /proc/self/cgroup, by statfs(2) at its usual place; mountinfo
// only where one is somewhere else or mounted in part. Hierarchies that are not mounted in this
// mount namespace are left out. An error when none is.
Result<Host> probe_host();

// The v1 hierarchy "name=systemd" of a host whose own systemd does without: for containers with a
// systemd of before cgroup v2. ENOENT when nobody has mounted it.
Result<Hierarchy> probe_v1_for_systemd();

// A container's directory in one hierarchy.
struct Directory {
  std::string controllers;  // as in Hierarchy
  std::string path;         // absolute, on the host: "/sys/fs/cgroup/memory/pod1/c1"
  bool operator==(const Directory&) const = default;
};

// Where a container's cgroups are. Empty `directories`: the container has none of its own.
struct Location {
  Layout layout = Layout::unified;
  std::vector<Directory> directories;
  bool shared = false;  // others were in it before: its end is not theirs
  bool operator==(const Location&) const = default;
};

// Where the cgroups for `cgroups_path` (linux.cgroupsPath) are: an absolute path counts from the
// top of each hierarchy, a relative one from this process's cgroup (v2: from its parent, because a
// cgroup with processes cannot hand controllers down); absent or empty: the container's id as
// relative path. Pure. Refuses paths with "..", the top itself, and relative paths of a process
// that is outside of its cgroup namespace.
Result<Location> locate(const Host& host, const std::optional<std::string>& cgroups_path,
                        std::string_view id);

// Cgroups below a container's own, as `exec --cgroup` names them: one path for all hierarchies, or
// "CONTROLLER[,CONTROLLER...]:PATH" for those of v1; hierarchies that no word names stay as they
// are. Pure. Refuses paths that lead out, controllers that have no hierarchy, and two paths for
// one.
Result<Location> locate_below(const Location& location, std::span<const std::string> words);

// Owns the directories that make() made until they are given away: its destructor removes them, the
// deepest first, and only those that were not there before. Whoever is still inside of a
// container's own new cgroup is killed.
class [[nodiscard]] Made {
 public:
  // Whether the container's own directories were not there before.
  bool is_fresh() const { return fresh_; }
  // Which of them held processes already; empty: none.
  const std::string& shared() const { return shared_; }
  Made() = default;
  Made(Made&&) noexcept = default;
  Made& operator=(Made&& other) noexcept;
  ~Made();
  void commit() { directories_.clear(); }  // from here on the container's record owns them

 private:
  friend Result<Made> make(const Location&, std::string_view);
  std::vector<std::string> directories_;
  Location location_;
  std::string shared_;
  bool fresh_ = true;
};

// Makes the directories (parents too; on v2 enables in every ancestor the controllers that can be
// enabled; on v1 fills cpuset.cpus and cpuset.mems from the parents). A cgroup that already holds
// processes is taken, and Made says so: engines put several containers into one. A frozen one is
// refused, and one below a frozen one. The code of an error is that of the mkdir(2) that failed: a
// caller who may do without cgroups (rootless) looks for EACCES, EPERM and EROFS.
// `top_controllers`: what probe_host() has just read of the top, which is then not read again;
// empty: read it.
Result<Made> make(const Location& location, std::string_view top_controllers = {});

// The same for a cgroup that systemd has made and put a process into: only what it left out is made
// (v1: it uses some hierarchies only), and nothing is owned.
Result<> make_missing(const Location& location);

// What sys::spawn() needs to put a new process inside: on v2 the directory for CLONE_INTO_CGROUP,
// on the others the open cgroup.procs of every hierarchy.
struct Entrance {
  UniqueFd directory;
  std::vector<UniqueFd> procs;
};
Result<Entrance> open_entrance(const Location& location);

// The entrance to the cgroup2 directory in which a process is now.
Result<Entrance> open_entrance_of(pid_t pid);

// Moves a process inside afterwards. Slower than to be born there: the kernel waits for all
// processors.
Result<> enter(const Entrance& entrance, pid_t pid);

// Makes the cgroup `name` below a container's and moves a process into it (v2). It goes with the
// container's own.
Result<> move_below(const Location& location, std::string_view name, pid_t pid);

// Writes limits, in an order that the kernel accepts whatever is in force. Unless it is an `update`
// of a running container, the device rules are put in force too: nothing is allowed, then
// `resources.devices`, then the default devices that every container needs
// (linux/default_devices.h), which therefore win; v1 by devices.deny and devices.allow, v2 by a BPF
// program that takes the place of the ones before it. On a hybrid host what v1 has no hierarchy for
// (hugetlb, `unified`) goes to the cgroup2 tree.
//
// Each error names property, value, file and reason; a limit that the host cannot enforce because a
// controller is missing is an error that says so ("linux.resources.memory.limit: the requested
// cgroup controller `memory` is not available ..."), unless the value is "no limit". Which fields
// one of the versions lacks and what happens to them: settings.h. A container without cgroups has
// no device rules either, and in a user namespace where neither file nor bpf(2) may be used they
// are left out.
Result<> apply(const Location& location, const oci::Resources& resources, bool update);

// The same for a container that is being made: what is open and fresh need not be opened and asked
// for device programs again. True: the device rules are in order, and put in force by
// apply_new_device_rules() once init is at work. Loading and attaching a program takes the kernel a
// tenth of a millisecond, in which init can make mounts.
Result<bool> apply_new(const Location& location, const oci::Resources& resources, const Made& made,
                       const Entrance& entrance);

// What apply_new() has left. Before this only init may be in the cgroup, and nobody whom the
// container's configuration names: hooks and the program come later.
Result<> apply_new_device_rules(const Location& location,
                                std::span<const oci::DeviceCgroup> configured,
                                const Entrance& entrance);

// The files that /sys/kernel/cgroup/delegate, whose text `list` is, names as safe to give away.
std::vector<std::string> delegated_files(std::string_view list);

// Makes `uid` the owner of the container's v2 directory and of the files in it that the kernel says
// may be given away; nothing on the other layouts, where no controller may be.
Result<> delegate(const Location& location, uint32_t uid);

// Freezes or thaws all processes and waits until the kernel reports it (v2: cgroup.events by
// poll(2), v1: freezer.state), at most 10 s; what does not freeze in time is thawed again. The v1
// freezer is used where it is mounted. Code ENOTSUP when there is no freezer or no cgroup, ENOENT
// when the cgroup is gone.
Result<> freeze(const Location& location);
Result<> thaw(const Location& location);
// Whether the cgroup is frozen (or about to be) by its own setting, not by that of one above it.
// False when there is no freezer, or no such cgroup.
Result<bool> is_frozen(const Location& location);

// The lowest cgroup from the container's own upwards that somebody has frozen, as a path; empty:
// none. Costs nothing where there is nothing but the top above, and little for a cgroup that is
// new, which nobody has frozen or entered.
std::string frozen_at_or_above(const Location& location, bool is_new = false);
// An error that names it: a process that is born in there waits for as long as that lasts.
Result<> check_not_frozen(const Location& location, bool is_new = false);

// Where a cgroup above the container's is frozen and version 1 lets nobody die: moves its
// processes, or only this one, in the hierarchy of the freezer to the nearest cgroup above that is
// not frozen. They have to have got SIGKILL, so that they end without another step. Nothing to do
// elsewhere.
Result<> lift_out(const Location& location, pid_t only = 0);

// Moves `pid` back into the container's own directory of the v1 freezer and says whether there is
// one. Someone may have moved it into a cgroup that is frozen, where v1 lets not even SIGKILL end a
// process; entering a cgroup that is not frozen thaws it, and nothing else of that other cgroup.
// The caller has a pidfd that says that `pid` is still the process it means.
Result<bool> bring_back(const Location& location, pid_t pid);

// Every process in the cgroup and below, as pids of this pid namespace, ascending. No error when
// the cgroup is gone: empty.
Result<std::vector<pid_t>> processes(const Location& location);

// Sends `signal` to every process in the cgroup and below. SIGKILL uses cgroup.kill where the
// kernel has it (5.14); otherwise the processes are frozen first so that none can fork away,
// signalled, and thawed, unless they had been frozen before and the signal is not SIGKILL (a frozen
// v1 cgroup must be thawed for SIGKILL to act; those below it are thawed as well, and what stands
// still because of one above is lifted out, and what stands still in another's cgroup is brought
// back). Does not wait for the end.
Result<> signal_all(const Location& location, int signal);

// Kills what is left inside, waits for it, and removes the directories and their children, deepest
// first. What is gone already is no error. Waits for the kernel by poll(2) on cgroup.events (v2) or
// on the pidfds of what it killed (v1), at most 10 s in all. One rmdir(2) for each directory when
// nobody is left. A shared one stays as long as somebody is in it. Every directory is tried even
// when another fails; the first error is returned (code EBUSY, with the processes that do not end).
Result<> remove(const Location& location);

}  // namespace ocirt::cgroup
