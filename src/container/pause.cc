#include "src/container/pause.h"

#include <cerrno>

#include "src/base/text.h"
#include "src/container/status.h"

namespace ocirt::container {
namespace {

Result<> check_has_cgroup(const Record& record) {
  if (!record.cgroup.directories.empty()) return {};
  return refuse(
      "not supported: pausing a container without a cgroup, since the freezer is part of it");
}

}  // namespace

Result<> pause(const Store& store, const std::string& id) {
  Directory directory = TRY(store.find(id, Store::Lock::exclusive));
  Record record = TRY(directory.read());
  switch (TRY(status_of(directory, record))) {
    case oci::Status::kCreating:
      return refuse(cat("container ", id, " is still being created"));
    case oci::Status::kPaused:
      return refuse("container not running: it is paused already");
    case oci::Status::kStopped:
      return std::unexpected(Error{ESRCH, "container not running"});
    case oci::Status::kCreated:
    case oci::Status::kRunning:
      break;
  }
  TRY(check_has_cgroup(record));
  return cgroup::freeze(record.cgroup);
}

Result<> resume(const Store& store, const std::string& id) {
  Directory directory = TRY(store.find(id, Store::Lock::exclusive));
  Record record = TRY(directory.read());
  oci::Status status = TRY(status_of(directory, record));
  if (status == oci::Status::kStopped) {
    return std::unexpected(Error{ESRCH, "container not running"});
  }
  if (status != oci::Status::kPaused) {
    return refuse(cat("container not paused: it is ", oci::to_string(status)));
  }
  return cgroup::thaw(record.cgroup);
}

}  // namespace ocirt::container
