// See counts.h.
#include "tests/soak/counts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <exception>

#include "src/base/text.h"
#include "tests/support/cgroups.h"
#include "tests/support/files.h"
#include "tests/support/process.h"

namespace harness {

using ocirt::cat;

namespace {

// A process may end while we look.
std::string read_if_there(const std::string& path) {
  try {
    return read_file(path);
  } catch (const std::exception&) {
    return {};
  }
}

// Not write_file(), which makes what is not there.
bool put(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return done;
}

size_t descendants(const std::string& pid) {
  size_t count = 0;
  for (const std::string& task : names_in(cat("/proc/", pid, "/task")))
    for (const std::string& child :
         words(read_if_there(cat("/proc/", pid, "/task/", task, "/children"))))
      count += 1 + descendants(child);
  return count;
}

long line_count(const std::string& text, std::string_view part = "") {
  long count = 0;
  for (const std::string& line : lines(text)) count += line.find(part) != std::string::npos;
  return count;
}

long number_in(const std::string& text, std::string_view key) {
  for (const std::string& line : lines(text))
    if (const auto parts = words(line); parts.size() > 1 && parts[0] == key)
      return std::stol(parts[1]);
  return 0;
}

// Of fdinfo: what an inotify descriptor and an epoll descriptor wait for.
long watches(pid_t pid) {
  long count = 0;
  for (const std::string& fd : names_in(cat("/proc/", pid, "/fdinfo"))) {
    const std::string info = read_if_there(cat("/proc/", pid, "/fdinfo/", fd));
    count += line_count(info, "inotify wd:") + line_count(info, "tfd:");
  }
  return count;
}

}  // namespace

OwnMemory::OwnMemory() {
  const std::string group = cgroups::directory("memory", cgroups::test_parent());
  if (group.empty() || cgroups::by_systemd()) return;
  make_directories(group);
  for (const std::string& line : lines(read_file("/proc/self/cgroup"))) {
    const auto parts = split(line, ':');
    if (contains(split(parts.at(1), ','), cgroups::is_pure_v2() ? "" : "memory"))
      back_ = cat(cgroups::directory("memory", parts.at(2)), "/cgroup.procs");
  }
  // In version 2 a group with processes can have no groups with limits below it.
  leaf_ = cgroups::is_pure_v2() ? cat(group, "/self") : group;
  make_directories(leaf_);
  if (put(cat(leaf_, "/cgroup.procs"), std::to_string(::getpid()))) group_ = group;
}

OwnMemory::~OwnMemory() {
  // By now what we started has ended.
  if (group_.empty()) return;
  for (const int pid : cgroups::pids_in(leaf_)) put(back_, std::to_string(pid));
  if (leaf_ != group_) ::rmdir(leaf_.c_str());
}

long OwnMemory::kernel_kilobytes() const {
  const std::string usage = read_if_there(cat(group_, "/memory.kmem.usage_in_bytes"));
  if (!usage.empty()) return std::stol(usage) / 1024;
  return number_in(read_if_there(cat(group_, "/memory.stat")), "slab") / 1024;
}

void OwnMemory::reclaim() const {
  if (group_.empty() || put(cat(group_, "/memory.force_empty"), "0")) return;
  put(cat(group_, "/memory.reclaim"), "256M");
}

void watch_host(Ledger& ledger, const OwnMemory& memory, const std::string& ids) {
  ledger.watch("processes", [] {
    reap_orphans();
    return static_cast<long>(descendants(std::to_string(::getpid())));
  });
  ledger.watch("descriptors of the caller",
               [] { return static_cast<long>(names_in("/proc/self/fd").size()); });
  ledger.watch("mounts", [] { return line_count(read_file("/proc/self/mountinfo")); });
  ledger.watch("cgroups", [] { return static_cast<long>(cgroups::leftovers().size()); });
  // Those that were removed and are not free yet. The kernel takes its time for them.
  const std::string v2 = cgroups::directory("", cgroups::test_parent());
  if (!v2.empty())
    ledger.watch(
        "removed cgroups that are not free",
        [v2] { return number_in(read_if_there(cat(v2, "/cgroup.stat")), "nr_dying_descendants"); },
        50);
  watch_directory(ledger, "pinned network namespaces", "/run/netns");
  ledger.watch("keyrings", [ids] { return line_count(read_if_there("/proc/keys"), ids); });
  if (memory.is_there())
    ledger.watch(
        "memory of the kernel for it, KiB", [&memory] { return memory.kernel_kilobytes(); }, 2048);
  for (const char* slab : {"dentry", "net_namespace", "pid_namespace"})
    ledger.show(slab, [slab] { return number_in(read_if_there("/proc/slabinfo"), slab); });
  ledger.show("open files", [] { return std::stol(words(read_file("/proc/sys/fs/file-nr"))[0]); });
}

void watch_process(Ledger& ledger, const std::string& name, pid_t pid) {
  const std::string proc = cat("/proc/", pid);
  ledger.watch(cat(name, ": descriptors"),
               [proc] { return static_cast<long>(names_in(proc + "/fd").size()); });
  ledger.watch(cat(name, ": threads"),
               [proc] { return static_cast<long>(names_in(proc + "/task").size()); });
  ledger.watch(cat(name, ": what it watches"), [pid] { return watches(pid); });
  ledger.watch(cat(name, ": mounts"),
               [proc] { return line_count(read_file(proc + "/mountinfo")); });
  ledger.watch(
      cat(name, ": private memory, KiB"),
      [proc] { return number_in(read_file(proc + "/smaps_rollup"), "Private_Dirty:"); }, 16);
  // With the program's own pages, which come as they are needed, 64 KiB around each, and which the
  // kernel may have taken away before: seen were 192 more, once, with the private ones all the
  // same.
  ledger.watch(
      cat(name, ": resident memory, KiB"),
      [proc] { return number_in(read_file(proc + "/smaps_rollup"), "Rss:"); }, 512);
}

void write_out(const std::string& program) {
  const int fd = ::open(program.c_str(), O_RDONLY | O_CLOEXEC);
  ::fsync(fd);
  ::close(fd);
}

void watch_directory(Ledger& ledger, const std::string& name, const std::string& path) {
  ledger.watch(name, [path] { return static_cast<long>(names_in(path).size()); });
}

}  // namespace harness
