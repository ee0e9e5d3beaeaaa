#include "src/init/copy_up.h"

#include <dirent.h>
#include <linux/limits.h>

#include "src/init/directory_entry.h"

namespace ocirt::init {
namespace {

constexpr int kMostDepth = 64;  // a directory each: the stack and the descriptors are bounded

void copy_metadata(const Init& init, int dir, const char* name, const struct stat& status) {
  const timespec times[2] = {status.st_atim, status.st_mtim};
  must(init, bare::fchownat(dir, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW),
       "tmpcopyup: chown ", name);
  if (!S_ISLNK(status.st_mode)) {
    // After chown(2), which clears the set-id bits. fchmodat(2) follows links, but this is none,
    // and nobody else is here yet.
    must(init, bare::call(SYS_fchmodat, dir, name, status.st_mode & 07777), "tmpcopyup: chmod ",
         name);
  }
  bare::call(SYS_utimensat, dir, name, times, AT_SYMLINK_NOFOLLOW);
}

void copy_content(const Init& init, int from, int to, const char* name, const struct stat& status) {
  int in = static_cast<int>(
      must(init, bare::openat(from, name, O_RDONLY | O_NOFOLLOW), "tmpcopyup: open ", name));
  int out = static_cast<int>(
      must(init, bare::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600),
           "tmpcopyup: make ", name));
  for (int64_t left = status.st_size; left > 0;) {
    long sent =
        must(init, bare::call_again(SYS_sendfile, out, in, nullptr, static_cast<size_t>(left)),
             "tmpcopyup: copy ", name);
    if (sent == 0) break;
    left -= sent;
  }
  bare::close(in);
  bare::close(out);
}

void copy_directory(const Init& init, int from, int to, const char* name, uint64_t device,
                    int depth);

void copy_entry(const Init& init, int from, int to, const char* name, uint64_t device, int depth) {
  struct stat status{};
  must(init, bare::call(SYS_newfstatat, from, name, &status, AT_SYMLINK_NOFOLLOW),
       "tmpcopyup: stat ", name);
  if (status.st_dev != device) return;
  switch (status.st_mode & S_IFMT) {
    case S_IFDIR: {
      must(init, bare::mkdirat(to, name, 0700), "tmpcopyup: make directory ", name);
      constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
      int inner_from =
          static_cast<int>(must(init, bare::openat(from, name, kFlags), "tmpcopyup: open ", name));
      int inner_to =
          static_cast<int>(must(init, bare::openat(to, name, kFlags), "tmpcopyup: open ", name));
      copy_directory(init, inner_from, inner_to, name, device, depth + 1);
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
      must(init, bare::mknodat(to, name, status.st_mode & S_IFMT, status.st_rdev),
           "tmpcopyup: make node ", name);
  }
  copy_metadata(init, to, name, status);
}

void copy_directory(const Init& init, int from, int to, const char* name, uint64_t device,
                    int depth) {
  if (depth > kMostDepth) fail(init, 0, "tmpcopyup: ", name, ": more than 64 directories deep");
  alignas(DirectoryEntry) char entries[2048];
  for (;;) {
    long size = must(init, bare::call(SYS_getdents64, from, entries, sizeof entries),
                     "tmpcopyup: read directory ", name);
    if (size == 0) return;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(entries + at);
      std::string_view child = entry->d_name;
      if (child != "." && child != "..") copy_entry(init, from, to, entry->d_name, device, depth);
      at += entry->d_reclen;
    }
  }
}

}  // namespace

void copy_up(const Init& init, int from, int to, const char* name) {
  struct stat status{};
  must(init, bare::call(SYS_newfstatat, from, "", &status, AT_EMPTY_PATH), "tmpcopyup: stat ",
       name);
  // `to` may be open with O_PATH only.
  int target = static_cast<int>(
      must(init, bare::openat(to, ".", O_RDONLY | O_DIRECTORY), "tmpcopyup: open ", name));
  copy_directory(init, from, target, name, status.st_dev, 0);
  bare::close(target);
}

}  // namespace ocirt::init
