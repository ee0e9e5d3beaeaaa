// Which cgroup hierarchies this host has and where we are in them (cgroups(7)). mountinfo grows
// with every container on the host, so it is read only when a hierarchy is not where all
// distributions put it, or when only a part of the hierarchy is mounted (a container without a
// cgroup namespace).
#include "src/linux/cgroup/host.h"

#include <linux/magic.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::cgroup {
namespace {

constexpr std::string_view kTop = "/sys/fs/cgroup";

// mountinfo writes blanks and backslashes of paths as \ooo.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      if (auto byte = to_number<unsigned>(text.substr(i + 1, 3), 8); byte && *byte < 256) {
        out += static_cast<char>(*byte);
        i += 3;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

// Whether the directory that we are in can be found below the mount point: not when the mount shows
// another part of the hierarchy. Free in the ordinary case of the top or of a cgroup namespace.
bool shows_us(const Hierarchy& hierarchy) {
  if (hierarchy.own == "/" || hierarchy.own.starts_with("/..")) return true;
  return sys::exists(sys::kCwd, join(hierarchy.mount_point, hierarchy.own));
}

// The hierarchy at its usual place, if it is mounted there.
std::optional<Hierarchy> at_usual_place(const Membership& membership, bool unified) {
  Hierarchy hierarchy{std::string(membership.controllers),
                      unified ? std::string(kTop) : usual_mount_point(membership.controllers),
                      std::string(membership.path)};
  if (!unified) {
    const uint64_t type = membership.controllers.empty() ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC;
    Result<uint64_t> found = sys::filesystem_type(hierarchy.mount_point);
    if (!found || *found != type) return std::nullopt;
  }
  if (!shows_us(hierarchy)) return std::nullopt;
  return hierarchy;
}

}  // namespace

Result<std::vector<Membership>> parse_memberships(std::string_view text) {
  std::vector<Membership> out;
  while (std::optional<std::string_view> line = next_line(text)) {
    const size_t first = line->find(':');
    const size_t second = first == std::string_view::npos ? first : line->find(':', first + 1);
    if (second == std::string_view::npos || line->substr(second + 1, 1) != "/") {
      return refuse(cat("/proc/self/cgroup: line ", quoted(*line), " is not understood"));
    }
    out.push_back({line->substr(first + 1, second - first - 1), line->substr(second + 1)});
  }
  return out;
}

std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo) {
  // "36 35 0:31 ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPER_OPTIONS"
  constexpr size_t kRoot = 3, kPoint = 4;
  std::vector<CgroupMount> out;
  while (std::optional<std::string_view> line = next_line(mountinfo)) {
    const size_t dash = line->find(" - cgroup");
    if (dash == std::string_view::npos) continue;
    std::vector<std::string_view> before = words(line->substr(0, dash));
    std::vector<std::string_view> after = words(line->substr(dash + 3));
    if (before.size() <= kPoint || after.size() != 3) continue;
    if (after[0] != "cgroup" && after[0] != "cgroup2") continue;
    const bool v2 = after[0] == "cgroup2";
    out.push_back({unescape(before[kRoot]), unescape(before[kPoint]), v2,
                   v2 ? std::string() : std::string(after[2])});
  }
  return out;
}

std::string usual_mount_point(std::string_view controllers) {
  if (controllers.empty()) return join(kTop, "unified");
  if (controllers.starts_with("name=")) controllers.remove_prefix(5);
  return join(kTop, controllers);
}

std::optional<Hierarchy> find_hierarchy(const Membership& membership,
                                        const std::vector<CgroupMount>& mounts) {
  const CgroupMount* best = nullptr;
  std::string_view own;
  for (const CgroupMount& mount : mounts) {
    if (mount.v2 != membership.controllers.empty()) continue;
    if (!mount.v2) {
      bool all = true;
      for (std::string_view name : split(membership.controllers, ',')) {
        all = all && lists_controller(mount.controllers, name);
      }
      if (!all) continue;
    }
    // Our path counts from the top of the hierarchy, the mount may begin further down.
    std::string_view path = membership.path;
    if (mount.root != "/") {
      const bool below = path.starts_with(mount.root) &&
                         (path.size() == mount.root.size() || path[mount.root.size()] == '/');
      if (!below) continue;
      path.remove_prefix(mount.root.size());
      if (path.empty()) path = "/";
    }
    if (best == nullptr || mount.root.size() < best->root.size()) {
      best = &mount;
      own = path;
    }
  }
  if (best == nullptr) return std::nullopt;
  return Hierarchy{std::string(membership.controllers), best->point, std::string(own)};
}

Result<Hierarchy> probe_v1_for_systemd() {
  const std::string text = TRY(sys::read_file(sys::kCwd, "/proc/self/cgroup"));
  for (const Membership& membership : TRY(parse_memberships(text))) {
    if (membership.controllers != "name=systemd") continue;
    const std::string table = TRY(sys::read_file(sys::kCwd, "/proc/self/mountinfo", 64 << 20));
    std::optional<Hierarchy> found = find_hierarchy(membership, parse_cgroup_mounts(table));
    if (found) return *std::move(found);
  }
  return std::unexpected(
      Error{ENOENT,
            "the host has no v1 hierarchy for systemd mounted; `mount -t cgroup -o "
            "none,name=systemd,xattr cgroup /sys/fs/cgroup/systemd` makes one"});
}

Result<Host> probe_host() {
  Host host;
  Result<std::string> top = sys::read_control(sys::kCwd, "/sys/fs/cgroup/cgroup.controllers");
  const bool unified = top.has_value();
  if (top) host.top_controllers = *std::move(top);
  Result<std::string> text = sys::read_control(sys::kCwd, "/proc/self/cgroup");
  if (!text && text.error().code == EFBIG) {  // deep cgroups on many hierarchies
    text = sys::read_file(sys::kCwd, "/proc/self/cgroup");
  }
  if (!text) return std::unexpected(reword_missing(text.error(), "/proc/self/cgroup"));
  std::vector<Membership> memberships = TRY(parse_memberships(*text));

  std::optional<std::vector<CgroupMount>> mounts;
  auto mounted = [&]() -> const std::vector<CgroupMount>& {
    if (!mounts) {
      // No mountinfo is no proc file system, and then nothing else would be found either.
      mounts = parse_cgroup_mounts(
          sys::read_file(sys::kCwd, "/proc/self/mountinfo", 64 << 20).value_or(std::string()));
    }
    return *mounts;
  };
  bool has_v1 = false;
  bool has_v2 = false;
  for (const Membership& membership : memberships) {
    // On a unified host the other hierarchies are named too when the kernel has ever mounted them.
    if (unified && !membership.controllers.empty()) continue;
    std::optional<Hierarchy> found = at_usual_place(membership, unified);
    if (!found) found = find_hierarchy(membership, mounted());
    if (!found) continue;  // not mounted here: nobody here can use it
    (found->controllers.empty() ? has_v2 : has_v1) = true;
    host.hierarchies.push_back(std::move(*found));
  }
  if (host.hierarchies.empty()) {
    return refuse("no cgroup hierarchy is mounted on this host; mount one at /sys/fs/cgroup");
  }
  host.layout = !has_v1 ? Layout::unified : has_v2 ? Layout::hybrid : Layout::legacy;
  return host;
}

}  // namespace ocirt::cgroup
