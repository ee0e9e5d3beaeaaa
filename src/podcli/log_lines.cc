#include "src/podcli/log_lines.h"

#include "src/base/text.h"

namespace ocirt::podcli {

std::optional<LogLine> parse_log_line(std::string_view line) {
  const auto word = [&]() -> std::optional<std::string_view> {
    const size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    const std::string_view found = line.substr(0, blank);
    line.remove_prefix(blank + 1);
    return found;
  };
  const auto time = word();
  const auto stream = time ? word() : std::nullopt;
  const auto tag = stream ? word() : std::nullopt;
  if (!tag || (*stream != "stdout" && *stream != "stderr") || (*tag != "F" && *tag != "P")) {
    return std::nullopt;
  }
  return LogLine{.time = *time, .stream = *stream, .partial = *tag == "P", .text = line};
}

void LogPrinter::add(const LogLine& line, std::string& out) {
  if (!inside_) {
    if (style_.timestamps) out += cat(line.time, " ");
    out += style_.prefix;
  }
  out += line.text;
  if (!line.partial) out += '\n';
  inside_ = line.partial;
}

size_t offset_of_tail(std::string_view text, size_t count) {
  size_t begin = text.size();
  size_t lines = 0;
  while (begin > 0) {
    const size_t newline = begin < 2 ? std::string_view::npos : text.rfind('\n', begin - 2);
    const size_t start = newline == std::string_view::npos ? 0 : newline + 1;
    const auto line = parse_log_line(text.substr(start, begin - start - 1));
    // A part belongs to the full line behind it, which has been counted; the last one has none.
    const bool counts = !line || !line->partial || begin == text.size();
    if (counts && ++lines > count) return begin;
    begin = start;
  }
  return 0;
}

}  // namespace ocirt::podcli
