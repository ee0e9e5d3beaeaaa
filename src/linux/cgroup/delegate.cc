// A cgroup v2 subtree in the hands of a container's user 0, so that systemd and the like can make
// cgroups of their own below. Only what the kernel says may be given away is
// (Documentation/admin-guide/cgroup-v2.rst, "Delegation"): the container's own limits are not.
#include <cerrno>

#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::cgroup {
namespace {

constexpr char kKernelsList[] = "/sys/kernel/cgroup/delegate";

// What the specification says where the kernel (before 4.15) has no list.
constexpr std::string_view kAlways = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";

}  // namespace

std::vector<std::string> delegated_files(std::string_view list) {
  if (list.empty()) list = kAlways;
  std::vector<std::string> files;
  while (std::optional<std::string_view> line = next_line(list)) {
    // Names of files in the cgroup, and nothing else.
    if (line->empty() || line->starts_with('.') || line->find('/') != std::string_view::npos)
      continue;
    files.emplace_back(*line);
  }
  return files;
}

Result<> delegate(const Location& location, uint32_t uid) {
  if (location.layout != Layout::unified) return {};
  Result<std::string> list = sys::read_control(sys::kCwd, kKernelsList);
  const std::vector<std::string> files = delegated_files(list ? std::string_view(*list) : "");
  for (const Directory& directory : location.directories) {
    TRY(sys::give_to(directory.path, uid));
    for (const std::string& file : files) {
      Result<> given = sys::give_to(cat(directory.path, "/", file), uid);
      // The list names files of controllers too, which may not be on here.
      if (!given && given.error().code != ENOENT) return given;
    }
  }
  return {};
}

}  // namespace ocirt::cgroup
