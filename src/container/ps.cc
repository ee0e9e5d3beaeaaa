#include "src/container/ps.h"

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/container/members.h"
#include "src/container/status.h"
#include "src/sys/program_output.h"

namespace ocirt::container {
namespace {

// The words of a line, which any number of blanks separates.
std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found = split(line, ' ');
  std::erase_if(found, [](std::string_view word) { return word.empty(); });
  return found;
}

}  // namespace

Result<std::vector<pid_t>> processes(const Store& store, const std::string& id) {
  Directory directory = TRY(store.find(id, Store::Lock::none));
  Record record = TRY(directory.read());
  if (!record.cgroup.directories.empty()) return cgroup::processes(record.cgroup);
  if (TRY(status_of(directory, record)) == oci::Status::kStopped) return std::vector<pid_t>();
  const std::vector<Member> members = TRY(members_without_cgroup(record));
  std::vector<pid_t> pids(members.size());
  std::ranges::transform(members, pids.begin(), &Member::pid);
  return pids;
}

Result<std::string> select_lines(std::string_view table, std::span<const pid_t> pids) {
  std::string_view rest = table;
  std::string_view header = next_line(rest).value_or("");
  std::vector<std::string_view> titles = words(header);
  size_t column =
      static_cast<size_t>(std::find(titles.begin(), titles.end(), "PID") - titles.begin());
  if (column == titles.size()) {
    return refuse("ps: no column PID in its output, give it arguments that make one (such as -ef)");
  }
  std::string out = cat(header, "\n");
  while (std::optional<std::string_view> line = next_line(rest)) {
    std::vector<std::string_view> fields = words(*line);
    if (fields.size() <= column) continue;
    std::optional<pid_t> pid = to_number<pid_t>(fields[column]);
    if (pid && std::find(pids.begin(), pids.end(), *pid) != pids.end()) out += cat(*line, "\n");
  }
  return out;
}

Result<std::string> process_table(std::span<const pid_t> pids,
                                  std::span<const std::string_view> arguments) {
  std::vector<std::string> argv = {"ps"};
  for (std::string_view argument : arguments) argv.emplace_back(argument);
  if (arguments.empty()) argv.emplace_back("-ef");
  Result<std::string> output = sys::program_output(argv);
  if (!output && output.error().code == ENOENT) {
    return refuse("ps is not installed on this host; `ps --format json` works without it");
  }
  if (!output) return within("ps", std::move(output));
  return select_lines(*output, pids);
}

}  // namespace ocirt::container
