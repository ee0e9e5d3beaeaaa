#include "src/container/update.h"

#include <cerrno>

#include "src/base/text.h"
#include "src/container/bundle.h"
#include "src/container/status.h"
#include "src/container/unit.h"

namespace ocirt::container {

Result<> update(const Store& store, const std::string& id, const oci::Resources& wanted,
                LimitsOf origin, const std::vector<std::string>& schemata) {
  Directory directory = TRY(store.find(id, Store::Lock::exclusive));
  Record record = TRY(directory.read());
  if (record.pid == 0) return refuse(cat("container ", id, " is still being created"));
  UniqueFd init = TRY(open_init(record));
  if (!init.valid()) return std::unexpected(Error{ESRCH, "container not running"});
  if (!schemata.empty()) {
    if (!record.resctrl) {
      return refuse(
          cat("container ", id,
              " has no class of resctrl: only linux.intelRdt of its config.json makes one"));
    }
    TRY(within("linux.intelRdt", resctrl::configure(*record.resctrl, schemata)));
  }
  if (!schemata.empty() && wanted == oci::Resources{}) return {};
  if (record.cgroup.directories.empty()) {
    return refuse("not supported: limits for a container without a cgroup");
  }
  oci::Resources resources = wanted;
  // Engines send what they have created it with, and one value changed.
  if (origin == LimitsOf::document) drop_pids_limit_of_old(record.oci_version, resources);
  TRY(update_unit(record, resources));
  return cgroup::apply(record.cgroup, resources, true);
}

}  // namespace ocirt::container
