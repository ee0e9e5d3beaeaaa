// See files.h.
#include "tests/support/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "tests/support/patience.h"

namespace harness {

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  throw std::runtime_error(what + " " + path + ": " + std::strerror(errno));
}

}  // namespace

std::string read_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("open", path);
  std::string text;
  char buffer[65536];
  ssize_t got = 0;
  while ((got = read(fd, buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<size_t>(got));
  const int reason = errno;
  close(fd);
  errno = reason;
  if (got < 0) fail("read", path);
  return text;
}

void write_file(const std::string& path, std::string_view text, mode_t mode) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) fail("create", path);
  const ssize_t put = write(fd, text.data(), text.size());
  const int reason = errno;
  if (path.compare(0, 5, "/sys/") != 0 && path.compare(0, 6, "/proc/") != 0) fchmod(fd, mode);
  close(fd);
  errno = reason;
  if (put != static_cast<ssize_t>(text.size())) fail("write", path);
}

bool exists(const std::string& path) {
  struct stat status;
  return lstat(path.c_str(), &status) == 0;
}

void make_directories(const std::string& path, mode_t mode) {
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    mkdir(path.substr(0, at).c_str(), mode);
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) fail("mkdir", path);
}

void remove_tree(const std::string& path) {
  nftw(
      path.c_str(),
      [](const char* each, const struct stat*, int, FTW*) { return ::remove(each), 0; }, 16,
      FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  DIR* stream = opendir(directory.c_str());
  if (!stream) return names;
  while (const dirent* entry = readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(stream);
  std::sort(names.begin(), names.end());
  return names;
}

std::string link_target(const std::string& path) {
  char buffer[4096];
  const ssize_t size = readlink(path.c_str(), buffer, sizeof buffer);
  return size < 0 ? std::string() : std::string(buffer, static_cast<size_t>(size));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string> lines(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.empty()) return {};
  return split(text, '\n');
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  size_t at = 0;
  while ((at = text.find_first_not_of(" \t\r\n", at)) != std::string_view::npos) {
    const size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
    out.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

std::string trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i) out += separator;
    out += parts[i];
  }
  return out;
}

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string field(std::string_view text, std::string_view key) {
  for (const std::string& line : lines(text))
    if (line.starts_with(key)) return trim(std::string_view(line).substr(key.size()));
  return {};
}

bool Mount::is_shared() const {
  return std::any_of(tags.begin(), tags.end(),
                     [](auto& tag) { return tag.starts_with("shared:"); });
}

bool Mount::is_slave() const {
  return std::any_of(tags.begin(), tags.end(),
                     [](auto& tag) { return tag.starts_with("master:"); });
}

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  for (const std::string& line : lines(text)) {
    const std::vector<std::string> all = words(line);
    const auto dash = std::find(all.begin(), all.end(), "-");
    if (all.size() < 9 || all.end() - dash < 3) continue;
    Mount mount;
    mount.root = all[3];
    mount.target = all[4];
    mount.options = split(all[5], ',');
    mount.tags.assign(all.begin() + 6, dash);
    mount.type = dash[1];
    mount.source = dash[2];
    if (all.end() - dash > 3) mount.super_options = split(dash[3], ',');
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

Mount mount_at(const std::vector<Mount>& mounts, std::string_view target) {
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount)
    if (mount->target == target) return *mount;
  throw std::runtime_error("nothing is mounted at " + std::string(target));
}

int patience() {
  static const int factor = [] {
    const char* said = std::getenv("TEST_PATIENCE");
    return said == nullptr ? 1 : std::max(1, std::atoi(said));
  }();
  return factor;
}

// Waiting is counted in these, so a slow machine waits longer for everything.
void sleep_ms(int milliseconds) {
  milliseconds *= patience();
  const timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  nanosleep(&time, nullptr);
}

}  // namespace harness
