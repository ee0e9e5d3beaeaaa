#include "src/shim/event_log.h"

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::shim {

void EventLog::append(const pod::Event& event) {
  Result<UniqueFd> file =
      sys::open(sys::kCwd, path_, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600);
  if (!file) return;
  Result<struct stat> info = sys::stat_fd(*file, path_);
  (void)sys::write_all(*file, path_, pod::write_event(event));
  if (info && info->st_size > kMostBytes) (void)sys::rename(sys::kCwd, path_, cat(path_, ".1"));
}

}  // namespace ocirt::shim
