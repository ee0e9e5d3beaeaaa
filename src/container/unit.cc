#include "src/container/unit.h"

#include <csignal>

#include "src/base/text.h"
#include "src/container/annotations.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::container {
namespace {

// Where the kernel says that a process is, in the tree that systemd keeps: a systemd that runs in a
// part of the tree makes its units elsewhere than was expected, and limits would go astray.
Result<> check_place(const UnitPlan& plan, pid_t pid) {
  const std::string text = TRY(sys::read_file(sys::kCwd, cat("/proc/", pid, "/cgroup")));
  const bool unified = plan.location.layout == cgroup::Layout::unified;
  std::string_view rest = text;
  while (std::optional<std::string_view> line = next_line(rest)) {
    const std::string_view mark = unified ? "0::" : ":name=systemd:";
    const size_t at = line->find(mark);
    if (at == std::string_view::npos || (unified && at != 0)) continue;
    const std::string_view found = line->substr(at + mark.size());
    for (const cgroup::Directory& directory : plan.whole.directories) {
      if (directory.controllers != (unified ? "" : "name=systemd")) continue;
      if (directory.path.ends_with(found)) return {};
      return refuse(cat("systemd unit ", plan.unit.name, ": its cgroup is ", found, ", but ",
                        directory.path, " was expected"));
    }
  }
  return {};
}

}  // namespace

bool by_systemd(const GlobalOptions& global) {
  if (global.cgroup_manager == CgroupManager::disabled) return false;
  return global.systemd_cgroup || global.cgroup_manager == CgroupManager::systemd;
}

void StartedUnit::own(const cgroup::Unit& unit, const cgroup::Location& location) {
  stop();
  unit_ = unit;
  location_ = location;
  owned_ = true;
}

void StartedUnit::stop() {
  if (!owned_) return;
  owned_ = false;
  // Best effort: whoever gives up has an error of his own to report.
  (void)cgroup::stop_unit(unit_);
  (void)cgroup::remove(location_);
}

Result<UnitPlan> plan_unit(const cgroup::Host& host, const oci::Spec& spec, const std::string& id,
                           std::string_view subgroup) {
  const cgroup::Bus bus = cgroup::own_bus();
  TRY(cgroup::check_systemd(bus));
  UnitPlan plan;
  plan.unit = TRY(cgroup::parse_unit(spec.linux->cgroups_path, id, bus));
  const std::string root = TRY(cgroup::unit_root(bus));
  plan.whole = plan.location = TRY(cgroup::locate_unit(host, plan.unit, root));
  if (!subgroup.empty()) {
    for (cgroup::Directory& directory : plan.location.directories) {
      directory.path += cat("/", subgroup);
    }
  }
  plan.resources = spec.linux->resources.value_or(oci::Resources());

  plan.properties = cgroup::unit_properties(plan.unit, host.layout, cat("ocirt container ", id));
  auto add = [&](std::vector<cgroup::Property> more) {
    for (cgroup::Property& property : more) plan.properties.push_back(std::move(property));
  };
  add(TRY(cgroup::limit_properties(host.layout, plan.resources, {})));
  const std::string devices = sys::read_file(sys::kCwd, "/proc/devices").value_or(std::string());
  add(TRY(cgroup::device_properties(plan.resources.devices, devices)));
  add(TRY(cgroup::annotation_properties(spec.annotations)));  // the last word is the engine's
  return plan;
}

Result<> place_in_unit(const UnitPlan& plan, pid_t pid, StartedUnit& started) {
  std::vector<cgroup::Property> properties = plan.properties;
  if (!plan.unit.is_slice()) properties.push_back({"PIDs", "au", {"1", cat(pid)}});
  started.stop();  // of an attempt before this one
  // One of this name that was there before is somebody else's, and stays as it is.
  TRY(cgroup::check_not_frozen(plan.whole));
  TRY(cgroup::start_unit(plan.unit, properties));
  started.own(plan.unit, plan.whole);
  if (!plan.unit.is_slice()) TRY(check_place(plan, pid));
  const bool unified = plan.location.layout == cgroup::Layout::unified;
  const bool below = plan.location != plan.whole;
  if (unified && below) {
    // Controllers are handed down only by a cgroup without processes: it moves first.
    const std::string& path = plan.location.directories.front().path;
    TRY(sys::mkdir_parents(path, 0755));
    TRY(sys::write_control(sys::kCwd, cat(path, "/cgroup.procs"), cat(pid)));
  }
  TRY(cgroup::make_missing(plan.location));
  cgroup::Entrance entrance = TRY(cgroup::open_entrance(plan.location));
  // systemd puts a process into the hierarchies that it uses, and none into a slice.
  const bool inside = unified && (below || !plan.unit.is_slice());
  if (!inside) TRY(cgroup::enter(entrance, pid));
  TRY(cgroup::apply(plan.location, plan.resources, false));
  TRY(cgroup::check_not_frozen(plan.location));
  return plan.owner ? cgroup::delegate(plan.location, *plan.owner) : Result<>();
}

cgroup::Location whole_cgroup(const Record& record) {
  cgroup::Location whole = record.cgroup;
  Result<Annotations> annotations = read_annotations(record.annotations);
  if (!record.unit || !annotations) return whole;
  const std::string below = cat("/", annotations->systemd_subgroup);
  for (cgroup::Directory& directory : whole.directories) {
    if (below.size() > 1 && directory.path.ends_with(below))
      directory.path.resize(directory.path.size() - below.size());
  }
  return whole;
}

std::optional<UnitEntrance> unit_entrance(const Record& record, const cgroup::Location* location) {
  if (!record.unit || record.unit->bus != cgroup::Bus::user) return std::nullopt;
  UnitEntrance entrance{*record.unit, ""};
  const std::string whole = whole_cgroup(record).directories.front().path;
  std::string inner;
  if (location != nullptr) {
    inner = location->directories.front().path;
  } else if (Result<std::string> text =
                 sys::read_file(sys::kCwd, cat("/proc/", record.pid, "/cgroup"));
             text && text->starts_with("0::/")) {
    inner = cat("/sys/fs/cgroup", std::string_view(*text).substr(3, text->find('\n') - 3));
  }
  if (inner.starts_with(cat(whole, "/"))) entrance.below = inner.substr(whole.size());
  return entrance;
}

Result<> end_unit(const Record& record) {
  if (!record.unit) return {};
  // systemd would ask politely first and wait; here everybody is to go.
  (void)cgroup::signal_all(record.cgroup, SIGKILL);
  return cgroup::stop_unit(*record.unit);
}

Result<> update_unit(const Record& record, const oci::Resources& resources) {
  if (!record.unit) return {};
  std::vector<cgroup::Property> properties =
      TRY(cgroup::limit_properties(record.cgroup.layout, resources, record.cgroup));
  return cgroup::change_unit(*record.unit, properties);
}

}  // namespace ocirt::container
