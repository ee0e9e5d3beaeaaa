#include "src/cli/table.h"

#include <algorithm>

namespace ocirt::cli {

std::string Table::text() const {
  constexpr size_t kLeast = 12;
  constexpr size_t kGap = 3;
  std::vector<size_t> widths(rows_[0].size(), kLeast - kGap);
  for (const std::vector<std::string>& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const std::vector<std::string>& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - row[i].size() + kGap, ' ');
    }
    out += '\n';
  }
  return out;
}

}  // namespace ocirt::cli
