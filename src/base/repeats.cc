#include "src/base/repeats.h"

#include <algorithm>
#include <numeric>

namespace ocirt {

std::vector<bool> repeats(std::span<const std::string_view> names, Which which) {
  // Sorted, neighbours tell.
  std::vector<size_t> order(names.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const int compared = names[a].compare(names[b]);
    return compared != 0 ? compared < 0 : a < b;
  });
  std::vector<bool> marked(names.size());
  for (size_t i = 1; i < order.size(); ++i) {
    if (names[order[i - 1]] != names[order[i]]) continue;
    marked[which == Which::all_but_first ? order[i] : order[i - 1]] = true;
  }
  return marked;
}

}  // namespace ocirt
