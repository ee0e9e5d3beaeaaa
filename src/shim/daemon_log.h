// The fifo `log` in a bundle, from which containerd copies into its own log what a shim says: lines
// as logrus writes them. A daemon that is away or slow loses lines and holds up nobody.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::shim {

class DaemonLog {
 public:
  DaemonLog() = default;
  // What is not there, or is no fifo, is written to no more than one that nobody reads.
  explicit DaemonLog(const std::string& path);
  // "debug", "info", "warning" or "error".
  void write(std::string_view level, std::string_view text);

 private:
  UniqueFd fifo_;
};

// time="2006-01-02T15:04:05.000000000Z" level=info msg="..." and a newline.
std::string log_line(timespec time, std::string_view level, std::string_view text);

}  // namespace ocirt::shim
