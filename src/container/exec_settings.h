// What a process of `exec` takes over from config.json where its own document says nothing: runc
// has it so, and a process without it would be one with fewer restrictions than its container.
#pragma once

#include "oci-spec/spec.h"

namespace ocirt::container {

// One more process, with the settings of `linux` that are each process's own.
struct ExecSettings {
  oci::Process process;
  std::optional<oci::MemoryPolicy> memory_policy;
  std::optional<oci::Personality> personality;
  // Of the user namespace, when config.json was read: empty for a joined one without any.
  std::vector<oci::IdMapping> uid_mappings, gid_mappings;
  // Whether config.json limits the number of processes; true as well where it was not read.
  bool limits_processes = true;
};

// Whether config.json has anything that inherit() would take over. Kept in the container's record,
// so that an `exec` whose document is complete need not read config.json.
bool has_exec_settings(const oci::Spec& spec);

// Whether the process may find that there is no room for one more: then it has to have all the room
// that there is.
bool counts_processes(const ExecSettings& settings);

// Takes over what is absent, out of `spec`.
void inherit(ExecSettings& settings, oci::Spec&& spec);

}  // namespace ocirt::container
