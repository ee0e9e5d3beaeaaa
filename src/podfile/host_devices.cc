#include "src/podfile/host_devices.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::podfile {
namespace {

constexpr std::string_view kOwn[] = {"/dev/pts",   "/dev/shm",    "/dev/mqueue",   "/dev/fd",
                                     "/dev/stdin", "/dev/stdout", "/dev/stderr",   "/dev/console",
                                     "/dev/ptmx",  "/dev/core",   "/dev/hugepages"};
constexpr unsigned kMostDepth = 8;

Result<> collect(const std::string& directory, unsigned depth, std::vector<oci::Device>& devices) {
  Result<UniqueFd> found = sys::open(sys::kCwd, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  // A device that was pulled out takes its directory with it.
  if (!found && depth > 0 && found.error().code == ENOENT) return {};
  const UniqueFd opened = TRY(std::move(found));
  std::vector<std::string> names = TRY(sys::list_directory(opened, "."));
  std::ranges::sort(names);
  for (const std::string& name : names) {
    const std::string path = cat(directory, "/", name);
    if (std::ranges::find(kOwn, path) != std::end(kOwn)) continue;
    Result<UniqueFd> entry = sys::open(opened, name, O_PATH | O_NOFOLLOW);
    if (!entry) continue;  // gone meanwhile
    const struct stat info = TRY(sys::stat_fd(*entry, path));
    if (S_ISDIR(info.st_mode) && depth < kMostDepth) TRY(collect(path, depth + 1, devices));
    if (!S_ISCHR(info.st_mode) && !S_ISBLK(info.st_mode)) continue;
    devices.push_back(
        {.type = S_ISCHR(info.st_mode) ? oci::DeviceType::kCharacter : oci::DeviceType::kBlock,
         .path = path,
         .major = major(info.st_rdev),
         .minor = minor(info.st_rdev),
         .file_mode = info.st_mode & 07777,
         .uid = info.st_uid,
         .gid = info.st_gid});
  }
  return {};
}

}  // namespace

Result<std::vector<oci::Device>> host_devices() {
  std::vector<oci::Device> devices;
  TRY(within("devices of the host", collect("/dev", 0, devices)));
  return devices;
}

}  // namespace ocirt::podfile
