// Annotations of config.json that ask something of the runtime (config.md, "Annotations"). The
// specification knows none; crun has made up the prefix run.oci., podman and CRI-O set some of
// them, and CRI-O keeps pods from setting them unless its administrator allows it. So ocirt uses
// these names and no others of its own.
//
// Those that ocirt cannot follow are refused like any other setting. Unknown ones are ignored, as
// the specification demands ("MUST NOT generate an error").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/map.h"
#include "src/base/result.h"

namespace ocirt::container {

struct Annotations {
  std::string hooks_stdout, hooks_stderr;      // files that get what hooks print; empty: none
  bool keep_original_groups = false;           // the process has the groups of our caller
  std::string pidfd_receiver;                  // socket that gets a pidfd of the process
  std::string mount_context_type = "context";  // the mount option of linux.mountLabel
  std::string seccomp_receiver;                // what listenerPath says where that is missing
  bool seccomp_fail_unknown_syscall = false;
  std::vector<uint64_t> seccomp_program;  // struct sock_filter each: in place of the profile
  std::string delegate_cgroup;            // cgroup below the container's that its process is in
  std::string systemd_subgroup;           // cgroup below the unit's that is the container's
  std::string systemd_v1;                 // the mount that is to be cgroup v1, for old systemds
};

// Reads those that ocirt knows. Errors begin with "annotations: NAME".
[[gnu::noinline]] Result<Annotations> read_annotations(const oci::Map<std::string>& annotations);

// The names that read_annotations() knows, ascending: for `features`.
std::vector<std::string> known_annotations();

}  // namespace ocirt::container
