#include "src/podcli/log_follower.h"

namespace ocirt::podcli {
void LogFollower::print(std::string_view text, std::string& out) {
  rest_ += text;
  size_t begin = 0;
  for (;;) {
    const size_t newline = rest_.find('\n', begin);
    if (newline == std::string_view::npos) break;
    const std::string_view line = std::string_view(rest_).substr(begin, newline - begin);
    if (const auto parsed = parse_log_line(line)) printer_.add(*parsed, out);
    begin = newline + 1;
  }
  rest_.erase(0, begin);
}

Result<> LogFollower::read_past(std::optional<size_t> tail, std::string& out) {
  std::string text;
  TRY(file_.read(text));
  print(tail ? std::string_view(text).substr(offset_of_tail(text, *tail)) : text, out);
  return {};
}

Result<> LogFollower::read_more(std::string& out) {
  std::string text;
  TRY(file_.read(text));
  print(text, out);
  return {};
}

}  // namespace ocirt::podcli
