#include "src/init/proc_names.h"

#include <dirent.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "src/init/directory_entry.h"
#include "src/init/path.h"

namespace ocirt::init {
namespace {

constexpr std::string_view kTop = "/proc/";
constexpr size_t kWorthWhile = 4;  // paths; listing takes three calls

alignas(DirectoryEntry) char listed[8192];

size_t count_below_proc(const Init& init, plan::List<plan::Text> paths) {
  size_t count = 0;
  for (plan::Text path : init.list(paths)) count += init.view.view(path).starts_with(kTop) ? 1 : 0;
  return count;
}

}  // namespace

const ProcNames& ProcNames::of(Init& init) {
  static constinit ProcNames names;
  if (init.proc == -1) {
    names.list(init);
    init.proc = names.fd_ >= 0 ? names.fd_ : -2;  // not a second time
  }
  return names;
}

void ProcNames::list(const Init& init) {
  if (count_below_proc(init, init.plan.masked_paths) +
          count_below_proc(init, init.plan.readonly_paths) <
      kWorthWhile) {
    return;
  }
  long fd = open_in_root(init, "/proc", O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (fd < 0) return;
  fd_ = static_cast<int>(fd);
  struct statfs info{};
  if (bare::call(SYS_fstatfs, fd_, &info) < 0 || info.f_type != PROC_SUPER_MAGIC) return;
  const long size = bare::call(SYS_getdents64, fd_, listed, sizeof listed);
  if (size <= 0) return;
  size_ = static_cast<size_t>(size);
  // The kernel lists "self" right after all names that are no processes: it proves that none of
  // those is missing here.
  const char* name = nullptr;
  if (kind("/proc/self", name) == Kind::absent) size_ = 0;
}

ProcNames::Kind ProcNames::kind(const char* path, const char*& name) const {
  const std::string_view whole(path);
  if (size_ == 0 || !whole.starts_with(kTop)) return Kind::unknown;
  const std::string_view wanted = whole.substr(kTop.size());
  if (wanted.empty() || wanted.find('/') != std::string_view::npos) return Kind::unknown;
  name = path + kTop.size();
  for (size_t at = 0; at < size_;) {
    const auto* entry = reinterpret_cast<const DirectoryEntry*>(listed + at);
    at += entry->d_reclen;
    if (wanted != entry->d_name) continue;
    if (entry->d_type == DT_REG) return Kind::file;
    if (entry->d_type != DT_DIR || wanted.starts_with('.')) return Kind::unknown;
    return Kind::directory;
  }
  return Kind::absent;
}

}  // namespace ocirt::init
