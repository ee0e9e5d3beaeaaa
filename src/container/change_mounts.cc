#include "src/container/change_mounts.h"

#include <sched.h>

#include <cerrno>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/launch.h"
#include "src/container/mount_trees.h"
#include "src/container/oci_result.h"
#include "src/container/status.h"
#include "src/linux/namespaces.h"
#include "src/sys/file.h"

namespace ocirt::container {
namespace {

// The container's first process, by a descriptor that means nobody else.
Result<UniqueFd> living_init(const Directory& directory, const Record& record) {
  const oci::Status status = TRY(status_of(directory, record));
  if (status == oci::Status::kCreating) {
    return refuse(cat("container ", record.id, " is still being created"));
  }
  UniqueFd init = TRY(open_init(record));
  if (status == oci::Status::kStopped || !init.valid()) {
    return std::unexpected(Error{ESRCH, "container not running"});
  }
  return init;
}

Result<> carry_out(Draft& draft, Fd init, Record& record) {
  std::vector<UniqueFd> trees = TRY(open_mount_trees(draft));
  LaunchRequest request;
  request.draft = &draft;
  request.record = &record;
  request.trees = trees;
  // Not its pid namespace, so that it cannot be seen from inside; not its cgroup, so that it works
  // while that is frozen.
  uint32_t needed = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;
  // What is new belongs to the container's root, not to the host's.
  if (record.user_namespace) needed = CLONE_NEWUSER | only_others(needed, record.pid);
  UniqueFd root;
  if (record.shares_mounts) {
    needed &= ~static_cast<uint32_t>(CLONE_NEWNS);
    root = TRY(within("root", sys::open(sys::kCwd, record.rootfs, O_PATH | O_DIRECTORY)));
    draft.builder.plan.root_fd = root.raw();
  }
  request.joins.push_back({init.raw(), needed, draft.builder.text("the container's namespaces")});
  // When it says that it is ready, it is done.
  Launched done = TRY(launch(request));
  return {};
}

}  // namespace

Result<> add_mounts(const Store& store, const MountChange& change, Warnings& warnings) {
  Directory directory = TRY(store.find(change.id, Store::Lock::none));
  Record record = TRY(directory.read());
  UniqueFd init = TRY(living_init(directory, record));
  std::string json = TRY(directory.config());
  oci::Spec spec = TRY(from_spec(oci::read_config(json)));
  cgroup::Host host = TRY(cgroup::probe_host());
  Draft draft = TRY(draft_added_mounts(spec, record, change, host));
  for (const std::string& warning : draft.warnings) warnings.push_back(warning);
  return carry_out(draft, init, record);
}

Result<> remove_mounts(const Store& store, const MountChange& change) {
  Directory directory = TRY(store.find(change.id, Store::Lock::none));
  Record record = TRY(directory.read());
  UniqueFd init = TRY(living_init(directory, record));
  Draft draft = TRY(draft_removed_mounts(change));
  draft.builder.plan.user.entered = record.user_namespace;
  return carry_out(draft, init, record);
}

}  // namespace ocirt::container
