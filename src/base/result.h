// One error type for everything under src/: a code and a sentence that grows on its way up.
//
// `code` is an errno value when the kernel refused, 0 when we refused by ourselves. `text` already
// contains the reason: whoever prints adds nothing but "ocirt: ". Callers add where they were with
// within(), so that a failure reads from the outside in:
//   create c1: init: mounts[3]: mount proc at /proc: Operation not permitted
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ocirt {

struct Error {
  int code = 0;      // errno, or 0 when the refusal is ours
  std::string text;  // one line, no newline at its end
};

// GCC 12's std::expected is not [[nodiscard]]; a lost error is the one thing this type must
// prevent.
template <class T = void>
struct [[nodiscard]] Result : std::expected<T, Error> {
  using std::expected<T, Error>::expected;
};

// Builds an error of our own (code 0).
inline std::unexpected<Error> refuse(std::string text) {
  return std::unexpected(Error{0, std::move(text)});
}

// Builds an error from an errno value: "what: <strerror>".
std::unexpected<Error> os_error(std::string_view what, int code);

// The kernel's sentence for an errno value, such as "Operation not permitted".
std::string_view errno_text(int code);

// Prefixes the error, if there is one, with "where: ".
template <class T>
Result<T> within(std::string_view where, Result<T> result) {
  if (!result) [[unlikely]] {
    result.error().text.insert(0, ": ").insert(0, where);
  }
  return result;
}

namespace detail {
template <class T>
T take(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}
}  // namespace detail

}  // namespace ocirt

// TRY evaluates to the value of a Result, or returns its error from the enclosing function.
// It is a statement or a whole initialiser, never an argument: leaving a statement expression in
// the middle of a full expression leaves the evaluation of its siblings unspecified.
#define TRY(...)                                                  \
  __extension__({                                                 \
    auto try_result_ = (__VA_ARGS__);                             \
    if (!try_result_) [[unlikely]]                                \
      return ::std::unexpected(::std::move(try_result_).error()); \
    ::ocirt::detail::take(::std::move(try_result_));              \
  })
