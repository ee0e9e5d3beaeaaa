#include "src/container/members.h"

#include <algorithm>
#include <optional>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::container {
namespace {

// 0: the process is gone, a zombie, or not ours to look at.
uint64_t pid_namespace_of(std::string_view pid) {
  Result<struct stat> info = sys::stat(sys::kCwd, cat("/proc/", pid, "/ns/pid"));
  return info ? info->st_ino : 0;
}

Result<std::vector<Candidate>> all_processes() {
  std::vector<Candidate> all;
  UniqueFd proc = TRY(sys::open(sys::kCwd, "/proc", O_RDONLY | O_DIRECTORY));
  const std::vector<std::string> names = TRY(sys::list_directory(proc, "."));
  for (const std::string& name : names) {
    const std::optional<pid_t> pid = to_number<pid_t>(name);
    if (!pid) continue;
    Result<std::optional<sys::ProcessStat>> stat = sys::process_stat(*pid);
    if (!stat || !*stat || (*stat)->state == 'Z' || (*stat)->state == 'X') continue;
    all.push_back({{*pid, (*stat)->start_time}, (*stat)->parent, pid_namespace_of(name)});
  }
  return all;
}

}  // namespace

std::vector<Member> members_among(std::span<const Candidate> all, uint64_t pid_namespace) {
  std::vector<Member> members;
  const auto is_member = [&](pid_t pid) {
    return std::ranges::any_of(members, [&](const Member& member) { return member.pid == pid; });
  };
  for (const Candidate& each : all) {
    if (each.pid_namespace == pid_namespace) members.push_back(each.process);
  }
  // Children may have lower pids than their parents, which are counted anew at the end of the
  // range.
  for (bool found = true; found;) {
    found = false;
    for (const Candidate& each : all) {
      if (is_member(each.process.pid) || !is_member(each.parent)) continue;
      members.push_back(each.process);
      found = true;
    }
  }
  std::ranges::sort(members, {}, &Member::pid);
  return members;
}

Result<std::vector<Member>> members_without_cgroup(const Record& record) {
  const uint64_t theirs = pid_namespace_of(cat(record.pid));
  const uint64_t ours = pid_namespace_of("self");
  if (!record.own_pid_namespace || theirs == 0 || theirs == ours) {
    return refuse(
        "not supported without a cgroup and a pid namespace of the container's own, since nothing "
        "tells which processes it has");
  }
  std::vector<Candidate> all = TRY(all_processes());
  return members_among(all, theirs);
}

}  // namespace ocirt::container
