// The least that a process has to ask of the kernel for the container of `ocirt spec`: its
// namespaces, mounts, device nodes, masked and read-only paths, cgroups with device rules,
// capabilities. No JSON, no checks against a hostile root filesystem, no protection of the program
// itself, no messages, no state beyond what the next step needs. It is the floor that a runtime is
// measured against, and it is wrong for any other container.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wunused-function"  // no program uses all of this

#define CHECK(condition)  \
  do {                    \
    if (!(condition)) {   \
      perror(#condition); \
      _exit(1);           \
    }                     \
  } while (0)

enum { kMaxHierarchies = 16, kCgroup2Magic = 0x63677270 };

struct Cgroups {
  int pure_v2;
  int count;
  int directory[kMaxHierarchies];
  int is_unified[kMaxHierarchies];
  char subsystems[kMaxHierarchies][64];  // the option that mounts the hierarchy, empty for cgroup2
  char path[kMaxHierarchies][512];
};

static void write_file(int directory, const char* name, const char* text) {
  int fd = openat(directory, name, O_WRONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

// Where the groups of a container of this name are: below the caller's own, in every hierarchy.
static void find_cgroups(struct Cgroups* groups, const char* name) {
  struct statfs top;
  CHECK(statfs("/sys/fs/cgroup", &top) == 0);
  groups->pure_v2 = top.f_type == kCgroup2Magic;
  groups->count = 0;
  if (groups->pure_v2) {
    groups->is_unified[0] = 1;
    snprintf(groups->path[groups->count++], 512, "/sys/fs/cgroup/%s", name);
    return;
  }
  char text[4096];
  int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
  ssize_t length = read(fd, text, sizeof(text) - 1);
  CHECK(length > 0);
  close(fd);
  text[length] = 0;
  for (char *line, *rest = text; (line = strsep(&rest, "\n")) && *line;) {
    int i = groups->count++;
    CHECK(i < kMaxHierarchies);
    strsep(&line, ":");
    char* subsystems = strsep(&line, ":");
    const char* folder = strchr(subsystems, '=') ? strchr(subsystems, '=') + 1 : subsystems;
    groups->is_unified[i] = *subsystems == 0;
    snprintf(groups->subsystems[i], 64, "%s%s", *folder != *subsystems ? "none," : "", subsystems);
    snprintf(groups->path[i], 512, "/sys/fs/cgroup/%s%s/%s", *folder ? folder : "unified",
             strcmp(line, "/") == 0 ? "" : line, name);
  }
}

// The device rules on cgroup v2: everybody may make nodes, and use the eight kinds of the default
// list.
static void attach_device_filter(int directory) {
#define INSN(code, dst, src, off, imm) {(code), (dst), (src), (off), (imm)}
#define ALLOW_DEVICE(major, minor) INSN(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 0, (major) << 20 | (minor))
  struct bpf_insn program[] = {INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, 0, 0),
                               INSN(BPF_LDX | BPF_MEM | BPF_W, 4, 1, 4, 0),
                               INSN(BPF_LDX | BPF_MEM | BPF_W, 5, 1, 8, 0),
                               INSN(BPF_ALU | BPF_MOV | BPF_X, 3, 2, 0, 0),
                               INSN(BPF_ALU | BPF_RSH | BPF_K, 3, 0, 0, 16),
                               INSN(BPF_ALU | BPF_AND | BPF_K, 2, 0, 0, 0xffff),
                               INSN(BPF_ALU | BPF_MOV | BPF_K, 0, 0, 0, 1),
                               INSN(BPF_JMP | BPF_JEQ | BPF_K, 3, 0, 0, BPF_DEVCG_ACC_MKNOD),
                               INSN(BPF_JMP | BPF_JNE | BPF_K, 2, 0, 0, BPF_DEVCG_DEV_CHAR),
                               INSN(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 0, 136),
                               INSN(BPF_ALU | BPF_LSH | BPF_K, 4, 0, 0, 20),
                               INSN(BPF_ALU | BPF_OR | BPF_X, 4, 5, 0, 0),
                               ALLOW_DEVICE(1, 3),
                               ALLOW_DEVICE(1, 5),
                               ALLOW_DEVICE(1, 7),
                               ALLOW_DEVICE(1, 8),
                               ALLOW_DEVICE(1, 9),
                               ALLOW_DEVICE(5, 0),
                               ALLOW_DEVICE(5, 1),
                               ALLOW_DEVICE(5, 2),
                               ALLOW_DEVICE(10, 200),
                               INSN(BPF_ALU | BPF_MOV | BPF_K, 0, 0, 0, 0),
                               INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)};
  int count = sizeof(program) / sizeof(*program);
  for (int i = 0; i < count; i++) {  // equal goes to the exit with 1, not equal to the 0 before it
    if (program[i].code == (BPF_JMP | BPF_JEQ | BPF_K)) program[i].off = (int16_t)(count - 2 - i);
    if (program[i].code == (BPF_JMP | BPF_JNE | BPF_K)) program[i].off = (int16_t)(count - 3 - i);
  }
  union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
                         .insn_cnt = (uint32_t)count,
                         .insns = (uint64_t)(uintptr_t)program,
                         .license = (uint64_t)(uintptr_t)"GPL"};
  int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
  CHECK(fd >= 0);
  union bpf_attr attach = {.target_fd = (uint32_t)directory,
                           .attach_bpf_fd = (uint32_t)fd,
                           .attach_type = BPF_CGROUP_DEVICE,
                           .attach_flags = BPF_F_ALLOW_MULTI};
  CHECK(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) == 0);
  close(fd);
}

