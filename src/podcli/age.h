// Times for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ocirt::podcli {

// Seconds since 1970 of an RFC 3339 time in UTC, "2026-11-25T22:01:02.5Z".
std::optional<int64_t> seconds_of(std::string_view time);

// "42s", "7m", "3h", "12d" for so many seconds.
std::string duration_text(int64_t seconds);

// From then to now; "-" where there is no such time.
std::string age_of(std::string_view time);

}  // namespace ocirt::podcli
