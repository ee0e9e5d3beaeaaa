#include "src/init/path.h"

#include <linux/limits.h>

namespace ocirt::init {
namespace {
constexpr const char* kDangling = ": a symbolic link without a target is in the way";
constexpr int kMostLinks = 8;  // each leads to another that has no target

// Writes where the symlink NAME, which is the end of `path`, leads: a path from the container's
// root.
void target_of(const Init& init, int directory, const char* path, const char* name, int links,
               char (&target)[PATH_MAX]) {
  char link[PATH_MAX] = {};
  const long size = bare::call(SYS_readlinkat, directory, name, link, sizeof link);
  const size_t before = size > 0 && link[0] == '/'
                            ? 0
                            : std::string_view(path).size() - std::string_view(name).size();
  if (size <= 0 || links == kMostLinks || before + static_cast<size_t>(size) >= sizeof target)
    fail(init, 0, "make ", path, kDangling);
  std::memcpy(target, path, before);
  std::memcpy(target + before, link, static_cast<size_t>(size));
  target[before + static_cast<size_t>(size)] = '\0';
}
}  // namespace

long open_in_root(const Init& init, const char* path, int flags, uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | resolve;
  // EAGAIN: something was renamed on the way of a ".." and the kernel could not prove that it
  // stayed inside. Somebody who renames without end must not win, nor keep us here for ever.
  long result = -EAGAIN;
  for (int tries = 0; result == -EAGAIN && tries < 128; ++tries) {
    result = bare::openat2(init.root, path, how);
  }
  return result;
}

int open_directory(const Init& init, const char* path, uint64_t resolve, int links) {
  constexpr int kFlags = O_PATH | O_DIRECTORY;
  long fd = open_in_root(init, path, kFlags, resolve);
  if (fd != -ENOENT) return static_cast<int>(must(init, fd, "open directory ", path));
  // From the top: open what is there, make what is not.
  char prefix[PATH_MAX];
  size_t size = std::strlen(path);
  if (size >= sizeof prefix) fail(init, ENAMETOOLONG, "open directory ", path);
  int here = static_cast<int>(must(init, open_in_root(init, "/", kFlags), "open the root"));
  for (size_t at = 0; at < size;) {
    while (at < size && path[at] == '/') ++at;
    if (at == size) break;
    size_t begin = at;
    while (at < size && path[at] != '/') ++at;
    std::memcpy(prefix, path, at);
    prefix[at] = '\0';
    long next = open_in_root(init, prefix, kFlags, resolve);
    if (next == -ENOENT) {
      long made = bare::mkdirat(here, prefix + begin, 0755);
      if (made == -EEXIST) {  // a symlink without a target, which is made
        char target[PATH_MAX];
        target_of(init, here, prefix, prefix + begin, links, target);
        bare::close(open_directory(init, target, resolve, links + 1));
        made = 0;
      }
      must(init, made, "make directory ", prefix);
      next = open_in_root(init, prefix, kFlags, resolve);
    }
    must(init, next, "open directory ", prefix);
    bare::close(here);
    here = static_cast<int>(next);
  }
  return here;
}

bool Parent::is_of(const char* path) const {
  size_t size = std::strlen(path);
  while (size > 0 && path[size - 1] != '/') --size;
  return fd_ >= 0 && size == size_ && std::memcmp(path, path_, size) == 0;
}

bool Parent::is_below_empty(const char* path) const {
  if (empty_ == nullptr) return false;
  const std::string_view top(empty_), all(path);
  return all.size() > top.size() && all.starts_with(top) && all[top.size()] == '/';
}

int Parent::of(const Init& init, const char* path, const char*& name) {
  size_t size = std::strlen(path);
  while (size > 0 && path[size - 1] != '/') --size;
  name = path + size;
  if (is_of(path)) return fd_;
  forget();
  path_ = path;
  size_ = size;
  if (size <= 1) {  // "/", which is open
    fd_ = init.root;
    return fd_;
  }
  char directory[PATH_MAX];
  if (size >= sizeof directory) fail(init, ENAMETOOLONG, path);
  std::memcpy(directory, path, size);
  directory[size] = '\0';
  fd_ = open_directory(init, directory);
  return fd_;
}

Target open_or_make_directory(const Init& init, Parent& parent, const char* path, bool real) {
  constexpr int kFlags = O_PATH | O_DIRECTORY;
  const uint64_t resolve = real ? RESOLVE_NO_SYMLINKS : 0;
  // Beside the last one made there is most often room for the next: one call less.
  if (!parent.is_of(path) && !parent.is_below_empty(path)) {
    long fd = open_in_root(init, path, kFlags, RESOLVE_NO_SYMLINKS);
    // (A container that runs may have mounted procfs anywhere.)
    const bool literal = fd >= 0 && !std::string_view(path).starts_with("/proc/") &&
                         init.plan.purpose != plan::Purpose::mounts;
    if (fd == -ELOOP && !real) fd = open_in_root(init, path, kFlags);
    if (fd != -ENOENT)
      return {static_cast<int>(must(init, fd, "open directory ", path)), false, literal};
  }
  const char* name = nullptr;
  int directory = parent.of(init, path, name);
  long made = *name == '\0' ? -EEXIST : bare::mkdirat(directory, name, 0755);
  if (made == -EEXIST) {  // "a/b/" and "a/.." end here too
    return {open_directory(init, path, resolve)};
  }
  must(init, made, "make directory ", path);
  long fd = bare::openat(directory, name, kFlags | O_NOFOLLOW);
  return {static_cast<int>(must(init, fd, "open directory ", path)), true};
}

Target open_or_make_file(const Init& init, Parent& parent, const char* path, bool follow,
                         int links) {
  long fd = open_in_root(init, path, O_PATH | (follow ? 0 : O_NOFOLLOW));
  if (fd != -ENOENT) return {static_cast<int>(must(init, fd, "open ", path))};
  const char* name = nullptr;
  int directory = parent.of(init, path, name);
  long made = bare::openat(directory, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDONLY, 0644);
  if (made == -EEXIST) {
    // A symlink without a target, as /etc/resolv.conf is in many images. Its target is made; it is
    // inside the container's root like every path here.
    char target[PATH_MAX];
    target_of(init, directory, path, name, links, target);
    Target found = open_or_make_file(init, parent, target, follow, links + 1);
    parent.forget();  // it knows the path above
    return found;
  }
  return {static_cast<int>(must(init, made, "make ", path)), true};
}

}  // namespace ocirt::init
