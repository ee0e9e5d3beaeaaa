#include "src/linux/devtmpfs_mounts.h"

#include <fcntl.h>
#include <linux/magic.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/text.h"
#include "src/linux/cpu_list.h"
#include "src/sys/attribute.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt {
namespace {

// "THREAD INODE" of what was found. Of the kind that only root can write.
constexpr const char* kNote = "trusted.ocirt.kdevtmpfs";
constexpr std::string_view kNone = "0 0";

// The kernel starts its threads one after the other before any other process: about so many before
// the one that we look for, and beyond that it is not looked for.
constexpr pid_t kFirst = 2;
constexpr pid_t kBefore = 13, kOfEachProcessor = 6;
constexpr pid_t kMore = 64;

// A thread of the kernel's of that name: a process can take the name, but not the flag.
bool is_devtmpfs_thread(pid_t pid) {
  const Result<std::string> text = sys::read_control(sys::kCwd, cat("/proc/", pid, "/stat"));
  if (!text) return false;
  const size_t name_end = text->rfind(')');
  if (name_end == std::string::npos || !text->starts_with(cat(pid, " (kdevtmpfs) "))) return false;
  // Field 9 of proc(5), where field 3 is the first after the name.
  const std::vector<std::string_view> field =
      split(trim(std::string_view(*text).substr(name_end + 1)), ' ');
  constexpr size_t kFlags = 6;
  constexpr uint32_t kKernelThread = 0x00200000;  // PF_KTHREAD
  return field.size() > kFlags &&
         (to_number<uint32_t>(field[kFlags]).value_or(0) & kKernelThread) != 0;
}

std::string mounts_of(pid_t pid) {
  return sys::read_link(sys::kCwd, cat("/proc/", pid, "/ns/mnt")).value_or(std::string());
}

pid_t count_processors() {
  const Result<std::string> present =
      sys::read_control(sys::kCwd, "/sys/devices/system/cpu/present");
  if (!present) return 1;
  const Result<NumberSet> numbers = parse_number_list(trim(*present));
  return numbers ? static_cast<pid_t>(numbers->count()) : 1;
}

// Which of them is in another namespace than the first thread (kthreadd) and has the name, looked
// for from where it is likely to be.
pid_t find_thread() {
  const std::string of_the_host = mounts_of(kFirst);
  if (of_the_host.empty()) return 0;
  const pid_t likely = kBefore + kOfEachProcessor * count_processors();
  for (pid_t distance = 0; distance < likely + kMore; ++distance) {
    for (const pid_t pid : {likely + distance, likely - distance}) {
      if (pid <= kFirst) continue;
      const std::string mounts = mounts_of(pid);
      if (!mounts.empty() && mounts != of_the_host && is_devtmpfs_thread(pid)) return pid;
    }
  }
  return 0;
}

std::optional<DevtmpfsMounts> read_note(Fd directory) {
  char room[64];
  const std::optional<std::string_view> text = sys::read_attribute(directory, kNote, room);
  if (!text) return std::nullopt;
  const size_t blank = text->find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const std::optional<pid_t> thread = to_number<pid_t>(text->substr(0, blank));
  const std::optional<uint64_t> inode = to_number<uint64_t>(text->substr(blank + 1));
  if (!thread || !inode) return std::nullopt;
  return DevtmpfsMounts{*thread, *inode};
}

std::optional<DevtmpfsMounts> look_for_it() {
  const pid_t thread = find_thread();
  if (thread == 0) return std::nullopt;
  const Result<struct stat> status = sys::stat(sys::kCwd, cat("/proc/", thread, "/ns/mnt"));
  if (!status) return std::nullopt;
  return DevtmpfsMounts{thread, status->st_ino};
}

}  // namespace

std::optional<DevtmpfsMounts> find_devtmpfs_mounts(Fd directory) {
  if (const std::optional<DevtmpfsMounts> noted = read_note(directory)) {
    return noted->thread == 0 ? std::nullopt : noted;
  }
  // A note that outlives the kernel's run might name something else, and to look each time would
  // take longer than is won.
  const Result<uint64_t> kind = sys::filesystem_type(cat("/proc/self/fd/", directory.raw()));
  if (!kind || *kind != TMPFS_MAGIC) return std::nullopt;
  if (!sys::write_attribute(directory, kNote, kNone)) return std::nullopt;
  const std::optional<DevtmpfsMounts> found = look_for_it();
  if (found) (void)sys::write_attribute(directory, kNote, cat(found->thread, " ", found->inode));
  return found;
}

}  // namespace ocirt
