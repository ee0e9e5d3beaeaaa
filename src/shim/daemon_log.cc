#include "src/shim/daemon_log.h"

#include <utility>

#include "src/base/text.h"
#include "src/container/timestamp.h"
#include "src/shim/process.h"
#include "src/sys/event_loop.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"

namespace ocirt::shim {
namespace {

constexpr size_t kMostBytes = 4096;  // PIPE_BUF: written as a whole or not at all

}  // namespace

DaemonLog::DaemonLog(const std::string& path) {
  // For both directions: writing while the daemon is away is then no broken pipe, and opening needs
  // no reader. What it holds when the daemon comes back is read.
  Result<UniqueFd> fifo = sys::open(sys::kCwd, path, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
  if (!fifo) return;
  Result<struct stat> info = sys::stat_fd(*fifo, path);
  if (info && S_ISFIFO(info->st_mode)) fifo_ = std::move(*fifo);
}

void DaemonLog::write(std::string_view level, std::string_view text) {
  if (!fifo_.valid()) return;
  (void)sys::write_some(fifo_, log_line(wall_time(), level, text));
}

std::string log_line(timespec time, std::string_view level, std::string_view text) {
  std::string line = cat("time=\"", container::rfc3339(time), "\" level=", level, " msg=\"");
  for (const char c : trim(text)) {
    if (line.size() > kMostBytes - 8) break;
    if (c == '"' || c == '\\') line += '\\';
    if (c == '\n') {
      line += "\\n";
    } else {
      line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  }
  return line + "\"\n";
}

}  // namespace ocirt::shim
