#include "src/podcli/age.h"

#include <algorithm>
#include <chrono>

#include "src/base/text.h"

namespace ocirt::podcli {

std::optional<int64_t> seconds_of(std::string_view time) {
  if (time.size() < 20 || time[4] != '-' || time[7] != '-' || time[10] != 'T' || time[13] != ':' ||
      time[16] != ':' || !time.ends_with('Z')) {
    return std::nullopt;
  }
  const auto year = to_number<int>(time.substr(0, 4));
  const auto month = to_number<unsigned>(time.substr(5, 2));
  const auto day = to_number<unsigned>(time.substr(8, 2));
  const auto hour = to_number<int64_t>(time.substr(11, 2));
  const auto minute = to_number<int64_t>(time.substr(14, 2));
  const auto second = to_number<int64_t>(time.substr(17, 2));
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + *hour) * 60 + *minute) * 60 + *second;
}

std::string duration_text(int64_t seconds) {
  seconds = std::max<int64_t>(seconds, 0);
  if (seconds < 120) return cat(seconds, "s");
  if (seconds < int64_t{120} * 60) return cat(seconds / 60, "m");
  if (seconds < int64_t{48} * 3600) return cat(seconds / 3600, "h");
  return cat(seconds / 86'400, "d");
}

std::string age_of(std::string_view time) {
  const auto then = seconds_of(time);
  if (!then) return "-";
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return duration_text(std::chrono::duration_cast<std::chrono::seconds>(now).count() - *then);
}

}  // namespace ocirt::podcli
