// Reads what is appended to a file that is rotated: PATH is renamed to PATH.1, that to PATH.2, and
// begun anew, so the old file is read to its end before the new one. It may be renamed several
// times between two readings: the next file is the one that has the name below that of ours.
#pragma once

#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::podcli {

class RotatedFile {
 public:
  // Nothing is opened yet: it may not have been begun.
  explicit RotatedFile(std::string path) : path_(std::move(path)) {}

  // Appends to `text` what has been written since the last time, the first time all that there is,
  // from the oldest file on. What was in files that have been removed meanwhile is lost.
  Result<> read(std::string& text);

 private:
  // The name that a file has after so many rotations.
  std::string rotated(unsigned index) const;
  // Whether the file that is being read has this name now.
  Result<bool> is_mine(const std::string& path) const;
  // Whether there is a file that was rotated more often than so.
  bool has_older_than(unsigned index) const;
  Result<> open_oldest();
  Result<> open_next();

  std::string path_;
  UniqueFd file_;  // the one that has been read so far
};

}  // namespace ocirt::podcli
