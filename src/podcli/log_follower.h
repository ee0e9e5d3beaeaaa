// Reads the log of one container from its files, over their rotation: C.log is renamed to C.log.1
// and begun anew, so the old file is read to its end before the new one. It may be renamed several
// times between two readings: the next file is the one that has the name below that of ours.
#pragma once

#include <optional>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/podcli/log_lines.h"

namespace ocirt::podcli {

class LogFollower {
 public:
  // `path` is that of C.log. Nothing is opened yet: the container may not have said anything.
  LogFollower(std::string path, LogStyle style)
      : path_(std::move(path)), printer_(std::move(style)) {}

  // Appends what is in the rotated files and the present one, from the oldest on; with `tail` only
  // so many of the last lines.
  Result<> read_past(std::optional<size_t> tail, std::string& out);
  // Appends what has been written since.
  Result<> read_more(std::string& out);

 private:
  // The name that a file has after so many rotations.
  std::string rotated(unsigned index) const;
  // Whether the file that is being read has this name now.
  Result<bool> is_mine(const std::string& path) const;
  // Whether there is a file that was rotated more often than so.
  bool has_older_than(unsigned index) const;
  Result<> open_oldest();
  Result<> open_next();
  Result<> read_on(std::string& text);
  void print(std::string_view text, std::string& out);

  std::string path_;
  LogPrinter printer_;
  UniqueFd file_;     // the one that has been read so far
  std::string rest_;  // of a line that is not complete
};

}  // namespace ocirt::podcli
