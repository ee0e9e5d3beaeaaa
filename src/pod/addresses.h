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

// The same for people who look before there are addresses: "$(status.podIP)" and
// "$(status.podIPs)", as a pod file names a variable whose value is elsewhere.
std::string with_names_of_addresses(std::string_view json);

}  // namespace ocirt::pod