static void make_cgroups(struct Cgroups* groups) {
  static const char* const allowed[] = {"c *:* m",   "b *:* m",   "c 1:3 rwm",   "c 1:5 rwm",
                                        "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",   "c 5:0 rwm",
                                        "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm", "c 10:200 rwm"};
  for (int i = 0; i < groups->count; i++) {
    CHECK(mkdir(groups->path[i], 0755) == 0);
    int directory = open(groups->path[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(directory >= 0);
    groups->directory[i] = directory;
    if (strcmp(groups->subsystems[i], "cpuset") == 0) {  // a v1 group without CPUs takes no process
      char value[256];
      for (const char* const* file = (const char*[]){"cpuset.cpus", "cpuset.mems", NULL}; *file;
           file++) {
        char above[32];
        snprintf(above, sizeof(above), "../%s", *file);
        int fd = openat(directory, above, O_RDONLY | O_CLOEXEC);
        ssize_t length = read(fd, value, sizeof(value) - 1);
        CHECK(length > 0);
        close(fd);
        value[length] = 0;
        write_file(directory, *file, value);
      }
    }
    if (strcmp(groups->subsystems[i], "devices") == 0) {
      write_file(directory, "devices.deny", "a");
      int fd = openat(directory, "devices.allow", O_WRONLY | O_CLOEXEC);
      for (size_t j = 0; j < sizeof(allowed) / sizeof(*allowed); j++)
        CHECK(write(fd, allowed[j], strlen(allowed[j])) > 0);
      close(fd);
    }
  }
  if (groups->pure_v2) {
    int directory = open(groups->path[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    attach_device_filter(directory);
    close(directory);
  }
}

// A killed process may leave its group a moment after it can be waited for.
static void remove_cgroups(const struct Cgroups* groups) {
  for (int i = 0; i < groups->count; i++)
    while (rmdir(groups->path[i]) != 0) {
      CHECK(errno == EBUSY);
      usleep(50);
    }
}

static void join_v1_cgroups(const struct Cgroups* groups) {
  if (groups->pure_v2) return;
  for (int i = 0; i < groups->count; i++) write_file(groups->directory[i], "cgroup.procs", "0");
}

// Starts a process in new namespaces and in the cgroup; 0 is returned in there.
static pid_t start_in_cgroup(const struct Cgroups* groups, uint64_t namespaces) {
  struct clone_args args = {.flags = namespaces, .exit_signal = SIGCHLD};
  if (groups->pure_v2) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (uint64_t)groups->directory[0];
  }
  pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
  CHECK(pid >= 0);
  return pid;
}

// The container's first process.
static pid_t start_process(const struct Cgroups* groups) {
  return start_in_cgroup(groups,
                         CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET);
}

static void mount_at(const char* type, const char* target, unsigned long flags, const char* data) {
  CHECK(mount(type, target, type, flags, data) == 0);
}

static void mount_cgroups(const struct Cgroups* groups) {
  const unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (groups->pure_v2) {
    mount_at("cgroup2", "sys/fs/cgroup", kFlags | MS_RDONLY, NULL);
    return;
  }
  mount_at("tmpfs", "sys/fs/cgroup", kFlags, "mode=755");
  for (int i = 0; i < groups->count; i++) {
    if (groups->is_unified[i]) continue;
    const char* name = strchr(groups->subsystems[i], '=');
    char target[128];
    snprintf(target, sizeof(target), "sys/fs/cgroup/%s", name ? name + 1 : groups->subsystems[i]);
    CHECK(mkdir(target, 0755) == 0);
    mount_at("cgroup", target, kFlags | MS_RDONLY, groups->subsystems[i]);
  }
  CHECK(mount(NULL, "sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | kFlags, NULL) == 0);
}

static void make_devices(void) {
  static const struct {
    const char* name;
    unsigned major, minor;
  } nodes[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
               {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
  static const char* const links[][2] = {{"/proc/self/fd", "dev/fd"},
                                         {"/proc/self/fd/0", "dev/stdin"},
                                         {"/proc/self/fd/1", "dev/stdout"},
                                         {"/proc/self/fd/2", "dev/stderr"},
                                         {"pts/ptmx", "dev/ptmx"}};
  for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
    CHECK(mknod(nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) == 0);
  for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
    CHECK(symlink(links[i][0], links[i][1]) == 0);
}

static void restrict_paths(void) {
  static const char* const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys",
                                         "proc/sysrq-trigger"};
  static const char* const masked_directories[] = {"proc/acpi", "proc/asound", "sys/firmware",
                                                   "proc/scsi"};
  static const char* const masked_files[] = {"proc/kcore",         "proc/keys",
                                             "proc/latency_stats", "proc/timer_list",
                                             "proc/timer_stats",   "proc/sched_debug"};
  for (size_t i = 0; i < sizeof(readonly) / sizeof(*readonly); i++) {
    if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) != 0) {
      CHECK(errno == ENOENT);
      continue;
    }
    CHECK(mount(NULL, readonly[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
  }
  const char* empty = NULL;  // one empty directory masks them all
  for (size_t i = 0; i < sizeof(masked_directories) / sizeof(*masked_directories); i++) {
    const char* path = masked_directories[i];
    int failed = empty ? mount(empty, path, NULL, MS_BIND, NULL)
                       : mount("tmpfs", path, "tmpfs", MS_RDONLY, "nr_blocks=1,nr_inodes=1");
    CHECK(!failed || errno == ENOENT);
    if (!failed) empty = path;
  }
  for (size_t i = 0; i < sizeof(masked_files) / sizeof(*masked_files); i++)
    CHECK(mount("/dev/null", masked_files[i], NULL, MS_BIND, NULL) == 0 || errno == ENOENT);
}

// All that happens in the container before its program may start.
static void limit_rights(void) {
  struct rlimit files = {1024, 1024};
  CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
  const uint32_t kKept = 1u << CAP_AUDIT_WRITE | 1u << CAP_KILL | 1u << CAP_NET_BIND_SERVICE;
  for (int i = 0; i <= CAP_LAST_CAP; i++)
    if (i > 31 || !(kKept >> i & 1)) CHECK(prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0);
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  CHECK(setgroups(0, NULL) == 0);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{kKept, kKept, 0}, {0, 0, 0}};
  CHECK(syscall(SYS_capset, &header, data) == 0);
}

static void enter_container(const struct Cgroups* groups, const char* rootfs, const char* name) {
  join_v1_cgroups(groups);
  CHECK(unshare(CLONE_NEWCGROUP) == 0);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  CHECK(ioctl(fd, SIOCSIFFLAGS, &loopback) == 0);
  close(fd);
  setsid();
  char keyring[64];
  snprintf(keyring, sizeof(keyring), "_ses.%s", name);
  CHECK(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, keyring) >= 0);
  CHECK(sethostname("shortest", 8) == 0);

  CHECK(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0);
  CHECK(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL) == 0);
  CHECK(chdir(rootfs) == 0);
  const unsigned long kSafe = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  mount_at("proc", "proc", 0, NULL);
  mount_at("tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
  CHECK(mkdir("dev/pts", 0755) == 0 && mkdir("dev/shm", 0755) == 0 &&
        mkdir("dev/mqueue", 0755) == 0);
  mount_at("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
  mount_at("tmpfs", "dev/shm", kSafe, "mode=1777,size=65536k");
  mount_at("mqueue", "dev/mqueue", kSafe, NULL);
  mount_at("sysfs", "sys", kSafe | MS_RDONLY, NULL);
  mount_cgroups(groups);
  umask(0);
  make_devices();
  umask(022);
  restrict_paths();
  CHECK(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
  CHECK(syscall(SYS_pivot_root, ".", ".") == 0);
  CHECK(umount2(".", MNT_DETACH) == 0);
  CHECK(chdir("/") == 0);
  limit_rights();
}

static void exec_program(char** argv) {
  char* const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                               "TERM=xterm", NULL};
  CHECK(syscall(SYS_close_range, 3, ~0u, 1u << 2 /* CLOSE_RANGE_CLOEXEC */) == 0);
  execve(argv[0], argv, environment);
  CHECK(!"exec");
}
