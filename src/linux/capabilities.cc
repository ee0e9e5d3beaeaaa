// The names come from <linux/capability.h>; CapabilitiesTest compares them with libcap's.
#include "src/linux/capabilities.h"

#include <linux/capability.h>

#include <algorithm>

#include "src/base/names.h"
#include "src/base/repeats.h"

namespace ocirt {
namespace {

#define OCIRT_CAPABILITY(name) {#name, name}
constexpr Name<int> kCapabilities[] = {
    OCIRT_CAPABILITY(CAP_AUDIT_CONTROL),
    OCIRT_CAPABILITY(CAP_AUDIT_READ),
    OCIRT_CAPABILITY(CAP_AUDIT_WRITE),
    OCIRT_CAPABILITY(CAP_BLOCK_SUSPEND),
    OCIRT_CAPABILITY(CAP_BPF),
    OCIRT_CAPABILITY(CAP_CHECKPOINT_RESTORE),
    OCIRT_CAPABILITY(CAP_CHOWN),
    OCIRT_CAPABILITY(CAP_DAC_OVERRIDE),
    OCIRT_CAPABILITY(CAP_DAC_READ_SEARCH),
    OCIRT_CAPABILITY(CAP_FOWNER),
    OCIRT_CAPABILITY(CAP_FSETID),
    OCIRT_CAPABILITY(CAP_IPC_LOCK),
    OCIRT_CAPABILITY(CAP_IPC_OWNER),
    OCIRT_CAPABILITY(CAP_KILL),
    OCIRT_CAPABILITY(CAP_LEASE),
    OCIRT_CAPABILITY(CAP_LINUX_IMMUTABLE),
    OCIRT_CAPABILITY(CAP_MAC_ADMIN),
    OCIRT_CAPABILITY(CAP_MAC_OVERRIDE),
    OCIRT_CAPABILITY(CAP_MKNOD),
    OCIRT_CAPABILITY(CAP_NET_ADMIN),
    OCIRT_CAPABILITY(CAP_NET_BIND_SERVICE),
    OCIRT_CAPABILITY(CAP_NET_BROADCAST),
    OCIRT_CAPABILITY(CAP_NET_RAW),
    OCIRT_CAPABILITY(CAP_PERFMON),
    OCIRT_CAPABILITY(CAP_SETFCAP),
    OCIRT_CAPABILITY(CAP_SETGID),
    OCIRT_CAPABILITY(CAP_SETPCAP),
    OCIRT_CAPABILITY(CAP_SETUID),
    OCIRT_CAPABILITY(CAP_SYSLOG),
    OCIRT_CAPABILITY(CAP_SYS_ADMIN),
    OCIRT_CAPABILITY(CAP_SYS_BOOT),
    OCIRT_CAPABILITY(CAP_SYS_CHROOT),
    OCIRT_CAPABILITY(CAP_SYS_MODULE),
    OCIRT_CAPABILITY(CAP_SYS_NICE),
    OCIRT_CAPABILITY(CAP_SYS_PACCT),
    OCIRT_CAPABILITY(CAP_SYS_PTRACE),
    OCIRT_CAPABILITY(CAP_SYS_RAWIO),
    OCIRT_CAPABILITY(CAP_SYS_RESOURCE),
    OCIRT_CAPABILITY(CAP_SYS_TIME),
    OCIRT_CAPABILITY(CAP_SYS_TTY_CONFIG),
    OCIRT_CAPABILITY(CAP_WAKE_ALARM),
};
#undef OCIRT_CAPABILITY
static_assert(sorted(kCapabilities));
static_assert(std::size(kCapabilities) == kLastCapability + 1);
static_assert(CAP_CHECKPOINT_RESTORE == kLastCapability);

constexpr const Name<int>* row_of(int number) {
  return std::ranges::find(kCapabilities, number, &Name<int>::value);
}
static_assert([] {
  for (int number = 0; number <= kLastCapability; ++number) {
    if (row_of(number) == std::end(kCapabilities)) return false;
  }
  return true;
}());

}  // namespace

std::optional<int> capability_number(std::string_view name) { return find(kCapabilities, name); }

std::string_view capability_name(int number) {
  if (number < 0 || number > kLastCapability) return {};
  return row_of(number)->name;
}

std::vector<std::string_view> known_capabilities() {
  std::vector<std::string_view> names;
  for (int number = 0; number <= kLastCapability; ++number) names.push_back(row_of(number)->name);
  return names;
}

CapabilityMask capability_mask(std::span<const std::string> names) {
  CapabilityMask out;
  std::vector<std::string_view> unknown;
  for (const std::string& name : names) {
    if (auto number = capability_number(name)) {
      out.mask |= uint64_t{1} << *number;
    } else {
      unknown.emplace_back(name);
    }
  }
  const std::vector<bool> repeated = repeats(unknown, Which::all_but_first);
  for (size_t i = 0; i < unknown.size(); ++i) {
    if (!repeated[i]) out.unknown.emplace_back(unknown[i]);
  }
  return out;
}

}  // namespace ocirt
