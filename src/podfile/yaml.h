// Text to trees: YAML, and JSON, which is nearly all of it YAML too.
//
// Refused, although YAML has it: two equal keys in one map (a reader would silently take one of
// them), keys that are no scalars, tags other than those of JSON's types. Anchors, aliases and the
// merge key
// `<<` work, but what aliases multiply is counted (kMaxNodes, kMaxText): nine lines can otherwise
// ask for a thousand million nodes.
#pragma once

#include <string_view>
#include <vector>

#include "oci-spec/error.h"
#include "src/podfile/tree.h"

namespace ocirt::podfile {

inline constexpr size_t kMaxFile = 1 << 20;   // bytes of a pod file
inline constexpr size_t kMaxText = 8 << 20;   // bytes of all scalars, aliases counted each time
inline constexpr size_t kMaxNodes = 100'000;  // the same of nodes
inline constexpr size_t kMaxMembers = 4000;   // of one map, whose keys are compared with each other
inline constexpr unsigned kMaxDepth = 40;

// The documents of a stream; empty ones ("---" with nothing behind it) are left out. `document` is
// the name that errors begin with.
oci::Result<std::vector<Node>> read_yaml(std::string_view text, std::string_view document);

}  // namespace ocirt::podfile
