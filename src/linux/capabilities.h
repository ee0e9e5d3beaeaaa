// Capability names and masks (config.md, "Linux Process", `capabilities`; capabilities(7)).
//
// An unknown name is not an error: a profile written for a newer kernel has to work on this one.
// The specification only wants it logged, so the names come back to the caller.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocirt {

// The newest capability that we know: CAP_CHECKPOINT_RESTORE of Linux 5.9. The kernel's own last
// one stands in /proc/sys/kernel/cap_last_cap.
inline constexpr int kLastCapability = 40;

// The number of "CAP_CHOWN"; exactly this spelling, as in the specification.
std::optional<int> capability_number(std::string_view name);

// The name of a number, or an empty view.
std::string_view capability_name(int number);

// All names in the order of their numbers: `linux.capabilities` of `ocirt features`.
std::vector<std::string_view> known_capabilities();

struct CapabilityMask {
  uint64_t mask = 0;                 // bit n is capability n
  std::vector<std::string> unknown;  // names that we do not know, in the order given, each once

  bool operator==(const CapabilityMask&) const = default;
};

// The set of names as a mask. The caller still has to cut off what the running kernel does not
// have.
CapabilityMask capability_mask(std::span<const std::string> names);

}  // namespace ocirt
