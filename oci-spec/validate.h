// Shared by the validate*.cc files: what one finding looks like and how its path is written.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "oci-spec/error.h"
#include "oci-spec/linux.h"
#include "oci-spec/spec.h"

namespace oci::rules {

using Finding = std::optional<Error>;

// Where a check stands: "linux.devices" then [3] then "major".
class Path {
 public:
  explicit Path(std::string_view text) : text_(text) {}
  Path operator/(std::string_view member) const;
  Path operator[](std::size_t index) const;
  Path key(std::string_view name) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// An error about the property at `path`. Paths allocate: build them on failure, not before.
inline Finding finding(const Path& path, std::string_view text) {
  Error error;
  error.property = path.text();
  error.text = text;
  return error;
}

constexpr bool is_absolute(std::string_view path) { return path.starts_with('/'); }

// The entry of linux.namespaces, or nullptr.
const Namespace* find_namespace(const Spec& spec, NamespaceType type);

// validate.cc
Finding check_id_mappings(const std::vector<IdMapping>& mappings, const Path& path);
// validate_process.cc
Finding check_process(const Process& process, const Path& path);
// validate_resources.cc
Finding check_resources(const Resources& resources, const Path& path);
// validate_linux.cc
Finding check_linux(const Spec& spec);
// validate_seccomp.cc
Finding check_seccomp(const Seccomp& seccomp, const Path& path);

}  // namespace oci::rules

// Hands on a finding.
#define OCI_CHECK(expr)                      \
  do {                                       \
    if (auto found_ = (expr)) return found_; \
  } while (false)
