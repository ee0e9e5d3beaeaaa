// Lists of CPUs or memory nodes as text, "0-3,7" (cpuset(7), "List format"; config.md,
// `execCPUAffinity`; config-linux.md, `memoryPolicy.nodes`).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace ocirt {

// A set of small numbers in the kernel's layout: an array of unsigned long, for
// sched_setaffinity(2) and set_mempolicy(2).
struct NumberSet {
  std::vector<unsigned long> words;

  bool contains(unsigned number) const;
  bool empty() const;
  size_t count() const;
  size_t bytes() const { return words.size() * sizeof(unsigned long); }
  void add(unsigned number);

  bool operator==(const NumberSet&) const = default;
};

// The largest number that a list may hold; far above any kernel's CONFIG_NR_CPUS, it bounds the
// memory that a configuration can make us allocate.
inline constexpr unsigned kMostInNumberSet = 65535;

// Reads "0-3,7" and the stride form "0-30:2/8" (groups of 8, of each the first 2). Blanks around
// the items are accepted, an empty text is an empty set. Errors quote the item: not a number, a
// range that runs backwards, a number that is too large.
Result<NumberSet> parse_number_list(std::string_view text);

// The inverse, in shortest form: "0-3,7".
std::string number_list(const NumberSet& set);

}  // namespace ocirt
