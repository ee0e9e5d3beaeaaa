// The annotation ocirt.pod/restart-backoff: "10s 5m" are the first wait before a restart and the
// longest; Kubernetes has them in the kubelet's configuration, and here each pod is its own
// kubelet.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "src/base/text.h"

namespace ocirt::podfile {

inline constexpr std::string_view kBackoffAnnotation = "ocirt.pod/restart-backoff";

struct Waits {
  uint32_t first_ms = 0, longest_ms = 0;
};

// One wait: a whole number with the unit ms, s or m.
inline std::optional<uint32_t> read_wait(std::string_view text) {
  const size_t digits = text.find_first_not_of("0123456789");
  if (digits == std::string_view::npos) return std::nullopt;
  const std::string_view unit = text.substr(digits);
  const uint64_t factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : 0;
  const auto number = to_number<uint32_t>(text.substr(0, digits));
  if (factor == 0 || !number || *number == 0) return std::nullopt;
  if (*number * factor > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return static_cast<uint32_t>(*number * factor);
}

// Both, the second not shorter than the first.
inline std::optional<Waits> read_waits(std::string_view text) {
  const size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto first = read_wait(text.substr(0, blank)), longest = read_wait(text.substr(blank + 1));
  if (!first || !longest || *longest < *first) return std::nullopt;
  return Waits{*first, *longest};
}

}  // namespace ocirt::podfile
