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

// Where --log sends to. "file:PATH" and a path alone are files; "syslog:NAME" and "journald:NAME"
// are the system's logs, which get datagrams under that name, "ocirt" when it is empty (crun has
// these words).
struct LogTarget {
  enum class Kind : uint8_t { file, syslog, journal };
  Kind kind = Kind::file;
  std::string name;  // of the file, or under which the system's log keeps it
  bool operator==(const LogTarget&) const = default;
};
LogTarget log_target(std::string_view text);

// What a system's log gets (syslog(3), systemd.journal-fields(7)). `message` is one line.
std::string log_datagram(const LogTarget& target, Level level, std::string_view message);

class Log {
 public:
  // Opens the file of --log for appending, if there is one, or looks for the system's log.
  Result<> open(const container::GlobalOptions& global);

  // "ocirt: MESSAGE" on standard error, and a line in the log.
  void error(std::string_view message) const;
  // The same for a warning, with --debug only.
  void warning(std::string_view message) const;

 private:
  void write(Level level, std::string_view message) const;

  void write_to_log(Level level, std::string_view message) const;

  LogTarget target_;
  UniqueFd file_;  // of a target that is one
  container::LogFormat format_ = container::LogFormat::text;
  bool debug_ = false;
};

}  // namespace ocirt::cli
