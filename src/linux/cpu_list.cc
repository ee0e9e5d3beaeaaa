#include "src/linux/cpu_list.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "src/base/text.h"

namespace ocirt {
namespace {

constexpr unsigned kBits = 8 * sizeof(unsigned long);

struct Range {
  unsigned first = 0;
  unsigned last = 0;
  unsigned used = 1;  // of each group of `group` numbers, how many
  unsigned group = 1;
};

// "7", "0-3" or "0-30:2/8".
Result<Range> parse_range(std::string_view item) {
  auto wrong = [item](std::string_view why) {
    return refuse(cat("list item ", quoted(item), why));
  };
  auto number = [](std::string_view text) { return to_number<unsigned>(trim(text)); };

  Range range;
  std::string_view span = item;
  size_t colon = item.find(':');
  if (colon != std::string_view::npos) {
    span = item.substr(0, colon);
    std::string_view stride = item.substr(colon + 1);
    size_t slash = stride.find('/');
    range.used = number(stride.substr(0, slash)).value_or(0);
    range.group =
        slash == std::string_view::npos ? 0 : number(stride.substr(slash + 1)).value_or(0);
    if (range.used == 0 || range.used > range.group) {
      return wrong(": the part after the colon must be USED/GROUP, such as 2/8");
    }
  }
  size_t dash = span.find('-');
  auto first = number(span.substr(0, dash));
  auto last = dash == std::string_view::npos ? first : number(span.substr(dash + 1));
  if (!first || !last) return wrong(" is neither a number nor a range such as 0-3");
  if (*last > kMostInNumberSet) return wrong(cat(" is too large, the most is ", kMostInNumberSet));
  if (*first > *last) return wrong(" runs backwards");
  if (colon != std::string_view::npos && dash == std::string_view::npos) {
    return wrong(": a stride needs a range such as 0-30:2/8");
  }
  range.first = *first;
  range.last = *last;
  return range;
}

}  // namespace

bool NumberSet::contains(unsigned number) const {
  size_t word = number / kBits;
  return word < words.size() && (words[word] >> (number % kBits) & 1) != 0;
}

bool NumberSet::empty() const {
  return std::all_of(words.begin(), words.end(), [](unsigned long word) { return word == 0; });
}

size_t NumberSet::count() const {
  size_t sum = 0;
  for (unsigned long word : words) sum += static_cast<size_t>(std::popcount(word));
  return sum;
}

void NumberSet::add(unsigned number) {
  size_t word = number / kBits;
  if (word >= words.size()) words.resize(word + 1);
  words[word] |= 1ul << (number % kBits);
}

Result<NumberSet> parse_number_list(std::string_view text) {
  NumberSet set;
  if (trim(text).empty()) return set;
  constexpr unsigned kMost = 16 * (kMostInNumberSet + 1);  // each of them several times
  unsigned said = 0;
  for (std::string_view piece : split(text, ',')) {
    Range range = TRY(parse_range(trim(piece)));
    said += range.last - range.first + 1;
    if (said > kMost)
      return refuse(cat("list item ", quoted(trim(piece)), ": the list says too much, more than ",
                        kMost, " numbers"));
    for (unsigned n = range.first; n <= range.last; ++n) {
      if ((n - range.first) % range.group < range.used) set.add(n);
    }
  }
  return set;
}

std::string number_list(const NumberSet& set) {
  std::string out;
  unsigned end = static_cast<unsigned>(set.words.size()) * kBits;
  for (unsigned n = 0; n < end; ++n) {
    if (!set.contains(n)) continue;
    unsigned last = n;
    while (set.contains(last + 1)) ++last;
    if (!out.empty()) out += ',';
    out += cat(n);
    if (last > n) out += cat('-', last);
    n = last;
  }
  return out;
}

}  // namespace ocirt
