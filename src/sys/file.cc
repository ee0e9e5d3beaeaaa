#include "src/sys/file.h"

#include <linux/openat2.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "src/base/text.h"
#include "src/sys/retry.h"

namespace ocirt::sys {
namespace {

constexpr size_t kDocument = 16384;  // for most documents enough

// Reads to the end of `content`, at most `room` bytes. Returns how many, or what read(2) does,
// errno set. The room is not written before: a page that nothing is read into costs nothing.
ssize_t read_more(Fd fd, std::string& content, size_t room) {
  const size_t used = content.size();
  ssize_t got = 0;
  content.resize_and_overwrite(used + room, [&](char* bytes, size_t) {
    got = retry([&] { return ::read(fd.raw(), bytes + used, room); });
    return used + static_cast<size_t>(std::max<ssize_t>(got, 0));
  });
  return got;
}

// A file has got the number of a standard stream, which our caller has closed: it gets another one,
// and what is not there is /dev/null, not close-on-exec: it is what the container's program gets.
Result<UniqueFd> fill_standard_streams(int file) {
  UniqueFd moved(::fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  ::close(file);
  if (!moved.valid()) return os_error("duplicate a descriptor", errno);
  TRY(ensure_standard_streams());
  return moved;
}

}  // namespace

Result<UniqueFd> open(Fd dir, CStr path, int flags, mode_t mode) {
  int fd = retry([&] { return ::openat(dir.raw(), path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) return os_error(cat("open ", path.view()), errno);
  if (fd <= STDERR_FILENO) [[unlikely]]
    return fill_standard_streams(fd);
  return UniqueFd(fd);
}

namespace {

// A path that is opened so, and is_plain_path(), is the only name of what it names.
Result<UniqueFd> open_plainly(Fd dir, CStr path, int flags) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  long fd =
      retry([&] { return ::syscall(SYS_openat2, dir.raw(), path.c_str(), &how, sizeof how); });
  if (fd < 0) return os_error(cat("open ", path.view()), errno);
  return UniqueFd(static_cast<int>(fd));
}

}  // namespace

Result<UniqueFd> duplicate(Fd fd) {
  int copy = ::fcntl(fd.raw(), F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return os_error("duplicate a descriptor", errno);
  return UniqueFd(copy);
}

Result<UniqueFd> open_in_root(Fd root, CStr path, int flags) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  long fd =
      retry([&] { return ::syscall(SYS_openat2, root.raw(), path.c_str(), &how, sizeof how); });
  if (fd < 0) return os_error(cat("open ", path.view()), errno);
  return UniqueFd(static_cast<int>(fd));
}

Result<std::string> read_all(Fd fd, std::string_view name, size_t limit) {
  std::string content;
  // One read is enough for nearly every file of procfs and cgroupfs; larger files double the
  // buffer.
  size_t room = 4096;
  for (;;) {
    const ssize_t got = read_more(fd, content, room);
    if (got < 0) return os_error(cat("read ", name), errno);
    if (content.size() > limit) {
      return std::unexpected(Error{EFBIG, cat("read ", name, ": larger than ", limit, " bytes")});
    }
    if (got == 0) return content;
    room = content.size() < 65536 ? 65536 : content.size();
  }
}

Result<std::string> read_file(Fd dir, CStr path, size_t limit) {
  UniqueFd fd = TRY(open(dir, path, O_RDONLY));
  struct stat info{};
  if (::fstat(fd.raw(), &info) < 0) return os_error(cat("stat ", path.view()), errno);
  const auto size = static_cast<size_t>(info.st_size);
  // Files of procfs and cgroupfs say 0.
  if (!S_ISREG(info.st_mode) || size == 0 || size > limit) return read_all(fd, path.view(), limit);
  std::string content;
  const ssize_t got = read_more(fd, content, size + 1);
  if (got < 0) return os_error(cat("read ", path.view()), errno);
  if (static_cast<size_t>(got) > size) {  // it grows while we read
    ::lseek(fd.raw(), 0, SEEK_SET);
    return read_all(fd, path.view(), limit);
  }
  return content;
}

Result<std::string> read_own_file(Fd dir, CStr path, size_t limit) {
  UniqueFd fd = TRY(open(dir, path, O_RDONLY));
  std::string content;
  for (size_t room = kDocument;;) {
    const size_t used = content.size();
    const ssize_t got = read_more(fd, content, room);
    if (got < 0) return os_error(cat("read ", path.view()), errno);
    if (content.size() > limit) {
      return std::unexpected(
          Error{EFBIG, cat("read ", path.view(), ": larger than ", limit, " bytes")});
    }
    if (content.size() < used + room) {
      fd.close_later();
      return content;
    }
    room = content.size() * 3;
  }
}

Result<std::string> read_document(Fd dir, CStr path, char end, size_t limit, bool plainly) {
  UniqueFd fd = TRY(plainly ? open_plainly(dir, path, O_RDONLY) : open(dir, path, O_RDONLY));
  std::string content;
  content.resize_and_overwrite(kDocument, [&](char* bytes, size_t room) {
    // With a position, which a pipe does not have.
    const ssize_t got = retry([&] { return ::pread(fd.raw(), bytes, room, 0); });
    const bool is_short = got >= 0 && static_cast<size_t>(got) < room;
    return is_short ? static_cast<size_t>(got) : 0;
  });
  const size_t last = content.find_last_not_of(" \t\r\n");
  const bool is_whole = last != std::string::npos && content[last] == end;
  if (!is_whole || content.size() > limit) content = TRY(read_all(fd, path.view(), limit));
  fd.close_later();
  return content;
}

Result<> write_once(Fd fd, std::string_view name, std::string_view content) {
  ssize_t put = retry([&] { return ::write(fd.raw(), content.data(), content.size()); });
  if (put < 0) return os_error(cat("write ", quoted(content), " to ", name), errno);
  if (static_cast<size_t>(put) != content.size()) return refuse(cat("write ", name, ": cut short"));
  return {};
}

Result<> write_control(Fd dir, CStr path, std::string_view content) {
  UniqueFd fd = TRY(open(dir, path, O_WRONLY));
  return write_once(fd, path.view(), content);
}

Result<> write_all(Fd fd, std::string_view name, std::string_view content) {
  while (!content.empty()) {
    ssize_t put = retry([&] { return ::write(fd.raw(), content.data(), content.size()); });
    if (put < 0) return os_error(cat("write ", name), errno);
    content.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

Result<> write_file_atomically(Fd dir, CStr name, CStr temporary, std::string_view content,
                               mode_t mode) {
  Result<UniqueFd> fd = open(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
  if (!fd) return std::unexpected(std::move(fd).error());
  Result<> done = write_all(*fd, temporary.view(), content);
  if (done) done = rename(dir, temporary, name);
  if (!done) ::unlinkat(dir.raw(), temporary.c_str(), 0);
  return done;
}

Result<> put_file(CStr path, CStr temporary, std::string_view content, mode_t mode) {
  const size_t slash = path.view().rfind('/');
  const std::string parent(slash == std::string_view::npos ? "."
                                                           : path.view().substr(0, slash + 1));
  Result<UniqueFd> fd = open(kCwd, parent, O_WRONLY | O_TMPFILE, mode);
  if (!fd) return write_file_atomically(kCwd, path, temporary, content, mode);
  TRY(write_all(*fd, path.view(), content));
  const std::string opened = cat("/proc/self/fd/", fd->raw());
  const auto link = [&] {
    return ::linkat(AT_FDCWD, opened.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW);
  };
  if (link() == 0) return {};
  if (errno != EEXIST) return write_file_atomically(kCwd, path, temporary, content, mode);
  TRY(unlink(kCwd, path));
  if (link() < 0) return os_error(cat("link ", path.view()), errno);
  return {};
}

Result<> chmod(Fd dir, CStr path, mode_t mode) {
  if (::fchmodat(dir.raw(), path.c_str(), mode, 0) < 0)
    return os_error(cat("chmod ", path.view()), errno);
  return {};
}

Result<> give_to(CStr path, uint32_t uid) {
  constexpr gid_t kSameGroup = ~gid_t{0};
  if (::fchownat(AT_FDCWD, path.c_str(), uid, kSameGroup, AT_SYMLINK_NOFOLLOW) < 0)
    return os_error(cat("chown ", path.view()), errno);
  return {};
}

Result<> give_descriptor_to(Fd fd, std::string_view name, uint32_t uid, uint32_t gid) {
  if (::fchown(fd.raw(), uid, gid) < 0) return os_error(cat("chown ", name), errno);
  return {};
}

Result<> give_to_group(Fd fd, std::string_view name, uint32_t gid) {
  constexpr auto kSameOwner = static_cast<uid_t>(-1);
  if (::fchown(fd.raw(), kSameOwner, gid) < 0) return os_error(cat("chgrp ", name), errno);
  return {};
}

Result<> set_mode(Fd fd, std::string_view name, mode_t mode) {
  if (::fchmod(fd.raw(), mode) < 0) return os_error(cat("chmod ", name), errno);
  return {};
}

bool exists(Fd dir, CStr path) { return ::faccessat(dir.raw(), path.c_str(), F_OK, 0) == 0; }

bool is_absent(Fd dir, CStr path) {
  return ::faccessat(dir.raw(), path.c_str(), F_OK, 0) != 0 &&
         (errno == ENOENT || errno == ENOTDIR);
}

bool may_write(CStr directory) {
  return ::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

bool is_directory(Fd dir, CStr path) {
  struct stat info{};
  return ::fstatat(dir.raw(), path.c_str(), &info, 0) == 0 && S_ISDIR(info.st_mode);
}

Result<struct stat> stat(Fd dir, CStr path) {
  struct stat info{};
  if (::fstatat(dir.raw(), path.c_str(), &info, 0) < 0)
    return os_error(cat("stat ", path.view()), errno);
  return info;
}

Result<struct stat> stat_fd(Fd fd, std::string_view name) {
  struct stat info{};
  if (::fstat(fd.raw(), &info) < 0) return os_error(cat("stat ", name), errno);
  return info;
}

Result<uint64_t> filesystem_type(CStr path) {
  struct statfs info{};
  if (retry([&] { return ::statfs(path.c_str(), &info); }) < 0) {
    return os_error(cat("statfs ", path.view()), errno);
  }
  return static_cast<uint64_t>(info.f_type);
}

bool is_plain_path(std::string_view path) {
  if (path.size() < 2 || path[0] != '/' || path.back() == '/') return false;
  for (std::string_view name : split(path.substr(1), '/')) {
    if (name.empty() || name == "." || name == "..") return false;
  }
  return true;
}

Result<std::string> real_directory(CStr path) {
  if (is_plain_path(path.view())) {
    if (Result<UniqueFd> fd = open_plainly(kCwd, path, O_PATH | O_DIRECTORY); fd) {
      fd->close_later();
      return std::string(path.view());
    }
  }
  UniqueFd fd = TRY(open(kCwd, path, O_PATH | O_DIRECTORY));
  Result<std::string> real = read_link(kCwd, cat("/proc/self/fd/", fd.raw()));
  fd.close_later();
  return real;
}

Result<std::string> read_link(Fd dir, CStr path) {
  char buffer[PATH_MAX];
  ssize_t size = ::readlinkat(dir.raw(), path.c_str(), buffer, sizeof buffer);
  if (size < 0) return os_error(cat("readlink ", path.view()), errno);
  return std::string(buffer, static_cast<size_t>(size));
}

Result<> lock_exclusive(Fd fd, std::string_view name) {
  if (retry([&] { return ::flock(fd.raw(), LOCK_EX); }) < 0)
    return os_error(cat("lock ", name), errno);
  return {};
}

Result<> unlock(Fd fd, std::string_view name) {
  if (::flock(fd.raw(), LOCK_UN) < 0) return os_error(cat("unlock ", name), errno);
  return {};
}

Result<> ensure_standard_streams() {
  pollfd streams[3] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
  if (retry([&] { return ::poll(streams, 3, 0); }) < 0)
    return os_error("poll standard streams", errno);
  for (const pollfd& stream : streams) {
    if ((stream.revents & POLLNVAL) == 0) continue;
    // The lowest free number is this one, since those below are open by now. Not close-on-exec: it
    // is what the container's program gets.
    if (::open("/dev/null", O_RDWR) < 0) return os_error("open /dev/null", errno);
  }
  return {};
}

namespace {
int print_code = 0;
}

void print(std::string_view text) {
  const Result<> done = write_all(Fd(STDOUT_FILENO), "standard output", text);
  if (!done && print_code == 0) print_code = done.error().code;
}
int print_failure() { return print_code; }
void print_error(std::string_view text) {
  (void)write_all(Fd(STDERR_FILENO), "standard error", text);
}

}  // namespace ocirt::sys
