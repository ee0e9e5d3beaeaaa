// The log of a pod's container. The container writes into fifos in the pod's directory that have a
// reader as long as it lives, its own, so that it survives the shim, and the next shim reads on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/shim/log_file.h"
#include "src/sys/event_loop.h"

namespace ocirt::shim {

// Any user of the container may open its own standard output again by /dev/stdout; strangers do not
// get into the pod's directory.
inline constexpr mode_t kFifoMode = 0666;

// Reads a fifo into a log for as long as it exists.
class LogReader {
 public:
  LogReader(LogFile& log, std::string_view stream) : log_(log), stream_(stream) {}
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  // Makes the fifo where there is none.
  Result<> open(sys::EventLoop& loop, const std::string& path);
  // For a process: a description of its own, since ours does not wait.
  Result<UniqueFd> end_of_process() const;
  // Takes what is there now.
  void drain();

 private:
  void on_ready(unsigned ready);
  LogFile& log_;
  std::string_view stream_;
  std::string path_;
  UniqueFd fifo_;
  sys::Watch watch_;
};

// The log of one container and the streams that lead there.
class ContainerLog {
 public:
  ContainerLog(std::string path, uint64_t most_bytes, uint32_t most_files)
      : file_(std::move(path), most_bytes, most_files),
        out_(file_, "stdout"),
        err_(file_, "stderr") {}

  // `directory` gets the fifos "stdout" and "stderr".
  Result<> open(sys::EventLoop& loop, const std::string& directory);
  Result<UniqueFd> out() const { return out_.end_of_process(); }
  Result<UniqueFd> err() const { return err_.end_of_process(); }
  void drain();
  LogFile& file() { return file_; }

 private:
  LogFile file_;
  LogReader out_, err_;
};

}  // namespace ocirt::shim
