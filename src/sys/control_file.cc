#include "src/sys/control_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/retry.h"

namespace ocirt::sys {

namespace {
constexpr size_t kMostInControlFile = 4096;
}  // namespace

Result<std::string> read_control(Fd dir, CStr path) {
  UniqueFd fd = TRY(open(dir, path, O_RDONLY));
  Result<std::string> text = reread_control(fd, path.view());
  fd.close_later();
  return text;
}

Result<std::string> reread_control(Fd fd, std::string_view name) {
  char buffer[kMostInControlFile];
  ssize_t got = retry([&] { return ::pread(fd.raw(), buffer, sizeof buffer, 0); });
  if (got < 0) return os_error(cat("read ", name), errno);
  if (static_cast<size_t>(got) == sizeof buffer) {
    return std::unexpected(
        Error{EFBIG, cat("read ", name, ": larger than ", kMostInControlFile - 1, " bytes")});
  }
  return std::string(buffer, static_cast<size_t>(got));
}

Result<bool> wait_for_change(Fd fd, int timeout_ms) {
  pollfd entry{fd.raw(), POLLPRI, 0};
  int ready = ::poll(&entry, 1, timeout_ms);
  if (ready < 0 && errno != EINTR) return os_error("poll a control file", errno);
  return ready != 0;
}

Result<std::vector<std::string>> list_subdirectories(Fd dir, CStr path) {
  struct stat info{};
  if (::fstatat(dir.raw(), path.c_str(), &info, 0) < 0) {
    return os_error(cat("stat ", path.view()), errno);
  }
  std::vector<std::string> names;
  constexpr nlink_t kSelfAndParent = 2;
  if (info.st_nlink == kSelfAndParent) return names;
  UniqueFd fd = TRY(open(dir, path, O_RDONLY | O_DIRECTORY));
  DIR* stream = ::fdopendir(fd.raw());
  if (stream == nullptr) return os_error(cat("open directory ", path.view()), errno);
  (void)fd.release();  // closedir() closes it
  errno = 0;
  while (dirent* entry = ::readdir(stream)) {
    std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
  }
  int code = errno;
  ::closedir(stream);
  if (code != 0) return os_error(cat("read directory ", path.view()), code);
  return names;
}

void pause_ms(int ms) { (void)::poll(nullptr, 0, ms); }

bool in_user_namespace() {
  Result<std::string> map = read_control(kCwd, "/proc/self/uid_map");
  if (!map) return false;  // a kernel without user namespaces
  std::string_view text = *map;
  // The first namespace maps everything to itself: "0 0 4294967295".
  std::vector<std::string_view> fields;
  for (std::string_view field : split(trim(text), ' ')) {
    if (!field.empty()) fields.push_back(field);
  }
  return !(fields.size() == 3 && fields[0] == "0" && fields[1] == "0" && fields[2] == "4294967295");
}

}  // namespace ocirt::sys
