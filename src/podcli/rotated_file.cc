#include "src/podcli/rotated_file.h"

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/stream.h"

namespace ocirt::podcli {
namespace {

constexpr size_t kMost = 256 << 20;  // of one file
constexpr unsigned kMostFiles = 1000;
constexpr int kMostTries = 100;

}  // namespace

std::string RotatedFile::rotated(unsigned index) const {
  return index == 0 ? path_ : cat(path_, ".", index);
}

Result<bool> RotatedFile::is_mine(const std::string& path) const {
  const struct stat mine = TRY(sys::stat_fd(file_, path_));
  Result<struct stat> there = sys::stat(sys::kCwd, path);
  return there && mine.st_ino == there->st_ino && mine.st_dev == there->st_dev;
}

// While files are being renamed, one name among them may be missing, but never two.
bool RotatedFile::has_older_than(unsigned index) const {
  return sys::exists(sys::kCwd, rotated(index + 1)) || sys::exists(sys::kCwd, rotated(index + 2));
}

// Nothing is opened where there is no file yet.
Result<> RotatedFile::open_oldest() {
  for (int again = 0; again < kMostTries; ++again) {
    unsigned oldest = 0;
    while (oldest < kMostFiles && has_older_than(oldest)) ++oldest;
    Result<UniqueFd> file = sys::open(sys::kCwd, rotated(oldest), O_RDONLY | O_NOFOLLOW);
    // Rotated meanwhile: then the name has been that of a younger one.
    if (file && has_older_than(oldest)) continue;
    if (file) {
      file_ = std::move(*file);
      return {};
    }
    if (file.error().code != ENOENT) return std::unexpected(std::move(file).error());
    if (oldest == 0) return {};  // or it is being replaced right now, which is a change too
  }
  return refuse(cat(path_, " is rotated faster than it can be read"));
}

// Rotation renames from the oldest file on, so a file moves away before the next one takes its
// name: what has the name below ours, while ours has its name before and after, is the next one.
Result<> RotatedFile::open_next() {
  for (unsigned i = 1; i <= kMostFiles; ++i) {
    if (!TRY(is_mine(rotated(i)))) continue;
    Result<UniqueFd> next = sys::open(sys::kCwd, rotated(i - 1), O_RDONLY | O_NOFOLLOW);
    if (!next && next.error().code != ENOENT) return std::unexpected(std::move(next).error());
    if (!TRY(is_mine(rotated(i)))) continue;  // it has moved on meanwhile, to a higher number
    if (next) file_ = std::move(*next);       // else it has not been begun
    return {};
  }
  // Ours was the oldest, and is gone: so is whatever was lost with it.
  return open_oldest();
}

Result<> RotatedFile::read(std::string& text) {
  if (!file_.valid()) TRY(open_oldest());
  while (file_.valid()) {
    // Looked at before the reading: what was written before the replacement is then read for sure.
    const bool present = TRY(is_mine(path_));
    text += TRY(sys::read_all(file_, path_, kMost));
    if (present) return {};
    const ino_t mine = TRY(sys::stat_fd(file_, path_)).st_ino;
    TRY(open_next());
    // The next one has not been begun, or all of them were removed with the pod.
    if (TRY(sys::stat_fd(file_, path_)).st_ino == mine) return {};
  }
  return {};
}

}  // namespace ocirt::podcli
