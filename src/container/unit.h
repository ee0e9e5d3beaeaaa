// The container whose cgroup is a unit of systemd: what is decided before anything is made, and how
// its first process gets in. A scope cannot be made empty and entered afterwards, so the order is
// another one than with cgroups of our own: the process is there first and waits at a gate
// (sys/spawn.h), systemd makes the unit around it, ocirt writes what systemd left out, and the gate
// opens.
#pragma once

#include "oci-spec/spec.h"
#include "src/container/options.h"
#include "src/container/record.h"
#include "src/linux/cgroup/systemd.h"

namespace ocirt::container {

bool by_systemd(const GlobalOptions& global);

// A unit that was started and is stopped again, with who is in it, unless it is kept.
class [[nodiscard]] StartedUnit {
 public:
  StartedUnit() = default;
  StartedUnit(StartedUnit&& other) noexcept
      : unit_(std::move(other.unit_)), location_(std::move(other.location_)), owned_(other.owned_) {
    other.owned_ = false;
  }
  StartedUnit& operator=(StartedUnit&&) = delete;
  ~StartedUnit() { stop(); }
  void own(const cgroup::Unit& unit, const cgroup::Location& location);
  void stop();
  void commit() { owned_ = false; }

 private:
  cgroup::Unit unit_;
  cgroup::Location location_;
  bool owned_ = false;
};

// Everything that is decided of a unit.
struct UnitPlan {
  cgroup::Unit unit;
  cgroup::Location whole;                    // the unit's
  cgroup::Location location;                 // the container's: the same, or below it
  std::vector<cgroup::Property> properties;  // all but PIDs
  oci::Resources resources;
  std::optional<uint32_t> owner;  // to whom the container's cgroup is given (cgroup::delegate())
};
// `subgroup`: of the annotation run.oci.systemd.subgroup; empty: none.
Result<UnitPlan> plan_unit(const cgroup::Host& host, const oci::Spec& spec, const std::string& id,
                           std::string_view subgroup);

// A container's cgroup with those above it that are its too, which go at its end.
cgroup::Location whole_cgroup(const Record& record);

// Makes the unit around a process that waits, and puts the limits in force.
Result<> place_in_unit(const UnitPlan& plan, pid_t pid, StartedUnit& started);

// The way into a container's unit for a process of `exec` that its user may not move there.
struct UnitEntrance {
  cgroup::Unit unit;
  std::string below;  // the cgroup, seen from the unit's: "/payload"; empty: the unit's own
};
// Into `location`, which is the container's cgroup or one below it; without one, to where its first
// process is. Nothing when it is not in a unit of a user's systemd.
std::optional<UnitEntrance> unit_entrance(const Record& record, const cgroup::Location* location);

// The end of a container's unit, when nobody is in it that should go on; its directories stay.
Result<> end_unit(const Record& record);
// New limits for the unit of a container, before they are written into its cgroup.
Result<> update_unit(const Record& record, const oci::Resources& resources);

}  // namespace ocirt::container
