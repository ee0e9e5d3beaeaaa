// Declare once: how a property of the specification is described.
//
// Every JSON object of the specification is a C++ struct and a table of rows, one Field per
// property. The reader, the writer, the check for required properties and the test against the JSON
// schemas are plain loops over these rows; none of them is a template and none knows a property by
// name. Only the few accessors below are templates: they turn the type of a member into "make it
// present" and "look at it", and a C++ type into a Type.
//
// A table is written as
//   constexpr Field kUser[] = {OCI_FIELD(User, uid, "uid"), OCI_FIELD(User, gid, "gid")};
//   template <> constinit const Type Object<User>::type = object(kUser);
// and the second line is announced in schema/schema.h, so that rows of other files can refer to it.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "oci-spec/enumeration.h"
#include "oci-spec/map.h"

namespace oci::schema {

enum class Kind : std::uint8_t {
  kBoolean,
  kInteger,
  kString,
  kEnumeration,  // a string of a closed set; stored as the index of its name
  kObject,       // known properties
  kList,
  kMap,  // free names
};

class Field;

// What lists and maps can do. The functions take the address of the list or map.
struct Elements {
  void* (*append)(void*, std::string_view) = {};  // a new element (under this key)
  std::size_t (*size)(const void*) = {};
  const void* (*element_at)(const void*, std::size_t) = {};
  std::string_view (*key)(const void*, std::size_t) = {};  // kMap: an element's name
  void (*remove)(void*, const std::vector<bool>&) = {};    // kMap: drops the marked elements
};

// How a value of one C++ type is stored.
struct Type {
  Kind kind = Kind::kObject;
  std::uint8_t width = 0;                        // kInteger: bytes
  bool is_signed = false;                        // kInteger
  std::span<const std::string_view> names = {};  // kEnumeration
  std::span<const Field> rows = {};              // kObject
  const Type* element = nullptr;                 // kList, kMap
  const Elements* elements = nullptr;            // kList, kMap

  // As those of Elements.
  void* append(void* value, std::string_view key) const { return elements->append(value, key); }
  std::size_t size(const void* value) const { return elements->size(value); }
  const void* element_at(const void* value, std::size_t at) const {
    return elements->element_at(value, at);
  }
  std::string_view key(const void* map, std::size_t at) const { return elements->key(map, at); }
  void remove(void* map, const std::vector<bool>& marked) const { elements->remove(map, marked); }
};

// A form that a string must have. The text of the schema's regular expression identifies it.
struct Pattern {
  std::string_view expression;   // as in the schema
  std::string_view description;  // "expected <description>, found ..."
  bool (*matches)(std::string_view) = {};
};

// What the schema demands beyond the type. Bounds that the integer type has anyway are left out.
struct Rules {
  bool required = false;
  std::int64_t minimum = std::numeric_limits<std::int64_t>::min();
  std::uint64_t maximum = std::numeric_limits<std::uint64_t>::max();
  std::uint8_t min_items = 0;        // lists
  const Pattern* pattern = nullptr;  // strings; of a list, its elements
};

inline constexpr Rules kRequired{.required = true};

// How a member is stored: plainly or as a std::optional. The functions take the member's address.
struct Storage {
  const Type* type = nullptr;  // of the value, without std::optional
  bool optional = false;
  // Makes the member present and empty and returns the value's address, or makes it absent (a
  // member that is not optional gets its default) and returns nullptr.
  void* (*open)(void* member, bool present) = {};
  // The value's address, or nullptr when it is absent.
  const void* (*get)(const void* member) = {};
};

// One property. A page with an address in it is written before main() (src/musl/start.cc), 3 us for
// each, so a row has as few as it can: what it has in common with others lies elsewhere, and where
// the member lies is a number.
class Field {
 public:
  consteval Field(std::string_view name, std::size_t offset, const Storage& storage,
                  const Rules& rules)
      : name_(name.data()),
        storage_(&storage),
        rules_(&rules),
        offset_(static_cast<std::uint16_t>(offset)),
        name_size_(static_cast<std::uint8_t>(name.size())) {
    if (offset > UINT16_MAX || name.size() > UINT8_MAX) std::unreachable();  // does not compile
  }

  constexpr std::string_view name() const { return {name_, name_size_}; }  // in JSON
  constexpr const Type& type() const { return *storage_->type; }
  constexpr bool optional() const { return storage_->optional; }
  constexpr const Rules& rules() const { return *rules_; }
  // As Storage's, of the member of this struct.
  void* open(void* object, bool present) const {
    return storage_->open(static_cast<char*>(object) + offset_, present);
  }
  const void* get(const void* object) const {
    return storage_->get(static_cast<const char*>(object) + offset_);
  }

