// Annotations of the form org.systemd.property.NAME, by which engines set properties of the unit
// (podman: KillSignal, TimeoutStopUSec; CRI-O: After, DefaultDependencies). Their values are in
// GVariant's text format, of which this reads what properties have: booleans, numbers, strings, and
// arrays and tuples of them.
#include "src/base/text.h"
#include "src/linux/cgroup/systemd.h"
#include "src/systemd/fields.h"

namespace ocirt::cgroup {
namespace {

constexpr std::string_view kPrefix = "org.systemd.property.";
constexpr int kMostDepth = 8;

struct TypeWord {
  std::string_view word;
  char type;
};
constexpr TypeWord kTypeWords[] = {
    {"boolean", 'b'},    {"byte", 'y'},      {"int16", 'n'},  {"uint16", 'q'}, {"int32", 'i'},
    {"handle", 'i'},     {"uint32", 'u'},    {"int64", 'x'},  {"uint64", 't'}, {"double", 'd'},
    {"objectpath", 'o'}, {"signature", 'g'}, {"string", 's'},
};

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
bool is_letter(char byte) { return (byte | 32) >= 'a' && (byte | 32) <= 'z'; }

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // The whole text as one value.
  Result<Property> read_all() {
    Property value = TRY(read({}, 0));
    skip_blanks();
    if (!rest_.empty()) return refuse(cat(quoted(rest_), " is left over behind the value"));
    return value;
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\n'))
      rest_.remove_prefix(1);
  }
  bool take(char byte) {
    skip_blanks();
    if (!rest_.starts_with(byte)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view take_word() {
    size_t end = 0;
    while (end < rest_.size() && !std::string_view(" \t\n,])").contains(rest_[end])) ++end;
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return word;
  }

  // A value; of type `wanted` when that is known, and otherwise of the type that its form has.
  Result<Property> read(std::string_view wanted, int depth) {
    if (depth > kMostDepth) return refuse("nested too deeply");
    skip_blanks();
    if (rest_.empty()) return refuse("a value is missing");
    if (take('@')) {
      const std::string type(take_word());
      if (systemd::first_type(type).size() != type.size() || type.empty())
        return refuse(cat(quoted(type), " is not the type of a property"));
      return read(type, depth + 1);
    }
    if (take('[')) return read_array(wanted, depth);
    if (take('(')) return read_tuple(wanted, depth);
    if (rest_[0] == '\'' || rest_[0] == '"') {
      const std::string type = wanted.empty() ? "s" : std::string(wanted);
      if (type != "s" && type != "o" && type != "g")
        return refuse(cat("expected a value of type \"", type, "\", found a string"));
      std::string text = TRY(read_string());
      return Property{"", type, {std::move(text)}};
    }
    const std::string_view word = take_word();
    for (const TypeWord& row : kTypeWords) {
      if (row.word == word) return read({&row.type, 1}, depth + 1);
    }
    if (word == "true" || word == "false") {
      if (!wanted.empty() && wanted != "b")
        return refuse(cat("expected a value of type \"", wanted, "\", found ", word));
      return Property{"", "b", {std::string(word)}};
    }
    return read_number(word, wanted);
  }

  static Result<Property> read_number(std::string_view word, std::string_view wanted) {
    const bool negative = word.starts_with('-');
    std::string_view digits = word.substr(negative ? 1 : 0);
    const bool hex = digits.starts_with("0x");
    const bool real = !hex && digits.find_first_of(".eE") != std::string_view::npos;
    const std::string type = !wanted.empty() ? std::string(wanted) : real ? "d" : "i";
    auto no = [&] {
      return refuse(cat(quoted(word), " is not a value of type \"", type,
                        "\"; strings stand in quotes, and \"uint64 5\" names a type"));
    };
    if (type == "d") {
      // Its value is ocirt-systemd's business: reading one costs 60 KB of tables.
      if (word.find_first_not_of("+-.0123456789eE") != std::string_view::npos ||
          !is_digit(word.back()))
        return no();
      return Property{"", type, {std::string(word)}};
    }
    if (real || type.size() != 1) return no();
    const std::optional<uint64_t> size =
        to_number<uint64_t>(hex ? digits.substr(2) : digits, hex ? 16 : 10);
    if (!size || !fits(*size, negative, type[0])) return no();
    return Property{"", type, {cat(negative && *size != 0 ? "-" : "", *size)}};
  }

  static bool fits(uint64_t size, bool negative, char type) {
    auto of_signed = [&](int bits) { return size <= (uint64_t{1} << (bits - 1)) - !negative; };
    auto of_unsigned = [&](int bits) { return !negative && (bits == 64 || size >> bits == 0); };
    switch (type) {
      case 'y':
        return of_unsigned(8);
      case 'n':
        return of_signed(16);
      case 'q':
        return of_unsigned(16);
      case 'i':
        return of_signed(32);
      case 'u':
        return of_unsigned(32);
      case 'x':
        return of_signed(64);
      case 't':
        return of_unsigned(64);
      default:
        return false;
    }
  }

  Result<std::string> read_string() {
    const char quote = rest_[0];
    rest_.remove_prefix(1);
    std::string out;
    while (!rest_.empty()) {
      char byte = rest_[0];
      rest_.remove_prefix(1);
      if (byte == quote) return out;
      if (byte == '\\' && !rest_.empty()) {
        byte = rest_[0];
        rest_.remove_prefix(1);
        if (byte == 'n') byte = '\n';
        if (byte == 't') byte = '\t';
        if (byte == 'u' || byte == 'U' || byte == 'x')
          return refuse("numbered characters in a string are not supported: write them as UTF-8");
      }
      if (byte == '\0') return refuse("a string must not contain a zero byte");
      out += byte;
    }
    return refuse("a string has no end");
  }

  Result<Property> read_array(std::string_view wanted, int depth) {
    if (!wanted.empty() && wanted[0] != 'a')
      return refuse(cat("expected a value of type \"", wanted, "\", found an array"));
    std::string element(wanted.empty() ? wanted : wanted.substr(1));
    Property out;
    size_t count = 0;
    for (bool first = true; !take(']'); first = false) {
      if (!first && !take(',')) return refuse("\",\" or \"]\" is missing in an array");
      Property value = TRY(read(element, depth + 1));
      element = value.signature;
      out.values.insert(out.values.end(), value.values.begin(), value.values.end());
      ++count;
    }
    if (element.empty()) return refuse("an empty array needs a type, as in \"@as []\"");
    out.signature = cat('a', element);
    out.values.insert(out.values.begin(), cat(count));
    return out;
  }

  Result<Property> read_tuple(std::string_view wanted, int depth) {
    if (!wanted.empty() && wanted[0] != '(')
      return refuse(cat("expected a value of type \"", wanted, "\", found a tuple"));
    std::string_view members = wanted.empty() ? wanted : wanted.substr(1, wanted.size() - 2);
    Property out{"", "(", {}};
    for (bool first = true; !take(')'); first = false) {
      if (!first && !take(',')) return refuse("\",\" or \")\" is missing in a tuple");
      if (!first && take(')')) break;  // a tuple of one is written "(1,)"
      const std::string_view member = systemd::first_type(members);
      if (!wanted.empty() && member.empty()) return refuse("a tuple has too many members");
      members.remove_prefix(member.size());
      Property value = TRY(read(member, depth + 1));
      out.signature += value.signature;
      out.values.insert(out.values.end(), value.values.begin(), value.values.end());
    }
    if (!members.empty() || out.values.empty()) return refuse("a tuple has too few members");
    out.signature += ')';
    return out;
  }

  std::string_view rest_;
};

// "TimeoutStopSec" in seconds is on the bus "TimeoutStopUSec" in microseconds.
Result<> seconds_to_microseconds(Property& property) {
  constexpr uint64_t kSecond = 1'000'000;
  property.name.insert(property.name.size() - 3, "U");
  if (property.signature == "d") {
    const std::string text = property.values[0];
    const size_t point = text.find('.');
    std::string digits = text.substr(0, point);
    std::string fraction = point == std::string::npos ? "" : text.substr(point + 1);
    fraction.resize(6, '0');  // microseconds
    const std::optional<uint64_t> seconds = to_number<uint64_t>(digits);
    const std::optional<uint64_t> rest = to_number<uint64_t>(fraction);
    if (!seconds || !rest || *seconds > UINT64_MAX / kSecond - 1)
      return refuse(cat(quoted(text), " is not a number of seconds"));
    property.values[0] = cat(*seconds * kSecond + *rest);
  } else {
    const std::optional<uint64_t> seconds = to_number<uint64_t>(property.values[0]);
    const bool number = std::string_view("ynqiuxt").contains(property.signature);
    if (!number || !seconds || *seconds > UINT64_MAX / kSecond)
      return refuse(cat(quoted(property.values[0]), " is not a number of seconds"));
    property.values[0] = cat(*seconds * kSecond);
  }
  property.signature = "t";
  return {};
}

}  // namespace

Result<std::vector<Property>> annotation_properties(const oci::Map<std::string>& annotations) {
  std::vector<Property> out;
  for (const auto& [key, text] : annotations) {
    if (!key.starts_with(kPrefix)) continue;
    const std::string_view name = std::string_view(key).substr(kPrefix.size());
    const std::string where = cat("annotations.", key);
    bool letters = name.size() >= 3;
    for (char byte : name) letters = letters && is_letter(byte);
    if (!letters) return refuse(cat(where, ": ", quoted(name), " is not the name of a property"));
    Property property = TRY(within(where, Reader(text).read_all()));
    property.name = name;
    if (name.ends_with("Sec") && !name.ends_with("USec"))
      TRY(within(where, seconds_to_microseconds(property)));
    out.push_back(std::move(property));
  }
  return out;
}

}  // namespace ocirt::cgroup
