// The environment that a pod file gives a container, and $(NAME) in it and in commands.
//
// Kubernetes' rules: "$$" is "$"; $(NAME) is replaced where NAME is known, which in `env` means
// defined before; everything else stays as it is, also $(UNKNOWN).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oci-spec/map.h"
#include "src/base/result.h"
#include "src/podfile/file.h"

namespace ocirt::podfile {

using Environment = oci::Map<std::string>;

std::string expand(std::string_view text, const Environment& known);
// Keys of envFrom that are none are left out.
bool is_variable_name(std::string_view name);

inline constexpr std::string_view kKnownFields =
    "metadata.name, metadata.namespace, metadata.uid, metadata.labels['NAME'], "
    "metadata.annotations['NAME'], spec.nodeName, status.podIP and status.podIPs";

// What a pod is given that its file does not say.
struct PodFacts {
  std::string_view uid;   // where the file has none
  std::string_view node;  // the host's name
};

// The value of a pod's own field for valueFrom.fieldRef, nothing when it is not supported. For its
// addresses what stands for them (pod/addresses.h).
std::optional<std::string> field_value(const manifest::Pod& pod, std::string_view path,
                                       const PodFacts& facts);

// A limit or request of a container for valueFrom.resourceFieldRef, in units of the divisor, a part
// of one counting as one; a request that is not said is the limit. `own`: whose variable it is. The
// error says what is wrong, without the field's name.
Result<std::string> resource_value(const manifest::PodSpec& spec, const manifest::Container& own,
                                   const manifest::ResourceSelector& selector);

// Whether some container is to know the pod's addresses.
bool wants_addresses(const manifest::PodSpec& spec);

// envFrom and env of a container, in Kubernetes' order; later ones win.
Environment environment_of(const File& file, const manifest::Container& container,
                           const PodFacts& facts);

}  // namespace ocirt::podfile