 private:
  const char* name_;
  const Storage* storage_;
  const Rules* rules_;
  std::uint16_t offset_;
  std::uint8_t name_size_;
};

// The type of a struct; defined beside its rows.
template <class S>
struct Object {
  static const Type type;
};

constexpr Type object(std::span<const Field> rows) {
  Type type;
  type.kind = Kind::kObject;
  type.rows = rows;
  return type;
}

namespace detail {

template <class T>
struct IsOptional : std::false_type {
  using Value = T;
};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {
  using Value = T;
};
template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsMap = false;
template <class T>
inline constexpr bool kIsMap<Map<T>> = true;

template <class T>
consteval const Type* type_of();

inline constexpr Type kBoolean{.kind = Kind::kBoolean};
inline constexpr Type kString{.kind = Kind::kString};
template <std::integral T>
inline constexpr Type kInteger{
    .kind = Kind::kInteger, .width = sizeof(T), .is_signed = std::is_signed_v<T>};
template <Enumeration E>
inline constexpr Type kEnumeration{.kind = Kind::kEnumeration, .names = names_of(E{})};

template <class T>
inline constexpr Elements kListElements{
    .append = [](void* list, std::string_view) -> void* {
      return &static_cast<std::vector<T>*>(list)->emplace_back();
    },
    .size = [](const void* list) { return static_cast<const std::vector<T>*>(list)->size(); },
    .element_at = [](const void* list, std::size_t i) -> const void* {
      return &(*static_cast<const std::vector<T>*>(list))[i];
    }};
template <class T>
inline constexpr Type kList{
    .kind = Kind::kList, .element = type_of<T>(), .elements = &kListElements<T>};

// Removes the marked entries.
template <class T>
void remove(void* object, const std::vector<bool>& marked) {
  Map<T>& map = *static_cast<Map<T>*>(object);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < map.size(); ++i) {
    if (marked[i]) continue;
    if (kept != i) map[kept] = std::move(map[i]);
    ++kept;
  }
  map.erase(map.begin() + static_cast<std::ptrdiff_t>(kept), map.end());
}

template <class T>
inline constexpr Elements kMapElements{
    .append = [](void* map, std::string_view key) -> void* {
      return &static_cast<Map<T>*>(map)->emplace_back(std::string(key), T{}).second;
    },
    .size = [](const void* map) { return static_cast<const Map<T>*>(map)->size(); },
    .element_at = [](const void* map, std::size_t i) -> const void* {
      return &(*static_cast<const Map<T>*>(map))[i].second;
    },
    .key = [](const void* map, std::size_t i) -> std::string_view {
      return (*static_cast<const Map<T>*>(map))[i].first;
    },
    .remove = remove<T>};
template <class T>
inline constexpr Type kMap{
    .kind = Kind::kMap, .element = type_of<T>(), .elements = &kMapElements<T>};

template <class T>
struct MapElement;
template <class T>
struct MapElement<Map<T>> {
  using Value = T;
};

template <class T>
consteval const Type* type_of() {
  if constexpr (std::same_as<T, bool>) {
    return &kBoolean;
  } else if constexpr (std::integral<T>) {
    return &kInteger<T>;
  } else if constexpr (std::same_as<T, std::string>) {
    return &kString;
  } else if constexpr (Enumeration<T>) {
    static_assert(sizeof(T) == 1);
    return &kEnumeration<T>;
  } else if constexpr (kIsMap<T>) {
    return &kMap<typename MapElement<T>::Value>;
  } else if constexpr (kIsVector<T>) {
    return &kList<typename T::value_type>;
  } else {
    return &Object<T>::type;
  }
}

template <class Member>
void* open(void* member, bool present) {
  Member& stored = *static_cast<Member*>(member);
  if constexpr (IsOptional<Member>::value) {
    if (present) return &stored.emplace();
    stored.reset();
  } else {
    stored = Member{};
    if (present) return &stored;
  }
  return nullptr;
}

template <class Member>
const void* get(const void* member) {
  if constexpr (IsOptional<Member>::value) {
    const Member& stored = *static_cast<const Member*>(member);
    return stored ? &*stored : nullptr;
  } else {
    return member;
  }
}

template <class Member>
inline constexpr Storage kStorage{.type = type_of<typename IsOptional<Member>::Value>(),
                                  .optional = IsOptional<Member>::value,
                                  .open = open<Member>,
                                  .get = get<Member>};
consteval Rules rules(Rules given = {}) { return given; }
template <Rules Given>
inline constexpr Rules kRules = Given;

}  // namespace detail

}  // namespace oci::schema

// The row of a member: OCI_FIELD(Process, cwd, "cwd", kRequired). A macro, since nothing but
// offsetof() tells a compiler where a member lies.
#define OCI_FIELD(Struct, member, name, ...)                                      \
  ::oci::schema::Field(name, offsetof(Struct, member),                            \
                       ::oci::schema::detail::kStorage<decltype(Struct::member)>, \
                       ::oci::schema::detail::kRules<::oci::schema::detail::rules(__VA_ARGS__)>)
