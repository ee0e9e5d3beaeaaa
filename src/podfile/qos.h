// Kubernetes' classes of pods by what they ask for (quality of service), and who ends first by them
// when the machine's memory is used up.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/podfile/manifest.h"

namespace ocirt::podfile {

enum class Qos : uint8_t { kGuaranteed, kBurstable, kBestEffort };

// Of cpu and memory only. What is limited and not asked for is asked for. Where the pod itself has
// resources, those of its containers do not count.
Qos qos_of(const manifest::PodSpec& spec);

// process.oomScoreAdj of the n-th container (container_at()) on a machine of so many bytes, as the
// kubelet has it: who has asked for more of the memory ends later.
int oom_score_of(const manifest::PodSpec& spec, size_t index, uint64_t memory);

}  // namespace ocirt::podfile
