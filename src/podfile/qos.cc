// The kubelet's pkg/kubelet/qos/policy.go says the numbers, and the least of a burstable
// container: 3, and not 2 as the documentation has it.
#include "src/podfile/qos.h"

#include <algorithm>

#include "src/podfile/check.h"
#include "src/podfile/quantity.h"

namespace ocirt::podfile {
namespace {

using manifest::Resources;

constexpr int kGuaranteedScore = -997;
constexpr int kBestEffortScore = 1000;

struct Asked {
  int64_t request = 0, limit = 0;
};

// check.cc has seen to it that these are quantities.
Asked asked(const std::optional<Resources>& resources, std::string_view name,
            Result<int64_t> (*read)(std::string_view)) {
  if (!resources) return {};
  const auto value = [&](const oci::Map<std::string>& values) -> std::optional<int64_t> {
    const std::string* text = values.find(name);
    return text == nullptr ? std::nullopt : std::optional(read(*text).value_or(0));
  };
  const int64_t limit = value(resources->limits).value_or(0);
  return {.request = value(resources->requests).value_or(limit), .limit = limit};
}

// In a floating-point number, since sums and a thousand times it may be too much for an integer.
double memory_of(const std::optional<Resources>& resources) {
  return static_cast<double>(asked(resources, "memory", units).request);
}

bool is_init(const manifest::PodSpec& spec, size_t index) {
  return index < spec.init_containers.size() && !container_at(spec, index).restart_policy;
}

// What all containers of a pod ask for at the same time: an init container is alone but for the
// sidecars before it.
double memory_of_containers(const manifest::PodSpec& spec) {
  double lasting = 0, most = 0;
  for (size_t i = 0; i < container_count(spec); ++i) {
    const double memory = memory_of(container_at(spec, i).resources);
    if (!is_init(spec, i)) lasting += memory;
    most = std::max(most, is_init(spec, i) ? lasting + memory : lasting);
  }
  return most;
}

// What the pod asks for beyond its containers is shared out among them.
double share_of_rest(const manifest::PodSpec& spec) {
  const double rest = memory_of(spec.resources) - memory_of_containers(spec);
  return std::max(0.0, rest) / static_cast<double>(container_count(spec));
}

}  // namespace

Qos qos_of(const manifest::PodSpec& spec) {
  bool asks = false, guaranteed = true;
  const auto look_at = [&](const std::optional<Resources>& resources) {
    for (const Asked& each :
         {asked(resources, "cpu", thousandths), asked(resources, "memory", units)}) {
      asks = asks || each.request > 0 || each.limit > 0;
      guaranteed = guaranteed && each.limit > 0 && each.request == each.limit;
    }
  };
  look_at(spec.resources);
  if (!asks) {
    guaranteed = true;
    for (size_t i = 0; i < container_count(spec); ++i) look_at(container_at(spec, i).resources);
  }
  if (!asks) return Qos::kBestEffort;
  return guaranteed ? Qos::kGuaranteed : Qos::kBurstable;
}

int oom_score_of(const manifest::PodSpec& spec, size_t index, uint64_t memory) {
  const Qos qos = qos_of(spec);
  if (qos == Qos::kGuaranteed) return kGuaranteedScore;
  if (qos == Qos::kBestEffort) return kBestEffortScore;
  double most = memory_of(container_at(spec, index).resources);
  // A sidecar ends no earlier than those that it is there for.
  if (index < spec.init_containers.size() && !is_init(spec, index)) {
    const auto least = std::ranges::min_element(
        spec.containers, {}, [](const auto& each) { return memory_of(each.resources); });
    most = std::max(most, memory_of(least->resources));
  }
  most += share_of_rest(spec);
  const double part = 1000 * most / static_cast<double>(std::max<uint64_t>(memory, 1));
  const int score = part >= 1000 ? 0 : kBestEffortScore - static_cast<int>(part);
  return std::clamp(score, kBestEffortScore + kGuaranteedScore, kBestEffortScore - 1);
}

}  // namespace ocirt::podfile
