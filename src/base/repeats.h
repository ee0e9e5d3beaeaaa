// Names that are there more than once, in lists of which a document may have a million.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ocirt {

enum class Which : uint8_t { all_but_first, all_but_last };

// Marks the names that are to go when only the first, or the last, of equal ones is to stay.
std::vector<bool> repeats(std::span<const std::string_view> names, Which which);

}  // namespace ocirt
