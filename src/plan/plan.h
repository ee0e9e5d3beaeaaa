// The plan of a container: everything that its init has to do, decided before any process exists,
// as one flat, position-independent block of bytes. ocirt builds it (plan/builder.h), seals it in
// the same memory file as the init program, and init (src/init/) has it as a segment (segment.h)
// and carries it out. It holds kernel values only: flags, numbers, resolved paths, a compiled
// filter. No decision that could be made outside is left to init, so init needs no heap and can be
// read top to bottom.
//
// Both sides are built together, so the format has no version. Data only: usable without a libc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ocirt::plan {

// A string in the block, NUL-terminated. Offset 0 (where the Plan itself is) means: not given.
struct Text {
  uint32_t offset = 0;
  uint32_t size = 0;
  constexpr bool given() const { return offset != 0; }
};

// An array in the block.
template <class T>
struct List {
  uint32_t offset = 0;
  uint32_t count = 0;
};

inline constexpr uint32_t kNoIndex = ~uint32_t{0};

// How many mounts of procfs a container may have that joins a pid namespace (init/procfs.cc).
inline constexpr size_t kMostJoinedProcfs = 4;

// A namespace to join with setns(2).
struct Join {
  int32_t fd = -1;
  uint32_t flag = 0;  // CLONE_NEW*
  Text path;          // for messages
};

enum class MountKind : uint32_t {
  filesystem,  // mount(2) of a type
  bind,        // open_tree(2) of a source
  link,        // no mount: a symbolic link `destination` -> `source` (cgroup v1 aliases)
  remount,     // other options for the mount that is at the destination
  removal,     // takes the mount at the destination away (`mounts remove`)
};

struct Mount {
  MountKind kind = MountKind::filesystem;
  uint32_t index = kNoIndex;  // in config.json's mounts, for messages
  Text source, destination, type, data;
  Text root_label;        // for file systems without context=: SELinux label of the root
  uint64_t flags = 0;     // MS_* for mount(2) (filesystem)
  uint64_t attr_set = 0;  // MOUNT_ATTR_* (bind)
  uint64_t attr_clear = 0;
  uint64_t recursive_attr_set = 0;  // the same with AT_RECURSIVE
  uint64_t recursive_attr_clear = 0;
  List<uint32_t>
      propagation;            // MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE [| MS_REC], in order
  int32_t tree = -1;          // bind: the detached mount that ocirt has made of the source
  bool copy_symlink = false;  // bind: a source that is a symlink is not bound, but made again
  bool source_nofollow = false;
  bool destination_nofollow = false;
  bool recursive = false;         // bind: with everything mounted below the source
  bool real_directory = false;    // destination must not be reached through a symlink (/proc, /sys)
  bool mode_from_target = false;  // tmpfs without mode=: take the mode of the covered directory
  bool copy_up = false;           // tmpfs: filled with what the covered directory holds
  bool seal_later = false;        // made read-only only after devices have been made in it (/dev)
};

// With more, a lean mount namespace is none.
inline constexpr size_t kMostLeanMounts = 128;

struct Device {
  Text path;          // inside the container
  uint32_t mode = 0;  // type and permissions, as for mknod(2)
  uint32_t major = 0, minor = 0;
  uint32_t uid = 0, gid = 0;
  bool premade = false;  // in Plan::device_tree, named after its index in Plan::devices
};

struct Link {
  Text target, path;
  bool only_if_target = false;  // made where this kernel has the target, a file of procfs
};

// A value for a file below /proc/sys.
struct Sysctl {
  Text path;  // relative to /proc/sys
  Text value;
};

struct Rlimit {
  Text name;  // "RLIMIT_NOFILE", for messages
  uint32_t resource = 0;
  uint32_t unused = 0;
  uint64_t soft = 0, hard = 0;
};

struct Hook {
  Text path;
  List<Text> args;  // args[0] included
  List<Text> env;
  uint32_t timeout_s = 0;  // 0: no limit
};

struct Process {
  List<Text> args, env;
  Text cwd;
  uint32_t uid = 0, gid = 0;
  List<uint32_t> groups;
  uint32_t umask = 0022;
  bool set_groups = true;
  bool keep_ids = false;  // uid and gid are those that init has anyway
  bool create_cwd = false;
  bool no_new_privileges = false;
  bool new_keyring = false;  // a session keyring of its own
  bool terminal = false;
  bool attached_terminal = false;  // the master goes to ocirt over the channel, not to console_fd
  bool set_oom_score = false;
  int32_t oom_score = 0;
  uint32_t rows = 0, columns = 0;  // of the terminal; 0: leave
  uint64_t bounding = 0, effective = 0, permitted = 0, inheritable = 0, ambient = 0;
  int32_t console_fd = -1;  // connected console socket
  List<Rlimit> rlimits;
  List<uint64_t> seccomp;  // struct sock_filter, one word each
  uint32_t seccomp_flags = 0;
  uint32_t preserved_fds = 0;            // 3 .. 3+n-1 stay open
  Text apparmor_profile, selinux_label;  // of the program
  bool set_memory_policy = false;
  bool set_personality = false;
  uint32_t memory_mode = 0;  // MPOL_* | MPOL_F_*
  List<uint64_t> memory_nodes;
  uint64_t most_memory_nodes = 0;  // bits of the mask, as set_mempolicy(2) counts them
  uint64_t personality = 0;
};

