#include "src/init/copy_up.h"

#include <dirent.h>
#include <linux/limits.h>

#include "src/init/directory_entry.h"

namespace ocirt::init {
namespace {

constexpr int kMostDepth = 64;  // a directory each: the stack and the descriptors are bounded

timespec time_of(const statx_timestamp& stamp) {
  return {.tv_sec = stamp.tv_sec, .tv_nsec = stamp.tv_nsec};
}

void copy_metadata(const Init& init, int dir, const char* name, const struct statx& status) {
  const timespec times[2] = {time_of(status.stx_atime), time_of(status.stx_mtime)};
  must(init, bare::fchownat(dir, name, status.stx_uid, status.stx_gid, AT_SYMLINK_NOFOLLOW),
       "tmpcopyup: chown ", name);
  if (!S_ISLNK(status.stx_mode)) {
    // After chown(2), which clears the set-id bits. fchmodat(2) follows links, but this is none,
    // and nobody else is here yet.
    must(init, bare::call(SYS_fchmodat, dir, name, status.stx_mode & 07777), "tmpcopyup: chmod ",
         name);
  }
  bare::call(SYS_utimensat, dir, name, times, AT_SYMLINK_NOFOLLOW);
}

void copy_content(const Init& init, int from, int to, const char* name,
                  const struct statx& status) {
  int in = static_cast<int>(
      must(init, bare::openat(from, name, O_RDONLY | O_NOFOLLOW), "tmpcopyup: open ", name));
  int out = static_cast<int>(
      must(init, bare::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600),
           "tmpcopyup: make ", name));
  for (uint64_t left = status.stx_size; left > 0;) {
    long sent =
        must(init, bare::call_again(SYS_sendfile, out, in, nullptr, static_cast<size_t>(left)),
             "tmpcopyup: copy ", name);
    if (sent == 0) break;
    left -= static_cast<uint64_t>(sent);
  }
  bare::close(in);
  bare::close(out);
}

void copy_directory(const Init& init, int from, int to, const char* name, int depth);

void copy_entry(const Init& init, int from, int to, const char* name, int depth) {
  struct statx status{};
  must(init, bare::call(SYS_statx, from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status),
       "tmpcopyup: statx ", name);
  // What is mounted below, such as a /proc, is not the image's. A device number does not tell: of
  // an overlay each file may have that of its layer (Documentation/filesystems/overlayfs).
  if (S_ISDIR(status.stx_mode) && (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) return;
  switch (status.stx_mode & S_IFMT) {
    case S_IFDIR: {
      must(init, bare::mkdirat(to, name, 0700), "tmpcopyup: make directory ", name);
      constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
      int inner_from =
          static_cast<int>(must(init, bare::openat(from, name, kFlags), "tmpcopyup: open ", name));
      int inner_to =
          static_cast<int>(must(init, bare::openat(to, name, kFlags), "tmpcopyup: open ", name));
      copy_directory(init, inner_from, inner_to, name, depth + 1);
      bare::close(inner_from);
      bare::close(inner_to);
      break;
    }
    case S_IFLNK: {
      char target[PATH_MAX];
      long size = must(init, bare::call(SYS_readlinkat, from, name, target, sizeof target - 1),
                       "tmpcopyup: read link ", name);
      target[size] = '\0';
      must(init, bare::symlinkat(target, to, name), "tmpcopyup: link ", name);
      break;
    }
    case S_IFREG:
      copy_content(init, from, to, name, status);
      break;
    default:
      must(init,
           bare::mknodat(to, name, status.stx_mode & S_IFMT,
                         bare::device_number(status.stx_rdev_major, status.stx_rdev_minor)),
           "tmpcopyup: make node ", name);
  }
  copy_metadata(init, to, name, status);
}

void copy_directory(const Init& init, int from, int to, const char* name, int depth) {
  if (depth > kMostDepth) fail(init, 0, "tmpcopyup: ", name, ": more than 64 directories deep");
  alignas(DirectoryEntry) char entries[2048];
  for (;;) {
    long size = must(init, bare::call(SYS_getdents64, from, entries, sizeof entries),
                     "tmpcopyup: read directory ", name);
    if (size == 0) return;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(entries + at);
      std::string_view child = entry->d_name;
      if (child != "." && child != "..") copy_entry(init, from, to, entry->d_name, depth);
      at += entry->d_reclen;
    }
  }
}

}  // namespace

void copy_up(const Init& init, int from, int to, const char* name) {
  // `to` may be open with O_PATH only.
  int target = static_cast<int>(
      must(init, bare::openat(to, ".", O_RDONLY | O_DIRECTORY), "tmpcopyup: open ", name));
  copy_directory(init, from, target, name, 0);
  bare::close(target);
}

}  // namespace ocirt::init
