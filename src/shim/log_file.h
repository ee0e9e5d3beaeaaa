// The log of one container, as Kubernetes' runtimes write it (CRI): one line for each line of
// output, `2006-01-02T15:04:05.000000000Z stdout F text`. A line that did not end, or did not fit,
// is written as P (partial), and whoever reads joins it with what follows up to the next F; so
// nothing has to be kept in memory until a line is complete.
//
// A log that cannot be written (a full disk) loses lines, and never stops the container: whatever
// the container says is taken from it in any case.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::shim {

class LogFile {
 public:
  // `path` becomes PATH.1 when a line would make it longer than `most_bytes`, PATH.1 becomes
  // PATH.2, and so on; there are `most_files` in all, the current one included.
  LogFile(std::string path, uint64_t most_bytes, uint32_t most_files)
      : path_(std::move(path)), most_bytes_(most_bytes), most_files_(most_files) {}

  // Writes what a stream ("stdout", "stderr") has said.
  void append(std::string_view stream, std::string_view bytes);
  // The file may have been renamed or removed: the next line goes to one of the old name.
  void reopen() { file_.reset(); }
  uint64_t lost_lines() const { return lost_; }

 private:
  void line(std::string_view stream, std::string_view text, bool complete);
  Result<> open();
  void cut();
  void rotate();

  std::string path_;
  uint64_t most_bytes_;
  uint32_t most_files_;
  UniqueFd file_;
  uint64_t size_ = 0;
  uint64_t lost_ = 0;
};

}  // namespace ocirt::shim
