#include "src/linux/cgroup/hierarchies.h"

#include <cerrno>

#include "src/base/text.h"

namespace ocirt::cgroup {

std::string join(std::string_view directory, std::string_view name) {
  if (directory.ends_with('/')) directory.remove_suffix(1);
  if (name.starts_with('/')) name.remove_prefix(1);
  return name.empty() ? std::string(directory) : cat(directory, '/', name);
}

std::string_view parent_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return "/";
  return path.substr(0, slash);
}

bool lists_controller(std::string_view controllers, std::string_view controller) {
  for (std::string_view name : split(controllers, ',')) {
    if (name == controller) return true;
  }
  return false;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  constexpr std::string_view kBlank = " \t\n";
  for (size_t begin = 0;;) {
    begin = text.find_first_not_of(kBlank, begin);
    if (begin == std::string_view::npos) return out;
    const size_t end = text.find_first_of(kBlank, begin);
    out.push_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) return out;
    begin = end;
  }
}

const Directory* v1_directory(const Location& location, std::string_view controller) {
  for (const Directory& directory : location.directories) {
    if (!directory.controllers.empty() && lists_controller(directory.controllers, controller)) {
      return &directory;
    }
  }
  return nullptr;
}

const Directory* v2_directory(const Location& location) {
  for (const Directory& directory : location.directories) {
    if (directory.controllers.empty()) return &directory;
  }
  return nullptr;
}

std::string_view value_of(std::string_view text, std::string_view key) {
  while (std::optional<std::string_view> line = next_line(text)) {
    if (line->size() > key.size() && line->starts_with(key) && (*line)[key.size()] == ' ') {
      return trim(line->substr(key.size() + 1));
    }
  }
  return {};
}

Error reword_missing(Error error, std::string_view path) {
  if (error.code == ENOENT) error.text = cat(path, " is missing on this host");
  return error;
}

}  // namespace ocirt::cgroup