// The user namespace that init enters (init/user_namespace.cc). Everything is false without one.
struct UserNamespace {
  bool entered = false;     // by Plan::unshare or one of the joins: init becomes its user 0
  bool within = false;      // ocirt is user 0 of one itself, and the container is in the same
  bool settles = false;     // says Unmapped in it and waits until ocirt has written what only a
                            // process outside may (create and run)
  bool join_first = false;  // before the other joins: without it there is no right to make them
  bool traceable = false;   // until it is mapped, because an ordinary user's ocirt could not write
  bool forks = false;       // Plan::unshare has a pid namespace, in which only a child is
  // What belongs to the host cannot be had: no device can be made, and so on.
  constexpr bool limits() const { return entered || within; }
  // Its user 0 and group 0 on the host: who owns the mqueue file system of a new ipc namespace.
  uint32_t root_uid = kNoIndex, root_gid = kNoIndex;
  uint32_t stream_owner = kNoIndex;  // user on the host that standard streams are given to
};

// Says to which of three lives a process is born.
enum class Purpose : uint32_t {
  create,  // a container that waits for `ocirt start`
  run,     // a container whose ocirt stays
  exec,    // one more process in a container that runs
  mounts,  // no program: adds mounts to a container that runs, or takes them away
};

struct Plan {
  uint64_t size = 0;  // of the whole block
  Purpose purpose = Purpose::create;
  int32_t channel = -1;     // SOCK_SEQPACKET to ocirt
  int32_t trace = -1;       // a TraceBlock (trace.h) to map; most often there is none
  int32_t gate = -1;        // listening socket on which `ocirt start` connects (create only)
  bool keeps_cpus = false;  // exec with CPUs of its own (container/scheduling.h)

  // namespaces
  List<Join> joins;
  uint32_t unshare = 0;  // CLONE_NEW* that init makes itself (cgroup: after it was put inside;
                         // time: as nobody else can; all, when a user namespace is to own them)
  UserNamespace user;
  Text clock_offsets;               // for /proc/PID/timens_offsets of a new time namespace
  bool new_network = false;         // loopback is to be set up
  bool join_pid_namespace = false;  // one of the joins is a pid namespace: only a child is in it
  bool move_early = false;          // into it before privileges are given up (init/successor.cc)
  bool program_found_late = false;  // only execve(2) says whether it can be executed: whoever hears
                                    // of it is there still, and no filter forbids to look why
  bool ready_in_silence = false;    // Start is there before it is waited for: Ready is not said
  bool ready_by_moving = false;     // Moved is the last word before Start: it stands for Ready too
  Text hostname, domainname;

  // root filesystem (create and run)
  bool build_root = false;     // there is a root to be made and switched to (all but exec, mounts)
  bool shares_mounts = false;  // the host's mount namespace stays: chroot(2), and a root that is
                               // mounted on the host (container/host_root.h)
  int32_t root_fd = -1;        // exec, mounts: that root
  bool lean_mounts = false;    // the mount namespace is still to be made, without those of the host
                               // (container/draft_lean_mounts.h)
  int32_t few_mounts = 0;      // for that: a thread whose namespace is to be copied, and the inode
  uint64_t few_mounts_inode = 0;  // of that (linux/devtmpfs_mounts.h); 0: the kernel makes one of
                                  // a tree
  bool no_pivot = false;
  bool readonly_root = false;
  bool make_devices = false;       // false: /dev is bind-mounted from outside
  uint32_t root_propagation = 0;   // MS_* [| MS_REC] for "/" first
  uint32_t final_propagation = 0;  // MS_* to give the new root at the end (shared, unbindable)
  Text root;
  bool has_trees = false;  // one of the mounts has a tree
  List<Mount> mounts;
  List<Device> devices;
  int32_t device_tree = -1;  // a detached tmpfs with those that init has no right to make
  List<Link> links;
  List<Text> masked_paths, readonly_paths;
  Text mask_data;  // options of the tmpfs over masked directories
  List<Sysctl> sysctls;

  // hooks
  bool hooks_outside = false;  // ocirt has hooks to run before the root is switched, or init needs
                               // the state document for hooks of its own
  List<Hook> create_container, start_container;
  int32_t hooks_out = -1, hooks_err = -1;  // files for what they print

  Process process;
};

// Reads a plan from the block that holds it.
class View {
 public:
  explicit View(const void* block) : base_(static_cast<const char*>(block)) {}
  const Plan& plan() const { return *reinterpret_cast<const Plan*>(base_); }
  const char* text(Text t) const { return t.given() ? base_ + t.offset : ""; }
  std::string_view view(Text t) const { return {text(t), t.size}; }
  template <class T>
  std::span<const T> list(List<T> l) const {
    return {reinterpret_cast<const T*>(base_ + l.offset), l.count};
  }

 private:
  const char* base_;
};

}  // namespace ocirt::plan
