// A container's configuration is written before its pod has an address, and may name it
// (valueFrom.fieldRef: status.podIP). What stands for it until then, and how it is filled in.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ocirt::pod {

// No variable of a pod file has a control character of its own by accident.
inline constexpr std::string_view kPodIp = "\x01status.podIP\x01";
inline constexpr std::string_view kPodIps = "\x01status.podIPs\x01";

// A config.json, or any JSON text, with the addresses in place of what stands for them: the first
// one, or all with commas between. `addresses` without their lengths; not empty.
std::string with_addresses(std::string_view json, std::span<const std::string> addresses);

}  // namespace ocirt::pod
