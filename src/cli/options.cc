#include "src/cli/options.h"

#include <algorithm>

namespace ocirt::cli {
namespace {

// The words that Go's flag package takes for switches, since engines are written against it.
constexpr Name<bool> kTruth[] = {
    {"0", false},     {"1", true},      {"F", false},   {"FALSE", false},
    {"False", false}, {"T", true},      {"TRUE", true}, {"True", true},
    {"f", false},     {"false", false}, {"t", true},    {"true", true},
};
static_assert(sorted(kTruth));

class Parser {
 public:
  Parser(std::span<const Option> rows, void* options, std::span<const char* const> words)
      : rows_(rows), options_(options), words_(words) {}

  Result<Parsed> parse(Order order) {
    Parsed parsed;
    while (next_ < words_.size() && !parsed.help) {
      std::string_view word = words_[next_++];
      if (word == "--") {
        take_rest(parsed);
      } else if (word.size() < 2 || word[0] != '-') {
        parsed.arguments.push_back(word);
        if (order == Order::options_first) take_rest(parsed);
      } else if (word.starts_with("--")) {
        TRY(read_long(word, word.substr(2), parsed));
      } else {
        TRY(read_short(word, parsed));
      }
    }
    return parsed;
  }

 private:
  void take_rest(Parsed& parsed) {
    for (; next_ < words_.size(); ++next_) parsed.arguments.emplace_back(words_[next_]);
  }

  const Option* row_of(std::string_view name) const {
    auto row = std::find_if(rows_.begin(), rows_.end(),
                            [&](const Option& option) { return option.name == name; });
    return row == rows_.end() ? nullptr : &*row;
  }

  const Option* row_of(char letter) const {
    auto row = std::find_if(rows_.begin(), rows_.end(),
                            [&](const Option& option) { return option.letter == letter; });
    return row == rows_.end() ? nullptr : &*row;
  }

  // `body` is the word without its dashes: NAME or NAME=VALUE.
  Result<> read_long(std::string_view word, std::string_view body, Parsed& parsed) {
    size_t equals = body.find('=');
    std::string_view name = body.substr(0, equals);
    if (body == "help") {
      parsed.help = true;
      return {};
    }
    const Option* row = row_of(name);
    if (row == nullptr) return usage_error(cat("unknown option ", quoted(word)));
    if (equals != std::string_view::npos) return store(*row, body.substr(equals + 1));
    return store_next(*row);
  }

  Result<> read_short(std::string_view word, Parsed& parsed) {
    std::string_view body = word.substr(1);
    std::string_view name = body.substr(0, body.find('='));
    if (name.size() > 1 && (row_of(name) != nullptr || name == "help")) {
      return read_long(word, body, parsed);
    }
    while (!body.empty()) {
      const Option* row = row_of(body[0]);
      if (row == nullptr && body[0] == 'h') {
        parsed.help = true;
        return {};
      }
      if (row == nullptr) return usage_error(cat("unknown option ", quoted(word)));
      body.remove_prefix(1);
      if (body.starts_with('=')) return store(*row, body.substr(1));
      if (row->placeholder.empty()) {
        TRY(store(*row, "true"));
      } else {
        return body.empty() ? store_next(*row) : store(*row, body);
      }
    }
    return {};
  }

  // The value is the next word, whatever it looks like: `--memory -1`.
  Result<> store_next(const Option& row) {
    if (row.placeholder.empty()) return store(row, "true");
    if (next_ == words_.size()) return usage_error(cat("flag needs an argument: --", row.name));
    return store(row, words_[next_++]);
  }

  Result<> store(const Option& row, std::string_view text) {
    Result<> stored = row.store(options_, text);
    if (stored) return stored;
    return usage_error(
        cat("invalid value ", quoted(text), " for --", row.name, ": ", stored.error().text));
  }

  std::span<const Option> rows_;
  void* options_;
  std::span<const char* const> words_;
  size_t next_ = 0;
};

}  // namespace

std::unexpected<Error> usage_error(std::string text) {
  return std::unexpected(Error{kUsage, std::move(text)});
}

Result<Parsed> parse(std::span<const Option> rows, Order order, void* options,
                     std::span<const char* const> words) {
  return Parser(rows, options, words).parse(order);
}

namespace detail {

Result<> store_switch(bool& stored, std::string_view text) {
  std::optional<bool> value = find(kTruth, text);
  if (!value) return refuse("expected true or false");
  stored = *value;
  return {};
}

Result<> bad_number(std::string_view text, int64_t least, uint64_t most) {
  if (text.empty()) return refuse("expected a number");
  return refuse(cat("expected a whole number from ", least, " to ", most));
}

}  // namespace detail
}  // namespace ocirt::cli
