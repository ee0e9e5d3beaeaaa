#include "src/shim/log_file.h"

#include "src/base/text.h"
#include "src/container/timestamp.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"

namespace ocirt::shim {

Result<> LogFile::open() {
  file_ = TRY(sys::open(sys::kCwd, path_, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0640));
  const struct stat info = TRY(sys::stat_fd(file_, path_));
  size_ = static_cast<uint64_t>(info.st_size);
  return {};
}

void LogFile::rotate() {
  file_.reset();
  if (most_files_ <= 1) {
    (void)sys::unlink(sys::kCwd, path_);
    return;
  }
  // The oldest is replaced by the one before it, and so on.
  for (uint32_t i = most_files_ - 1; i > 0; --i) {
    const std::string from = i == 1 ? path_ : cat(path_, ".", i - 1);
    (void)sys::rename(sys::kCwd, from, cat(path_, ".", i));
  }
}

void LogFile::line(std::string_view stream, std::string_view text, bool complete) {
  const std::string time = container::rfc3339_now();
  const std::string_view tag = complete ? " F " : " P ";
  const std::string_view pieces[] = {time, " ", stream, tag, text, "\n"};
  uint64_t size = 0;
  for (std::string_view piece : pieces) size += piece.size();
  if (file_.valid() && most_bytes_ != 0 && size_ != 0 && size_ + size > most_bytes_) rotate();
  if (!file_.valid() && !open()) {
    ++lost_;
    return;
  }
  if (Result<> put = sys::write_pieces(file_, path_, pieces); !put) {
    ++lost_;
    cut();
    return;
  }
  size_ += size;
}

// A line that there was no room for all of would become the beginning of the next one.
void LogFile::cut() {
  const Result<struct stat> info = sys::stat_fd(file_, path_);
  if (info && static_cast<uint64_t>(info->st_size) > size_)
    (void)sys::cut_file(file_, path_, size_);
}

void LogFile::append(std::string_view stream, std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      line(stream, bytes, false);
      return;
    }
    line(stream, bytes.substr(0, end), true);
    bytes.remove_prefix(end + 1);
  }
}

}  // namespace ocirt::shim
