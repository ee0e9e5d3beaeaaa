#include "src/sys/mounting.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/retry.h"

namespace ocirt::sys {
namespace {

// mountinfo writes space, tab, newline and backslash as octal numbers.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      if (std::optional<int> code = to_number<int>(text.substr(i + 1, 3), 8)) {
        plain += static_cast<char>(*code);
        i += 3;
        continue;
      }
    }
    plain += text[i];
  }
  return plain;
}

}  // namespace

Result<> mount(CStr source, CStr target, CStr type, uint64_t flags, CStr data) {
  if (::mount(source.c_str(), target.c_str(), type.c_str(), flags, data.c_str()) < 0)
    return os_error(cat("mount ", type.view(), " at ", target.view()), errno);
  return {};
}

Result<> mount_from(CStr directory, CStr source, CStr target, CStr type, uint64_t flags,
                    CStr data) {
  const UniqueFd before = TRY(open(kCwd, ".", O_PATH | O_DIRECTORY));
  if (::chdir(directory.c_str()) < 0) return os_error(cat("chdir ", directory.view()), errno);
  Result<> mounted = mount(source, target, type, flags, data);
  if (::fchdir(before.raw()) < 0 && mounted) return os_error("chdir back", errno);
  return mounted;
}

Result<> bind(CStr source, CStr target, bool recursive, uint64_t flags) {
  unsigned long how = MS_BIND;
  if (recursive) how |= MS_REC;
  if (::mount(source.c_str(), target.c_str(), nullptr, how, nullptr) < 0)
    return os_error(cat("bind ", source.view(), " at ", target.view()), errno);
  if (flags == 0) return {};
  if (::mount(nullptr, target.c_str(), nullptr, MS_REMOUNT | MS_BIND | flags, nullptr) < 0)
    return os_error(cat("bind ", source.view(), " at ", target.view(), ": options"), errno);
  return {};
}

Result<> unmount(CStr target) {
  if (::umount2(target.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
    return os_error(cat("unmount ", target.view()), errno);
  return {};
}

Result<> unmount_everything(const std::string& target) {
  const Result<std::string> real = real_directory(target);
  if (!real && (real.error().code == ENOENT || real.error().code == ENOTDIR)) return {};
  if (!real) return std::unexpected(real.error());
  std::vector<std::string> below = TRY(mounts_below(*real));
  below.push_back(*real);
  for (const std::string& path : below) {
    for (;;) {
      if (::umount2(path.c_str(), UMOUNT_NOFOLLOW) == 0) continue;
      if (errno == EBUSY && ::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) continue;
      if (errno == EINVAL || errno == ENOENT) break;  // nothing is mounted here (any more)
      return os_error(cat("unmount ", path), errno);
    }
  }
  return {};
}

Result<std::vector<std::string>> mounts_below(const std::string& directory) {
  constexpr size_t kLargest = size_t{64} << 20;
  const std::string table = TRY(read_file(kCwd, "/proc/self/mountinfo", kLargest));
  const std::string prefix = cat(directory, "/");
  std::vector<std::string> found;
  std::string_view rest = table;
  while (std::optional<std::string_view> line = next_line(rest)) {
    const std::vector<std::string_view> fields = split(*line, ' ');
    constexpr size_t kMountPoint = 4;
    if (fields.size() <= kMountPoint) continue;
    std::string target = unescaped(fields[kMountPoint]);
    if (target.starts_with(prefix)) found.push_back(std::move(target));
  }
  std::ranges::reverse(found);
  return found;
}

Result<> unshare(uint64_t flags) {
  if (::unshare(static_cast<int>(flags)) < 0) return os_error("unshare", errno);
  return {};
}

Result<> set_hostname(std::string_view name) {
  if (::sethostname(name.data(), name.size()) < 0) return os_error("set the host's name", errno);
  return {};
}

Result<> pin_namespace(std::string_view kind, const std::string& path) {
  (void)TRY(open(kCwd, path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
  return bind(cat("/proc/self/ns/", kind), path, false, 0);
}

Result<UniqueFd> open_beneath(Fd root, CStr path, int flags) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd =
      retry([&] { return ::syscall(SYS_openat2, root.raw(), path.c_str(), &how, sizeof how); });
  if (fd < 0) return os_error(cat("open ", path.view()), errno);
  return UniqueFd(static_cast<int>(fd));
}

}  // namespace ocirt::sys
