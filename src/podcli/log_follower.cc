#include "src/podcli/log_follower.h"

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/stream.h"

namespace ocirt::podcli {
namespace {

constexpr size_t kMost = 256 << 20;  // of one file
constexpr unsigned kMostFiles = 100;

}  // namespace

void LogFollower::print(std::string_view text, std::string& out) {
  rest_ += text;
  size_t begin = 0;
  for (;;) {
    const size_t newline = rest_.find('\n', begin);
    if (newline == std::string_view::npos) break;
    const std::string_view line = std::string_view(rest_).substr(begin, newline - begin);
    if (const auto parsed = parse_log_line(line)) printer_.add(*parsed, out);
    begin = newline + 1;
  }
  rest_.erase(0, begin);
}

Result<> LogFollower::reopen() {
  Result<UniqueFd> file = sys::open(sys::kCwd, path_, O_RDONLY | O_NOFOLLOW);
  if (!file && file.error().code == ENOENT) return {};
  file_ = TRY(std::move(file));
  return {};
}

Result<> LogFollower::read_past(std::optional<size_t> tail, std::string& out) {
  // The present file is opened before the old ones are listed: a rotation in between shows a part
  // twice rather than not at all.
  TRY(reopen());
  std::string text;
  unsigned oldest = 0;
  while (oldest < kMostFiles && sys::exists(sys::kCwd, cat(path_, ".", oldest + 1))) ++oldest;
  for (unsigned i = oldest; i > 0; --i) {
    Result<std::string> old = sys::read_file(sys::kCwd, cat(path_, ".", i), kMost);
    if (old) text += *old;
  }
  if (file_.valid()) text += TRY(sys::read_all(file_, path_, kMost));
  print(tail ? std::string_view(text).substr(offset_of_tail(text, *tail)) : text, out);
  return {};
}

Result<bool> LogFollower::was_replaced() const {
  const struct stat mine = TRY(sys::stat_fd(file_, path_));
  Result<struct stat> present = sys::stat(sys::kCwd, path_);
  if (!present) return false;  // being replaced, or removed with the pod
  return mine.st_ino != present->st_ino || mine.st_dev != present->st_dev;
}

Result<> LogFollower::read_more(std::string& out) {
  if (!file_.valid()) TRY(reopen());
  while (file_.valid()) {
    // Looked at before the reading: what was written before the replacement is then read for sure.
    const bool replaced = TRY(was_replaced());
    print(TRY(sys::read_all(file_, path_, kMost)), out);
    if (!replaced) return {};
    file_.reset();
    TRY(reopen());
  }
  return {};
}

}  // namespace ocirt::podcli
