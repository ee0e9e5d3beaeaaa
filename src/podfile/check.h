// The rules between fields of a pod file: everything that can be known to be wrong from the file
// alone, before anything is made. What needs a look at the machine (does the bundle exist) is in
// resolve.cc.
//
// The rules are in five files by what they are about, and each returns the first that is broken.
#pragma once

#include <optional>
#include <string>

#include "src/base/text.h"
#include "src/podfile/file.h"

namespace ocirt::podfile {

struct Finding {
  std::string property;  // spec.containers[0].name
  std::string text;
};

std::optional<Finding> check(const File& file);

// The parts, of one container where `where` is given: spec.containers[0].
std::optional<Finding> check_pod_fields(const File& file);
inline constexpr std::string_view kOnlyInMemory = "not supported but with medium: Memory";
std::optional<Finding> check_volumes(const File& file);
std::optional<Finding> check_ports(const manifest::PodSpec& spec);
std::optional<Finding> check_environment(const File& file, const manifest::Container& container,
                                         std::string_view where);
// Whether `limits` or `requests` may have it.
bool is_resource(std::string_view list, std::string_view name);
inline constexpr std::string_view kNoResource =
    "not supported; there are cpu, memory and hugepages-SIZE";
std::optional<Finding> check_resources(const manifest::Resources& resources,
                                       std::string_view where);
std::optional<Finding> check_actions(const manifest::Container& container, bool is_init,
                                     std::string_view where);
std::optional<Finding> check_pod_security(const manifest::PodSecurityContext& security);
std::optional<Finding> check_security(const manifest::Container& container, std::string_view where);

// "spec.containers[2]" of the n-th of init containers and containers.
std::string place_of_container(const manifest::PodSpec& spec, size_t index);
const manifest::Container& container_at(const manifest::PodSpec& spec, size_t index);
size_t container_count(const manifest::PodSpec& spec);

// An IPv4 or IPv6 address.
bool is_address(const std::string& text);

// The port that a probe or hook means: a number, or the name of one of the container's ports.
std::optional<uint16_t> port_of(const manifest::Container& container, std::string_view port);

}  // namespace ocirt::podfile

// Returns a finding of a part, if there is one.
#define POD_CHECK(...) \
  if (auto finding_ = (__VA_ARGS__)) return finding_
