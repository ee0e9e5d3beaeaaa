// The environment that a pod file gives a container, and $(NAME) in it and in commands.
//
// Kubernetes' rules: "$$" is "$"; $(NAME) is replaced where NAME is known, which in `env` means
// defined before; everything else stays as it is, also $(UNKNOWN).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oci-spec/map.h"
#include "src/podfile/file.h"

namespace ocirt::podfile {

using Environment = oci::Map<std::string>;

std::string expand(std::string_view text, const Environment& known);

inline constexpr std::string_view kKnownFields =
    "metadata.name, metadata.namespace, metadata.uid, metadata.labels['NAME'] and "
    "metadata.annotations['NAME']";

// The value of a pod's own field for valueFrom.fieldRef, nothing when it is not supported. `uid` is
// the pod's, where the file has none.
std::optional<std::string> field_value(const manifest::Pod& pod, std::string_view path,
                                       std::string_view uid);

// envFrom and env of a container, in Kubernetes' order; later ones win.
Environment environment_of(const File& file, const manifest::Container& container,
                           std::string_view uid);

}  // namespace ocirt::podfile
