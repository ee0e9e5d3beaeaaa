// Declare once: how a property of the specification is described.
//
// Every JSON object of the specification is a C++ struct and a table of rows, one Field per
// property. The reader, the writer, the check for required properties and the test against the JSON
// schemas are plain loops over these rows; none of them is a template and none knows a property by
// name. Only the few accessors below are templates: they turn a member pointer into "make it
// present" and "look at it", and a C++ type into a Type.
//
// A table is written as
//   constexpr Field kUser[] = {field<&User::uid>("uid"), field<&User::gid>("gid")};
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

struct Field;

// How a value of one C++ type is stored. The functions take the address of the value.
struct Type {
  Kind kind = Kind::kObject;
  std::uint8_t width = 0;                         // kInteger: bytes
  bool is_signed = false;                         // kInteger
  std::span<const std::string_view> names = {};   // kEnumeration
  std::span<const Field> rows = {};               // kObject
  const Type* element = nullptr;                  // kList, kMap
  void* (*append)(void*, std::string_view) = {};  // kList, kMap: a new element (under this key)
  std::size_t (*size)(const void*) = {};          // kList, kMap
  const void* (*element_at)(const void*, std::size_t) = {};  // kList, kMap: an element
  std::string_view (*key)(const void*, std::size_t) = {};    // kMap: its name
  void (*remove)(void*, const std::vector<bool>&) = {};      // kMap: drops the marked elements
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

// One property.
struct Field {
  std::string_view name;       // in JSON
  const Type* type = nullptr;  // of the value, without std::optional
  bool optional = false;       // the member is a std::optional
  Rules rules;
  // Makes the member present and empty and returns the value's address, or makes it absent (a
  // member that is not optional gets its default) and returns nullptr.
  void* (*open)(void* object, bool present) = {};
  // The value's address, or nullptr when it is absent.
  const void* (*get)(const void* object) = {};
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
inline constexpr Type kList{
    .kind = Kind::kList,
    .element = type_of<T>(),
    .append = [](void* list, std::string_view) -> void* {
      return &static_cast<std::vector<T>*>(list)->emplace_back();
    },
    .size = [](const void* list) { return static_cast<const std::vector<T>*>(list)->size(); },
    .element_at = [](const void* list, std::size_t i) -> const void* {
      return &(*static_cast<const std::vector<T>*>(list))[i];
    }};

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
inline constexpr Type kMap{
    .kind = Kind::kMap,
    .element = type_of<T>(),
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

template <class>
struct MemberOf;
template <class S, class T>
struct MemberOf<T S::*> {
  using Struct = S;
  using Value = T;
};

}  // namespace detail

// The row of a member: field<&Process::cwd>("cwd", kRequired).
template <auto Member>
consteval Field field(std::string_view name, Rules rules = {}) {
  using Struct = typename detail::MemberOf<decltype(Member)>::Struct;
  using Stored = typename detail::MemberOf<decltype(Member)>::Value;
  using Optional = detail::IsOptional<Stored>;
  Field row;
  row.name = name;
  row.type = detail::type_of<typename Optional::Value>();
  row.optional = Optional::value;
  row.rules = rules;
  row.open = [](void* object, bool present) -> void* {
    Stored& stored = static_cast<Struct*>(object)->*Member;
    if constexpr (Optional::value) {
      if (present) return &stored.emplace();
      stored.reset();
    } else {
      stored = Stored{};
      if (present) return &stored;
    }
    return nullptr;
  };
  row.get = [](const void* object) -> const void* {
    const Stored& stored = static_cast<const Struct*>(object)->*Member;
    if constexpr (Optional::value) {
      return stored ? &*stored : nullptr;
    } else {
      return &stored;
    }
  };
  return row;
}

}  // namespace oci::schema
