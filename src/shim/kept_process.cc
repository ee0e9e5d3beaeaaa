#include "src/shim/kept_process.h"

#include <cerrno>
#include <csignal>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::shim {
namespace {

constexpr int kEndMs = 5000;

bool has_ended(const std::optional<sys::ProcessStat>& stat) {
  return !stat || stat->state == 'Z' || stat->state == 'X';
}

}  // namespace

Result<> record_process(const std::string& path, pid_t pid) {
  const std::optional<sys::ProcessStat> stat = TRY(sys::process_stat(pid));
  if (has_ended(stat)) return refuse(cat("process ", pid, " has ended already"));
  return sys::write_file_atomically(sys::kCwd, path, cat(path, ".new"),
                                    cat(pid, " ", stat->start_time, "\n"), 0600);
}

Result<std::optional<KeptProcess>> find_process(const std::string& path) {
  const Result<std::string> text = sys::read_file(sys::kCwd, path);
  if (!text && text.error().code == ENOENT) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  const std::vector<std::string_view> words = split(trim(*text), ' ');
  const std::optional<pid_t> pid = to_number<pid_t>(words[0]);
  const std::optional<uint64_t> start =
      words.size() == 2 ? to_number<uint64_t>(words[1]) : std::nullopt;
  if (!pid || *pid <= 1 || !start) return refuse(cat(path, " is damaged"));
  Result<UniqueFd> pidfd = sys::pidfd_open(*pid);
  if (!pidfd && pidfd.error().code == ESRCH) return std::nullopt;
  if (!pidfd) return std::unexpected(pidfd.error());
  // Looked at after the descriptor has been opened: it is this process's, or another one has it.
  const std::optional<sys::ProcessStat> stat = TRY(sys::process_stat(*pid));
  if (has_ended(stat) || stat->start_time != *start) return std::nullopt;
  return KeptProcess{*pid, *std::move(pidfd)};
}

Result<> end_process(const std::string& path) {
  const std::optional<KeptProcess> process = TRY(find_process(path));
  if (!process) return {};
  Result<> sent = sys::send_signal(process->pidfd, SIGKILL);
  if (!sent && sent.error().code != ESRCH) return sent;
  if (TRY(sys::wait_until_ended(process->pidfd, kEndMs))) return {};
  return refuse(cat("process ", process->pid, " (", path, ") does not end"));
}

}  // namespace ocirt::shim
