// What ocirt writes to ocirt-systemd: the properties of a unit as text. Each is a row of fields,
// and every field ends with a zero byte: name, D-Bus signature, then the value in the order in
// which D-Bus serialises it. An array is its number of elements and the elements; a struct its
// members.
//   "MemoryMax" "t" "1048576"      "PIDs" "au" "1" "4711"      "DeviceAllow" "a(ss)" "0"
// A program of its own speaks to systemd because ocirt is static and libsystemd is a shared library
// only, which would also make every start of every container slower by a millisecond.
#pragma once

#include <string_view>

namespace ocirt::systemd {

// Reads fields one after the other; the views point into the text.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  // False when there is none, or its end is missing.
  bool next(std::string_view& field) {
    const size_t end = rest_.find('\0');
    if (end == std::string_view::npos) return false;
    field = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return true;
  }

 private:
  std::string_view rest_;
};

// The first complete type of a signature: "a(ss)" of "a(ss)t". Empty when it is not one of those
// that properties of units have.
inline std::string_view first_type(std::string_view signature) {
  constexpr std::string_view kBasic = "ybnqiuxtdsog";
  if (signature.empty()) return {};
  if (kBasic.find(signature[0]) != std::string_view::npos) return signature.substr(0, 1);
  if (signature[0] == 'a') {
    const std::string_view element = first_type(signature.substr(1));
    return element.empty() ? element : signature.substr(0, 1 + element.size());
  }
  if (signature[0] != '(') return {};
  size_t end = 1;
  while (end < signature.size() && signature[end] != ')') {
    const std::string_view member = first_type(signature.substr(end));
    if (member.empty()) return {};
    end += member.size();
  }
  return end == 1 || end >= signature.size() ? std::string_view() : signature.substr(0, end + 1);
}

}  // namespace ocirt::systemd
