#include "src/container/update.h"

#include <cerrno>

#include "src/base/text.h"
#include "src/container/status.h"
#include "src/container/unit.h"

namespace ocirt::container {

Result<> update(const Store& store, const std::string& id, const oci::Resources& resources) {
  Directory directory = TRY(store.find(id, Store::Lock::exclusive));
  Record record = TRY(directory.read());
  if (record.pid == 0) return refuse(cat("container ", id, " is still being created"));
  UniqueFd init = TRY(open_init(record));
  if (!init.valid()) return std::unexpected(Error{ESRCH, "container not running"});
  if (record.cgroup.directories.empty()) {
    return refuse("not supported: limits for a container without a cgroup");
  }
  TRY(update_unit(record, resources));
  return cgroup::apply(record.cgroup, resources, true);
}

}  // namespace ocirt::container
