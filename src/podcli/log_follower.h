// Reads the log of one container from its files, over their rotation, and prints its lines.
#pragma once

#include <optional>
#include <string>

#include "src/base/result.h"
#include "src/podcli/log_lines.h"
#include "src/podcli/rotated_file.h"

namespace ocirt::podcli {

class LogFollower {
 public:
  // `path` is that of C.log. Nothing is opened yet: the container may not have said anything.
  LogFollower(std::string path, LogStyle style)
      : file_(std::move(path)), printer_(std::move(style)) {}

  // Appends what is in the rotated files and the present one, from the oldest on; with `tail` only
  // so many of the last lines.
  Result<> read_past(std::optional<size_t> tail, std::string& out);
  // Appends what has been written since.
  Result<> read_more(std::string& out);

 private:
  void print(std::string_view text, std::string& out);

  RotatedFile file_;
  LogPrinter printer_;
  std::string rest_;  // of a line that is not complete
};

}  // namespace ocirt::podcli
