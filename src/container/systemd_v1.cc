#include "src/container/systemd_v1.h"

#include <utility>

#include "src/base/text.h"

namespace ocirt::container {
namespace {

constexpr std::string_view kControllers = "name=systemd";
constexpr std::string_view kWhere = "annotations: run.oci.systemd.force_cgroup_v1";

}  // namespace

Result<std::optional<V1ForSystemd>> find_v1_for_systemd(const Annotations& annotations,
                                                        const cgroup::Host& host,
                                                        const cgroup::Location& location) {
  if (annotations.systemd_v1.empty()) return std::nullopt;
  if (location.directories.empty()) {
    return refuse(cat("not supported: ", kWhere, ": the container has no cgroup"));
  }
  if (host.layout == cgroup::Layout::unified) {
    V1ForSystemd found;
    found.hierarchy = TRY(within(kWhere, cgroup::probe_v1_for_systemd()));
    // The same place as in v2.
    std::string_view inner = location.directories.front().path;
    inner.remove_prefix(host.hierarchies.front().mount_point.size());
    found.directory = {std::string(kControllers), cat(found.hierarchy.mount_point, inner)};
    found.beside_v2 = true;
    return found;
  }
  for (size_t i = 0; i < host.hierarchies.size() && i < location.directories.size(); ++i) {
    if (host.hierarchies[i].controllers != kControllers) continue;
    return V1ForSystemd{host.hierarchies[i], location.directories[i], false};
  }
  return refuse(cat("not supported: ", kWhere, ": this host has no v1 hierarchy for systemd"));
}

cgroup::Location v1_for_systemd(const std::string& path) {
  if (path.empty()) return {};
  return {cgroup::Layout::legacy, {{std::string(kControllers), path}}};
}

Result<> add_entrance(cgroup::Entrance& entrance, const cgroup::Location& location) {
  cgroup::Entrance more = TRY(within(kWhere, cgroup::open_entrance(location)));
  for (UniqueFd& procs : more.procs) entrance.procs.push_back(std::move(procs));
  return {};
}

}  // namespace ocirt::container
