#include "src/linux/namespaces.h"

#include <linux/sched.h>

#include <iterator>

#include "src/base/text.h"
#include "src/sys/namespace.h"

namespace ocirt {
namespace {

using enum oci::NamespaceType;

constexpr NamespaceKind kKinds[] = {
    {kCgroup, CLONE_NEWCGROUP, "cgroup", "cgroup"},
    {kIpc, CLONE_NEWIPC, "ipc", "ipc"},
    {kMount, CLONE_NEWNS, "mnt", "mount"},
    {kNetwork, CLONE_NEWNET, "net", "network"},
    {kPid, CLONE_NEWPID, "pid", "pid"},
    {kTime, CLONE_NEWTIME, "time", "time"},
    {kUser, CLONE_NEWUSER, "user", "user"},
    {kUts, CLONE_NEWUTS, "uts", "uts"},
};

// namespace_kind() uses the type as the index.
constexpr bool in_order() {
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    if (static_cast<size_t>(kKinds[i].type) != i) return false;
    if (oci::to_string(kKinds[i].type) != kKinds[i].word) return false;
  }
  return std::size(kKinds) == oci::names_of(kCgroup).size();
}
static_assert(in_order());

}  // namespace

std::span<const NamespaceKind> namespace_kinds() { return kKinds; }

const NamespaceKind& namespace_kind(oci::NamespaceType type) {
  return kKinds[static_cast<size_t>(type)];
}

uint32_t only_others(uint32_t flags, pid_t pid) {
  for (const NamespaceKind& kind : kKinds) {
    if ((flags & kind.clone_flag) == 0) continue;
    if (sys::is_own_namespace(cat("/proc/", pid, "/ns/", kind.proc_name), kind.clone_flag))
      flags &= ~static_cast<uint32_t>(kind.clone_flag);
  }
  return flags;
}

}  // namespace ocirt
