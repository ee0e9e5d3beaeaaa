#include "src/container/user_namespace.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/container/draft_user.h"
#include "src/sys/file.h"
#include "src/sys/process.h"
#include "src/sys/program_output.h"

namespace ocirt::container {
namespace {

// One of the two maps: which file, which program of shadow's package, whose property.
struct Kind {
  const char* file;
  const char* program;
  std::string_view property;
};
constexpr Kind kUsers{"uid_map", "newuidmap", "linux.uidMappings"};
constexpr Kind kGroups{"gid_map", "newgidmap", "linux.gidMappings"};

Result<> map_with_help(pid_t init, const Kind& kind, const std::vector<oci::IdMapping>& mappings) {
  std::vector<std::string> argv = {kind.program, cat(init)};
  for (const oci::IdMapping& one : mappings) {
    argv.push_back(cat(one.container_id));
    argv.push_back(cat(one.host_id));
    argv.push_back(cat(one.size));
  }
  Result<std::string> done = sys::program_output(argv);
  if (done) return {};
  if (done.error().code == ENOENT) {
    return refuse(cat(kind.property, ": more than one's own id takes the program ", kind.program,
                      ", which is not installed (package uidmap)"));
  }
  return refuse(cat(kind.property, ": ", kind.program, " did not map them (do /etc/subuid and ",
                    "/etc/subgid grant these ids to this user?)"));
}

// A map is written once and as a whole.
Result<> write_map(pid_t init, const Kind& kind, const std::vector<oci::IdMapping>& mappings) {
  std::string text;
  for (const oci::IdMapping& one : mappings)
    text += cat(one.container_id, " ", one.host_id, " ", one.size, "\n");
  return within(kind.property,
                sys::write_control(sys::kCwd, cat("/proc/", init, "/", kind.file), text));
}

Result<> compare_map(pid_t init, const Kind& kind, const std::vector<oci::IdMapping>& mappings) {
  if (mappings.empty()) return {};
  std::string text = TRY(sys::read_file(sys::kCwd, cat("/proc/", init, "/", kind.file)));
  std::string_view rest = text;
  size_t found = 0;
  bool same = true;
  while (std::optional<std::string_view> line = next_line(rest)) {
    std::vector<uint32_t> numbers;
    for (std::string_view word : split(*line, ' ')) {
      if (!word.empty()) numbers.push_back(to_number<uint32_t>(word).value_or(0));
    }
    const oci::IdMapping one =
        numbers.size() == 3 ? oci::IdMapping{numbers[0], numbers[1], numbers[2]} : oci::IdMapping{};
    same &= std::find(mappings.begin(), mappings.end(), one) != mappings.end();
    ++found;
  }
  if (same && found == mappings.size()) return {};
  return refuse(cat(kind.property, ": the user namespace to be joined is mapped in another way"));
}

Result<> map_new(pid_t init, const UserNamespace& user) {
  const bool own_uid = is_own_id(user.uids, sys::effective_uid());
  const bool own_gid = is_own_id(user.gids, sys::effective_gid());
  // An ordinary user must first give up setgroups(2), or a process could leave a group by which it
  // is denied something (user_namespaces(7), CVE-2014-8989).
  if (user.rootless && own_gid) {
    TRY(sys::write_control(sys::kCwd, cat("/proc/", init, "/setgroups"), "deny"));
  }
  TRY(user.rootless && !own_uid ? map_with_help(init, kUsers, user.uids)
                                : write_map(init, kUsers, user.uids));
  return user.rootless && !own_gid ? map_with_help(init, kGroups, user.gids)
                                   : write_map(init, kGroups, user.gids);
}

}  // namespace

Result<> settle_user_namespace(pid_t init, const Draft& draft) {
  if (!draft.user) return refuse("init said something out of order");
  const UserNamespace& user = *draft.user;
  if (user.is_new) {
    TRY(map_new(init, user));
  } else {
    TRY(compare_map(init, kUsers, user.uids));
    TRY(compare_map(init, kGroups, user.gids));
  }
  plan::Builder copy = draft.builder;
  const plan::View view(copy.finish().data());
  const plan::Plan& plan = view.plan();
  if (plan.clock_offsets.given()) {
    Result<> written = sys::write_control(sys::kCwd, cat("/proc/", init, "/timens_offsets"),
                                          view.view(plan.clock_offsets));
    if (!written && written.error().code == ERANGE) {
      return refuse("linux.timeOffsets: a clock would be below zero or beyond its range");
    }
    TRY(within("linux.timeOffsets", std::move(written)));
  }
  if (plan.process.set_oom_score) {
    TRY(within("process.oomScoreAdj",
               sys::write_control(sys::kCwd, cat("/proc/", init, "/oom_score_adj"),
                                  cat(plan.process.oom_score))));
  }
  return {};
}

Result<UniqueFd> fetch_source(pid_t init, const Draft& draft, uint32_t number) {
  plan::Builder copy = draft.builder;
  const plan::View view(copy.finish().data());
  const plan::Plan& plan = view.plan();
  auto mounts = view.list(plan.mounts);
  const bool is_root = number == plan::kNoIndex;
  if (!plan.user.settles ||
      (!is_root && (number >= mounts.size() || mounts[number].kind != plan::MountKind::bind))) {
    return refuse("init said something out of order");
  }
  const std::string path(view.view(is_root ? plan.root : mounts[number].source));
  UniqueFd root = TRY(sys::open(sys::kCwd, cat("/proc/", init, "/root"), O_PATH | O_DIRECTORY));
  return within(is_root ? cat("root.path") : cat("mounts[", mounts[number].index, "].source"),
                sys::open_in_root(root, path, O_PATH));
}

}  // namespace ocirt::container
