// config.json of a pod's container, as a value: what `ocirt spec` starts from (or the bundle's
// own), changed to what image and pod file say, in the namespaces of the pod. Pure.
#pragma once

#include <string>
#include <string_view>

#include "oci-spec/spec.h"
#include "src/pod/paths.h"
#include "src/podfile/file.h"
#include "src/podfile/image_facts.h"
#include "src/podfile/machine.h"

namespace ocirt::podfile {

struct ContainerInput {
  const File& file;
  size_t index = 0;  // container_at()
  const ImageFacts& image;
  const pod::Layout& layout;
  std::string_view uid;        // of the pod
  std::string_view node = {};  // the name of this machine
  std::string_view hostname;   // inside
  // With type Localhost: the profile that the pod file names, read.
  const oci::Seccomp* local_profile = nullptr;
  // privileged: the host's devices.
  const std::vector<oci::Device>* devices = nullptr;
  Machine machine = {};
};

// Errors begin with the field that they are about, below the container: "command: ...".
Result<oci::Spec> container_spec(const ContainerInput& input);

// The seccomp profile that holds for a container: its own, or the pod's, or nullptr.
const manifest::Profile* seccomp_profile_of(const manifest::PodSpec& spec,
                                            const manifest::Container& container);

// Limits and requests in the words of cgroups. CPU requests become the weight; those of memory are
// for scheduling only. A limit of memory is one of memory and swap together, as the kubelet has it
// by default (NoSwap), where the machine's cgroups limit swap.
oci::Resources cgroup_resources(const manifest::Resources& resources, const Machine& machine);

// Where the sub-path of a container's n-th volume mount is mounted, below the pod's directory.
std::string sub_path_target(std::string_view container, size_t mount);

// Of image and container: root unless they say otherwise.
bool is_privileged(const manifest::Container& container);

}  // namespace ocirt::podfile
