// `mounts add` and `mounts remove`: changes the mounts of a container that has been created and has
// not stopped, without its help. They are carried out by an init of their own
// (plan::Purpose::mounts) in the container's mount, ipc, network and cgroup namespaces; what has to
// come from the host is opened by ocirt and handed over (mount_trees.h).
#pragma once

#include <string>
#include <vector>

#include "oci-spec/mounts.h"
#include "src/base/result.h"
#include "src/container/draft.h"
#include "src/container/record.h"
#include "src/container/store.h"

namespace ocirt::container {

struct MountChange {
  std::string id;
  std::string document;  // where the list comes from, for messages
  std::vector<oci::Mount> mounts;
};

// In the listed order, up to the first that fails: those before it stay.
Result<> add_mounts(const Store& store, const MountChange& change, Warnings& warnings);
// The topmost mount at each destination; the rest of an entry does not matter.
Result<> remove_mounts(const Store& store, const MountChange& change);

// What the two do, decided (draft_mount_changes.cc). `spec` is the container's configuration.
Result<Draft> draft_added_mounts(const oci::Spec& spec, const Record& record,
                                 const MountChange& change, const cgroup::Host& host);
Result<Draft> draft_removed_mounts(const MountChange& change);

}  // namespace ocirt::container
