// From linux.cgroupsPath to directories (config-linux.md, "Cgroups Path").
#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/hierarchies.h"

namespace ocirt::cgroup {

Result<Location> locate(const Host& host, const std::optional<std::string>& cgroups_path,
                        std::string_view id) {
  // Engines write "" for a path that they leave to the runtime.
  const bool given = cgroups_path && !cgroups_path->empty();
  std::string_view path = given ? std::string_view(*cgroups_path) : id;
  std::string_view field = given ? "linux.cgroupsPath" : "container id";
  for (std::string_view part : split(path, '/')) {
    if (part == "..") return refuse(cat(field, ": ", quoted(path), " must not contain \"..\""));
  }
  if (path.find('\n') != std::string_view::npos || path.find('\0') != std::string_view::npos) {
    return refuse(cat(field, ": ", quoted(path), " must be a single line"));
  }
  const std::string clean = clean_path(path);
  if (clean == "/") {
    return refuse(
        cat(field, ": ", quoted(path),
            " is the top of the hierarchy, which cannot be limited; name a cgroup below it"));
  }

  Location location;
  location.layout = host.layout;
  for (const Hierarchy& hierarchy : host.hierarchies) {
    std::string inner = clean;
    if (!path.starts_with('/')) {
      std::string_view own = hierarchy.own;
      if (own.starts_with("/..")) {
        return refuse(cat(field, ": ", quoted(path),
                          " is relative, but this process is outside of ",
                          "its cgroup namespace; give an absolute linux.cgroupsPath"));
      }
      if (host.layout == Layout::unified) own = parent_of(own);
      inner = join(own == "/" ? "" : own, clean);
    }
    location.directories.push_back({hierarchy.controllers, join(hierarchy.mount_point, inner)});
  }
  return location;
}

namespace {

struct Word {
  std::vector<std::string_view> controllers;  // empty: all
  std::string path;                           // "/a/b"
};

Result<Word> read_word(std::string_view text) {
  Word word;
  const size_t colon = text.find(':');
  std::string_view path = text;
  if (colon != std::string_view::npos) {
    word.controllers = split(text.substr(0, colon), ',');
    path = text.substr(colon + 1);
  }
  for (std::string_view part : split(path, '/')) {
    if (part == "..") return refuse(cat(text, " is not a sub cgroup path: it contains \"..\""));
  }
  if (path.find('\n') != std::string_view::npos) return refuse(cat(quoted(text), ": not one line"));
  word.path = clean_path(path);
  if (word.path == "/") word.path.clear();  // the container's own
  return word;
}

}  // namespace

Result<Location> locate_below(const Location& location, std::span<const std::string> words) {
  Location below = location;
  std::vector<bool> named(location.directories.size(), false);
  auto name = [&](size_t i, const std::string& path, std::string_view text) -> Result<> {
    if (named[i]) return refuse(cat(quoted(text), ": another path names the same cgroup"));
    named[i] = true;
    below.directories[i].path += path;
    return {};
  };
  for (const std::string& text : words) {
    Word word = TRY(read_word(text));
    if (!word.controllers.empty() && location.layout == Layout::unified) {
      return refuse(cat(quoted(text), ": on cgroup v2 one path is for all controllers"));
    }
    for (size_t i = 0; word.controllers.empty() && i < named.size(); ++i) {
      TRY(name(i, word.path, text));
    }
    for (std::string_view controller : word.controllers) {
      size_t i = 0;
      while (i < named.size() &&
             !lists_controller(location.directories[i].controllers, controller)) {
        ++i;
      }
      if (controller.empty() || i == named.size()) {
        return refuse(cat(quoted(text), ": unknown controller ", quoted(controller),
                          ", the container has no cgroup of it"));
      }
      TRY(name(i, word.path, text));
    }
  }
  return below;
}

}  // namespace ocirt::cgroup
