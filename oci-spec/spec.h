// config.json of a bundle as a value: version 1.3.0 of the runtime specification, Linux containers.
//
// A plain struct per JSON object; member names are the JSON names in snake_case.
// - An optional property is a std::optional, a list a std::vector (absent and empty are the same
//   unless the member says otherwise), an object with free names an oci::Map.
// - An optional string that is present but empty is read as absent: callers write it so
//   ("apparmorProfile": ""), and no property of the specification gives the empty text a meaning.
// - Sections of other platforms (solaris, windows, vm, zos, freebsd) and unknown properties are
//   ignored when a document is read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oci-spec/hooks.h"
#include "oci-spec/linux.h"
#include "oci-spec/map.h"
#include "oci-spec/mounts.h"
#include "oci-spec/process.h"

// Compilers in GNU mode predefine `linux` as 1, which would make the member unreachable.
#undef linux

namespace oci {

struct Root {
  std::string path = {};              // required; absolute, or relative to the bundle
  std::optional<bool> readonly = {};  // absent is false

  bool operator==(const Root&) const = default;
};

struct Spec {
  std::string oci_version = {};                // required; semantic version, 1.x
  std::optional<Process> process = {};         // required by `start`, not by `create`
  std::optional<Root> root = {};               // required on Linux: validate()
  std::optional<std::string> hostname = {};    // of the container's UTS namespace
  std::optional<std::string> domainname = {};  // of the container's UTS namespace
  std::vector<Mount> mounts = {};              // in order
  std::optional<Hooks> hooks = {};
  Map<std::string> annotations = {};  // free metadata; reaches the state
  std::optional<Linux> linux = {};

  bool operator==(const Spec&) const = default;
};

}  // namespace oci
