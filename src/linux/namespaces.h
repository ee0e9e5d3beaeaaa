// The eight kinds of namespaces as clone flags and /proc names (config-linux.md, "Namespaces";
// namespaces(7)).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "oci-spec/linux.h"

namespace ocirt {

struct NamespaceKind {
  oci::NamespaceType type;
  uint64_t clone_flag;    // CLONE_NEW*, for clone3(2), unshare(2), setns(2) and NS_GET_NSTYPE
  const char* proc_name;  // file in /proc/PID/ns: "mnt" where the specification says "mount"
  std::string_view word;  // in messages: "mount"
};

// All kinds, in the order of oci::NamespaceType.
std::span<const NamespaceKind> namespace_kinds();

// The row of a type.
const NamespaceKind& namespace_kind(oci::NamespaceType type);

// CLONE_NEW* of a type. CLONE_NEWTIME is good for clone3(2) and unshare(2), not for clone(2), where
// its bit belongs to the exit signal; unshare(2) moves only the children into the new time
// namespace.
inline uint64_t clone_flag(oci::NamespaceType type) { return namespace_kind(type).clone_flag; }

// CLONE_NEW* flags without those of namespaces that a process shares with us: an ordinary user may
// not enter where it is.
uint32_t only_others(uint32_t flags, pid_t pid);

}  // namespace ocirt
