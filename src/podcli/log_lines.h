// Lines of a container's log, in the form of Kubernetes' runtimes:
//   2026-11-25T22:01:02.000000000Z stdout F what the container said
// P in place of F marks the beginning of a line that was too long, or is not ended yet. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ocirt::podcli {

struct LogLine {
  std::string_view time;
  std::string_view stream;  // stdout or stderr
  bool partial = false;
  std::string_view text;
};

// Nothing for a line that has not this form.
std::optional<LogLine> parse_log_line(std::string_view line);

struct LogStyle {
  bool timestamps = false;
  std::string prefix = {};  // in front of each line: "web | "
};

// Turns lines into what is printed, and remembers whether the last one was a part.
class LogPrinter {
 public:
  explicit LogPrinter(LogStyle style) : style_(std::move(style)) {}
  void add(const LogLine& line, std::string& out);

 private:
  LogStyle style_;
  bool inside_ = false;  // behind a partial line
};

// The offset where the last `count` lines of `text` begin; parts of one line count as one.
size_t offset_of_tail(std::string_view text, size_t count);

}  // namespace ocirt::podcli
