// Where errors go: once to standard error for people and conmon, once to --log for engines.
//
// The log's form is a contract. containerd decodes the last line and wants `time` to be RFC 3339;
// podman decodes the whole file as one JSON value. So a failure is one line, in one write(2), and
// warnings stay out of the file unless --debug asks for them.
#pragma once

#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/container/options.h"

namespace ocirt::cli {

enum class Level : uint8_t { error, warning };

// One line of the log with its newline. `message` may hold any bytes: in JSON what is not UTF-8 is
// replaced, in both forms control characters are escaped.
std::string log_line(container::LogFormat format, Level level, std::string_view message,
                     std::string_view time);

class Log {
 public:
  // Opens the file of --log for appending, if there is one.
  Result<> open(const container::GlobalOptions& global);

  // "ocirt: MESSAGE" on standard error, and a line in the log.
  void error(std::string_view message) const;
  // The same for a warning, with --debug only.
  void warning(std::string_view message) const;

 private:
  void write(Level level, std::string_view message) const;

  UniqueFd file_;
  container::LogFormat format_ = container::LogFormat::text;
  bool debug_ = false;
};

}  // namespace ocirt::cli
