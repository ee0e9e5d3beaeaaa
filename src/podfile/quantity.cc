#include "src/podfile/quantity.h"

#include <limits>
#include <optional>

#include "src/base/names.h"
#include "src/base/text.h"

namespace ocirt::podfile {
namespace {

struct Unit {
  int tens = 0;  // powers of ten
  int twos = 0;  // powers of two
};

constexpr Name<Unit> kUnits[] = {
    {"", {}},
    {"E", {.tens = 18}},
    {"Ei", {.twos = 60}},
    {"G", {.tens = 9}},
    {"Gi", {.twos = 30}},
    {"Ki", {.twos = 10}},
    {"M", {.tens = 6}},
    {"Mi", {.twos = 20}},
    {"P", {.tens = 15}},
    {"Pi", {.twos = 50}},
    {"T", {.tens = 12}},
    {"Ti", {.twos = 40}},
    {"k", {.tens = 3}},
    {"m", {.tens = -3}},
    {"n", {.tens = -9}},
    {"u", {.tens = -6}},
};
static_assert(sorted(kUnits));

constexpr size_t kMostDigits = 18;  // 10^18 * 2^60 fits into 128 bits

std::optional<Unit> unit_of(std::string_view text) {
  if (text.size() > 1 && (text[0] == 'e' || text[0] == 'E')) {
    std::string_view digits = text.substr(1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    if (const auto exponent = to_number<int>(digits);
        exponent && *exponent >= -18 && *exponent <= 18) {
      return Unit{.tens = *exponent};
    }
  }
  return find(kUnits, text);
}

// The quantity times 10^`scale`, rounded up.
Result<int64_t> scaled(std::string_view text, int scale) {
  std::unexpected<Error> refused =
      refuse(cat("expected a quantity such as 500m, 2, 64Mi or 1.5G, found ", quoted(text)));
  std::string_view rest = text;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  __extension__ unsigned __int128 value = 0;
  size_t digits = 0;
  int fraction = 0;
  bool point = false;
  for (; !rest.empty(); rest.remove_prefix(1)) {
    if (rest[0] == '.' && !point) {
      point = true;
    } else if (rest[0] >= '0' && rest[0] <= '9') {
      if (value != 0 || rest[0] != '0') ++digits;
      if (digits > kMostDigits) return refused;
      value = value * 10 + static_cast<unsigned>(rest[0] - '0');
      if (point) ++fraction;
    } else {
      break;
    }
  }
  const size_t consumed = text.size() - rest.size();
  if (consumed == 0 ||
      text.substr(0, consumed).find_first_of("0123456789") == std::string_view::npos) {
    return refused;
  }
  const std::optional<Unit> unit = unit_of(rest);
  if (!unit || fraction > static_cast<int>(kMostDigits)) return refused;

  value <<= unit->twos;
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  int tens = unit->tens + scale - fraction;
  bool rest_of_division = false;
  for (; tens < 0; ++tens) {
    rest_of_division = rest_of_division || value % 10 != 0;
    value /= 10;
  }
  for (; tens > 0 && value <= kMost; --tens) value *= 10;
  if (rest_of_division) ++value;
  if (value > kMost) return refuse(cat("the quantity ", quoted(text), " is too large"));
  return static_cast<int64_t>(value);
}

}  // namespace

Result<int64_t> units(std::string_view text) { return scaled(text, 0); }
Result<int64_t> thousandths(std::string_view text) { return scaled(text, 3); }

}  // namespace ocirt::podfile
