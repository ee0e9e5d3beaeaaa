#include "src/linux/cgroup/conversions.h"

#include <cmath>

#include "src/base/text.h"

namespace ocirt::cgroup {

uint64_t weight_from_shares(uint64_t shares) {
  constexpr uint64_t kFewest = 2, kMost = 262144;
  if (shares <= kFewest) return 1;
  if (shares >= kMost) return 10000;
  const double l = std::log2(static_cast<double>(shares));
  const double exponent = (l * l + 125 * l) / 612.0 - 7.0 / 34.0;
  return static_cast<uint64_t>(std::ceil(std::pow(10.0, exponent)));
}

uint64_t io_weight_from_weight(uint64_t weight) {
  constexpr uint64_t kLeast = 10, kMost = 1000;
  if (weight <= kLeast) return 1;
  if (weight >= kMost) return 10000;
  return 1 + (weight - kLeast) * 9999 / (kMost - kLeast);
}

Result<int64_t> swap_without_memory(int64_t swap, int64_t limit) {
  if (swap < 0) return -1;
  if (limit < 0) return swap;  // there is no memory limit to take off
  if (swap < limit) {
    return refuse(cat("linux.resources.memory.swap: ", swap,
                      " is memory and swap together and must ",
                      "not be below linux.resources.memory.limit, which is ", limit));
  }
  return swap - limit;
}

std::string number_or_max(int64_t value) { return value < 0 ? "max" : cat(value); }

}  // namespace ocirt::cgroup
