// The device rules of a container (config-linux.md, "Allowed Device List"): checked, completed with
// the devices that every container needs, and in the words of the v1 controller. Pure. Private to
// src/linux/cgroup/.
//
// What they mean: nothing is allowed, then the rules apply in their order and later ones win, for
// each of the three kinds of access separately. A container without any rule gets the default
// devices only, like one that begins with "deny all".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oci-spec/resources.h"
#include "src/base/result.h"

namespace ocirt::cgroup {

// Kinds of access, with the bits of the BPF context (linux/bpf.h, BPF_DEVCG_ACC_*).
inline constexpr unsigned kMknod = 1, kRead = 2, kWrite = 4, kAllAccess = 7;

// Bounds the work of the kernel and the distance of the jumps in a BPF program.
inline constexpr size_t kMostDeviceRules = 4096;

struct DeviceRule {
  bool allow = false;
  char type = 'a';     // 'a' (both), 'b' or 'c'
  int64_t major = -1;  // -1: any
  int64_t minor = -1;
  unsigned access = kAllAccess;
  int index = -1;  // in linux.resources.devices, for errors; -1: one of the default rules

  bool is_total() const { return type == 'a' && major < 0 && minor < 0 && access == kAllAccess; }
  bool operator==(const DeviceRule&) const = default;
};

// The rules of the configuration followed by the default ones (linux/default_devices.h). Errors
// name the field: an unknown type or access letter, a number that no device can have, more rules
// than kMostDeviceRules.
Result<std::vector<DeviceRule>> device_rules(std::span<const oci::DeviceCgroup> configured);

// Whether the rules allow everything, so that there is nothing to enforce.
bool allows_everything(std::span<const DeviceRule> rules);

// One write to devices.allow or devices.deny.
struct DeviceLine {
  bool allow = false;
  std::string text;  // "c 1:3 rwm"
  bool operator==(const DeviceLine&) const = default;
};

// The writes that bring a v1 cgroup into the state that the rules describe: first "a", which
// empties the kernel's list and sets what holds by default, then the exceptions. A kernel list
// cannot express an exception to an exception (all of "c 10:*" but 10:200): such rules are refused,
// because the kernel would ignore them without a word.
Result<std::vector<DeviceLine>> v1_device_lines(std::span<const DeviceRule> rules);

}  // namespace ocirt::cgroup
