#include "src/cli/duration.h"

#include <limits>

#include "src/base/names.h"
#include "src/base/text.h"

namespace ocirt::cli {
namespace {

constexpr int64_t kMicro = 1000, kMilli = 1000 * kMicro, kSecond = 1000 * kMilli;
constexpr Name<int64_t> kUnits[] = {
    // nanoseconds
    {"h", 3600 * kSecond}, {"m", 60 * kSecond}, {"ms", kMilli},      {"ns", 1},
    {"s", kSecond},        {"us", kMicro},      {"\u00b5s", kMicro}, {"\u03bcs", kMicro},
};
static_assert(sorted(kUnits));

std::string_view take(std::string_view& rest, size_t end) {
  std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(taken.size());
  return taken;
}

constexpr std::string_view kDigits = "0123456789";

// Takes "1.5h" off the front: nanoseconds.
std::optional<int64_t> take_part(std::string_view& rest) {
  std::string_view whole = take(rest, rest.find_first_not_of(kDigits));
  std::string_view fraction;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = take(rest, rest.find_first_not_of(kDigits));
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;
  std::optional<int64_t> unit = find(kUnits, take(rest, rest.find_first_of("0123456789.")));
  std::optional<int64_t> number = whole.empty() ? 0 : to_number<int64_t>(whole);
  int64_t nanoseconds = 0;
  if (!unit || !number || __builtin_mul_overflow(*number, *unit, &nanoseconds)) return std::nullopt;
  int64_t place = *unit;  // digits below a nanosecond do not count
  for (char digit : fraction) {
    place /= 10;
    if (__builtin_add_overflow(nanoseconds, place * (digit - '0'), &nanoseconds))
      return std::nullopt;
  }
  return nanoseconds;
}

}  // namespace

Result<int64_t> parse_duration(std::string_view text) {
  constexpr std::string_view kExpected =
      "expected a time above 0, such as 5s, 500ms or 1m30s, or a number of seconds";
  if (std::optional<int64_t> seconds = to_number<int64_t>(text)) {
    if (*seconds <= 0 || *seconds > std::numeric_limits<int64_t>::max() / 1000) {
      return refuse(std::string(kExpected));
    }
    return *seconds * 1000;
  }
  int64_t total = 0;
  std::string_view rest = text;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.empty()) return refuse(std::string(kExpected));
  while (!rest.empty()) {
    std::optional<int64_t> part = take_part(rest);
    if (!part || __builtin_add_overflow(total, *part, &total)) {
      return refuse(std::string(kExpected));
    }
  }
  if (total == 0) return refuse(std::string(kExpected));
  return total / kMilli + (total % kMilli != 0 ? 1 : 0);
}

}  // namespace ocirt::cli
