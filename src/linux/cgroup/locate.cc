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

}  // namespace ocirt::cgroup
