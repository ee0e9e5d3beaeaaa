#include "src/container/own_ids.h"

#include <fcntl.h>
#include <linux/sched.h>

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/sys/child_result.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/fork.h"
#include "src/sys/mounting.h"
#include "src/sys/process.h"
#include "src/sys/program_output.h"
#include "src/sys/stream.h"
#include "src/sys/user_namespace.h"

namespace ocirt::container {
namespace {

constexpr const char* kMapUsers = "newuidmap";
constexpr const char* kMapGroups = "newgidmap";
constexpr size_t kMostRanges = 340;  // user_namespaces(7)

std::string name_of(uint32_t uid, std::string_view passwd) {
  const std::string number = cat(uid);
  while (std::optional<std::string_view> line = next_line(passwd)) {
    const std::vector<std::string_view> fields = split(*line, ':');
    if (fields.size() >= 3 && fields[2] == number) return std::string(fields[0]);
  }
  return {};
}

void add_granted(std::vector<oci::IdMapping>& mappings, std::string_view file, uint32_t uid,
                 std::string_view name) {
  const std::string number = cat(uid);
  while (std::optional<std::string_view> line = next_line(file)) {
    const std::vector<std::string_view> fields = split(trim(*line), ':');
    if (fields.size() != 3 || fields[0].empty()) continue;
    if (fields[0] != number && fields[0] != name) continue;
    const std::optional<uint32_t> first = to_number<uint32_t>(fields[1]);
    const std::optional<uint32_t> count = to_number<uint32_t>(fields[2]);
    const uint64_t next = id_count(mappings);
    if (!first || !count || *count == 0 || next + *count > UINT32_MAX) continue;
    if (mappings.size() == kMostRanges) return;
    mappings.push_back({static_cast<uint32_t>(next), *first, *count});
  }
}

bool is_installed(std::string_view program) {
  std::string_view path = "/usr/local/bin:/usr/bin:/bin";
  for (const char* const* entry = sys::own_environment(); *entry != nullptr; ++entry) {
    if (std::string_view(*entry).starts_with("PATH=")) path = std::string_view(*entry).substr(5);
  }
  return std::ranges::any_of(split(path, ':'), [&](std::string_view directory) {
    return sys::exists(sys::kCwd, cat(directory, "/", program));
  });
}

Result<std::string> read_if_there(const char* path) {
  Result<std::string> text = sys::read_file(sys::kCwd, path, 16 << 20);
  if (!text && text.error().code == ENOENT) return std::string();
  return text;
}

Result<> map_with(const char* program, pid_t process, const std::vector<oci::IdMapping>& mappings) {
  std::vector<std::string> argv = {program, cat(process)};
  for (const oci::IdMapping& one : mappings) {
    argv.push_back(cat(one.container_id));
    argv.push_back(cat(one.host_id));
    argv.push_back(cat(one.size));
  }
  if (sys::program_output(argv)) return {};
  return refuse(cat(program, " did not map the ids that /etc/subuid and /etc/subgid grant to this ",
                    "user (is it set-user-ID root, or has it file capabilities?)"));
}

// A child that stays outside has the helpers map its parent, when that says that it is in.
Result<> unshare_with_help(const OwnIds& ids) {
  sys::Pipe entered = TRY(sys::make_pipe()), answer = TRY(sys::make_pipe());
  TRY(sys::set_waiting(entered.from, true));
  TRY(sys::set_waiting(answer.from, true));
  const pid_t self = sys::own_pid();
  const int keep[] = {entered.from.raw(), answer.to.raw()};
  sys::Fork how;
  how.keep = keep;
  const pid_t child = TRY(sys::fork_child(how));
  if (child == 0) {
    entered.to.reset();
    const Result<std::string> word = sys::read_all(entered.from, "word");
    if (!word || word->empty()) sys::exit_now(1);
    Result<> mapped = map_with(kMapUsers, self, ids.uids);
    if (mapped) mapped = map_with(kMapGroups, self, ids.gids);
    (void)sys::write_all(answer.to, "answer", mapped ? "ok" : mapped.error().text);
    sys::exit_now(0);
  }
  UniqueFd helper = TRY(sys::pidfd_open(child));
  entered.from.reset();
  answer.to.reset();
  Result<> done = sys::enter_new_user_namespace();
  if (done) done = sys::write_all(entered.to, "word", "x");
  entered.to.reset();
  const Result<std::string> why = sys::read_all(answer.from, "answer");
  (void)sys::wait_child(helper);
  TRY(std::move(done));
  if (!why) return std::unexpected(why.error());
  if (*why == "ok") return {};
  return refuse(why->empty() ? "the process that maps its ids ended without an answer" : *why);
}

Result<> unshare_alone(const OwnIds& ids) {
  TRY(sys::enter_new_user_namespace());
  // Or a process could leave a group by which it is denied something (CVE-2014-8989).
  TRY(sys::write_control(sys::kCwd, "/proc/self/setgroups", "deny"));
  TRY(sys::write_control(sys::kCwd, "/proc/self/uid_map", cat("0 ", ids.uids[0].host_id, " 1")));
  return sys::write_control(sys::kCwd, "/proc/self/gid_map", cat("0 ", ids.gids[0].host_id, " 1"));
}

}  // namespace

uint64_t id_count(const std::vector<oci::IdMapping>& mappings) {
  uint64_t count = 0;
  for (const oci::IdMapping& one : mappings) count += one.size;
  return count;
}

OwnIds ids_of(uint32_t uid, uint32_t gid, std::string_view passwd, std::string_view subuid,
              std::string_view subgid) {
  const OwnIds alone{{{0, uid, 1}}, {{0, gid, 1}}};
  OwnIds ids = alone;
  const std::string name = name_of(uid, passwd);
  add_granted(ids.uids, subuid, uid, name);
  add_granted(ids.gids, subgid, uid, name);
  return ids.uids.size() > 1 && ids.gids.size() > 1 ? ids : alone;
}

Result<OwnIds> own_ids() {
  const uint32_t uid = sys::effective_uid(), gid = sys::effective_gid();
  if (!is_installed(kMapUsers) || !is_installed(kMapGroups)) return ids_of(uid, gid, "", "", "");
  const std::string passwd = TRY(read_if_there("/etc/passwd"));
  const std::string subuid = TRY(read_if_there("/etc/subuid"));
  const std::string subgid = TRY(read_if_there("/etc/subgid"));
  return ids_of(uid, gid, passwd, subuid, subgid);
}

Result<> enter_own_user_namespace(const OwnIds& ids) {
  if (ids.alone()) return within("user namespace", unshare_alone(ids));
  TRY(within("user namespace", unshare_with_help(ids)));
  return within("user namespace", sys::give_up_groups());
}

Result<> in_own_user_namespace(const OwnIds& ids, Closure<Result<>()> work, Fd held) {
  sys::Pipe answer = TRY(sys::make_pipe());
  TRY(sys::set_waiting(answer.from, true));
  const int keep[] = {answer.to.raw(), held.raw()};
  sys::Fork how;
  how.keep = std::span(keep, held.valid() ? 2 : 1);
  how.standard[2] = Fd(2);
  const pid_t child = TRY(sys::fork_child(how));
  if (child == 0) {
    Result<> done = enter_own_user_namespace(ids);
    if (done) done = work();
    sys::tell_result(answer.to, done);
    sys::exit_now(0);
  }
  const UniqueFd helper = TRY(sys::pidfd_open(child));
  answer.to.reset();
  Result<> done = sys::hear_result(answer.from, "it ended without an answer");
  (void)sys::wait_child(helper);
  return done;
}

}  // namespace ocirt::container
