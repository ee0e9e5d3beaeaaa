// Command lines, declared: one row per option, from which the parser, the help texts and the tests
// work. A row knows a member of the command's option struct; the member's type decides whether the
// option takes a value and what is a good one.
//
// What engines and people write is all accepted: `--name value`, `--name=value`, `-n value`,
// `-nvalue`,
// `-n=value`, `-abn value`, and long names behind a single dash (`-no-subreaper`, which containerd
// sends; an exact long name wins over a cluster of letters). Switches may be given a value
// (`--tty=false`). Lists repeat the option. `--` ends the options.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "src/base/names.h"
#include "src/base/result.h"
#include "src/base/text.h"

namespace ocirt::cli {

// Error::code of a mistake in the command line, which is answered with the usage. Not an errno.
inline constexpr int kUsage = -1;

std::unexpected<Error> usage_error(std::string text);

struct Option {
  std::string_view name;         // without dashes
  char letter = 0;               // 0: none
  std::string_view placeholder;  // of the value in help texts; empty: a switch
  std::string_view help;         // empty: not shown
  // Converts the text and stores it in the struct. The error says what would have been good.
  Result<> (*store)(void* options, std::string_view text) = {};
};

// Whether options may stand after the first argument that is none.
enum class Order : uint8_t {
  any,           // `delete c1 --force`
  options_first  // `exec c1 ls --all`: what follows the first argument belongs to somebody else
};

struct Parsed {
  std::vector<std::string_view> arguments;  // point into the words
  bool help = false;                        // -h or --help: nothing was checked after it
};

// Reads `words` into `options`, the struct that the rows were made for. Errors have code kUsage.
Result<Parsed> parse(std::span<const Option> rows, Order order, void* options,
                     std::span<const char* const> words);

namespace detail {

Result<> store_switch(bool& stored, std::string_view text);
Result<> bad_number(std::string_view text, int64_t least, uint64_t most);

template <class T>
inline constexpr bool kIsSwitch = std::is_same_v<T, bool> || std::is_same_v<T, std::optional<bool>>;

template <class T>
Result<> convert(T& stored, std::string_view text) {
  if constexpr (std::is_same_v<T, bool>) {
    return store_switch(stored, text);
  } else if constexpr (std::is_same_v<T, std::string>) {
    stored = text;
  } else {
    static_assert(std::is_integral_v<T>);
    std::optional<T> number = to_number<T>(text);
    // The counts of the command line (descriptors, ids) start at 0, also where the type does not.
    if (!number || (std::is_same_v<T, int> && *number < T{0})) {
      return bad_number(text, std::is_same_v<T, int64_t> ? std::numeric_limits<T>::min() : 0,
                        static_cast<uint64_t>(std::numeric_limits<T>::max()));
    }
    stored = *number;
  }
  return {};
}

template <class T>
Result<> convert(std::optional<T>& stored, std::string_view text) {
  return convert(stored.emplace(), text);
}

template <class T>
Result<> convert(std::vector<T>& stored, std::string_view text) {
  return convert(stored.emplace_back(), text);
}

template <class>
struct MemberOf;
template <class S, class T>
struct MemberOf<T S::*> {
  using Struct = S;
  using Value = T;
};

}  // namespace detail

// A row with a conversion of its own: `Convert` takes the struct and the text.
template <class Struct, Result<> (*Convert)(Struct&, std::string_view)>
consteval Option custom(std::string_view name, char letter, std::string_view placeholder,
                        std::string_view help) {
  return {name, letter, placeholder, help, [](void* options, std::string_view text) {
            return Convert(*static_cast<Struct*>(options), text);
          }};
}

// The row of a member: option<&CreateOptions::bundle>("bundle", 'b', "DIR", "..."). `Struct` is
// what parse() is given, where that is derived from the member's own struct.
template <auto Member, class Struct = detail::MemberOf<decltype(Member)>::Struct>
consteval Option option(std::string_view name, char letter, std::string_view placeholder,
                        std::string_view help) {
  using Of = detail::MemberOf<decltype(Member)>;
  static_assert(!detail::kIsSwitch<typename Of::Value>, "a switch: use toggle()");
  return {name, letter, placeholder, help, [](void* options, std::string_view text) {
            return detail::convert(static_cast<Struct*>(options)->*Member, text);
          }};
}

// The row of a switch: toggle<&CreateOptions::detach>("detach", 'd', "...").
template <auto Member, class Struct = detail::MemberOf<decltype(Member)>::Struct>
consteval Option toggle(std::string_view name, char letter, std::string_view help) {
  using Of = detail::MemberOf<decltype(Member)>;
  static_assert(detail::kIsSwitch<typename Of::Value>);
  return {name, letter, {}, help, [](void* options, std::string_view text) {
            return detail::convert(static_cast<Struct*>(options)->*Member, text);
          }};
}

// The row of a member with a closed set of words, given as a sorted table.
template <auto Member, auto& Table, class Struct = detail::MemberOf<decltype(Member)>::Struct>
consteval Option choice(std::string_view name, char letter, std::string_view placeholder,
                        std::string_view help) {
  return {name, letter, placeholder, help, [](void* options, std::string_view text) -> Result<> {
            auto value = find(Table, text);
            if (!value) {
              std::string known;
              for (const auto& row : Table) known += cat(known.empty() ? "" : ", ", row.name);
              return refuse(cat("expected one of ", known));
            }
            static_cast<Struct*>(options)->*Member = *value;
            return {};
          }};
}

}  // namespace ocirt::cli
