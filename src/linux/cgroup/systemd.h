// Cgroups that systemd makes on our behalf (--systemd-cgroup). Where systemd is the first process
// it owns the tree: what it does not know of it may move, re-limit or remove. So the container
// becomes a transient unit of it, a scope with delegation, and its limits are properties of the
// unit too, since a `systemctl daemon-reload` writes those again. Everything else (limits that
// systemd has no words for, freezing, killing) is done in the file system as for any other cgroup.
//
// The bus is spoken by a program of its own, ocirt-systemd (src/systemd/), which is run for such
// containers only: once by create, update and delete.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/map.h"
#include "src/linux/cgroup/cgroup.h"

namespace ocirt::cgroup {

// Whose systemd: the host's, or that of the user who runs ocirt without being root.
enum class Bus : uint8_t { system, user };

// A unit of systemd that a container lives in. A plain value, kept in the container's record.
struct Unit {
  std::string name;   // "ocirt-c1.scope", or a slice
  std::string slice;  // the slice that it is in: "system.slice"
  Bus bus = Bus::system;
  bool is_slice() const { return name.ends_with(".slice"); }
  bool operator==(const Unit&) const = default;
};

// linux.cgroupsPath in its form for systemd, "SLICE:PREFIX:NAME": the scope PREFIX-NAME.scope in
// SLICE, or the slice NAME when NAME ends with ".slice". Absent or empty: the scope ocirt-ID.scope.
// No SLICE: system.slice, for the user's systemd user.slice. Pure.
Result<Unit> parse_unit(const std::optional<std::string>& cgroups_path, std::string_view id,
                        Bus bus);

// The cgroup of a slice below systemd's own: "a-b.slice" is "/a.slice/a-b.slice", "-.slice" is "/".
Result<std::string> expand_slice(std::string_view slice);

// Where the unit's cgroups are; `root` is the cgroup below which that systemd makes units ("/" for
// the host's). Pure.
Result<Location> locate_unit(const Host& host, const Unit& unit, std::string_view root);

// One property of a unit, with its value as src/systemd/fields.h describes it.
struct Property {
  std::string name;
  std::string signature;
  std::vector<std::string> values;
  bool operator==(const Property&) const = default;
};
std::string to_fields(const std::vector<Property>& properties);

// What makes the unit what it is, without limits. `description` is for people.
std::vector<Property> unit_properties(const Unit& unit, Layout layout,
                                      std::string_view description);

// linux.resources as properties. `now` is the cgroup as it is (an update), or empty. Errors are
// those of apply().
Result<std::vector<Property>> limit_properties(Layout layout, const oci::Resources& resources,
                                               const Location& now);

// The device rules as DevicePolicy and DeviceAllow. `proc_devices` is the text of /proc/devices:
// systemd knows all devices of one major number by the name of their driver only. What it has no
// words for makes it allow everything; ocirt's own rules hold all the same.
Result<std::vector<Property>> device_properties(const std::vector<oci::DeviceCgroup>& devices,
                                                std::string_view proc_devices);

// The annotations "org.systemd.property.NAME" as properties, their values in the text format of
// GVariant ("uint64 5", "'text'", "['a', 'b']"). "NAMESec" becomes "NAMEUSec", its number
// microseconds, as in unit files. Pure.
Result<std::vector<Property>> annotation_properties(const oci::Map<std::string>& annotations);

// ---- what follows runs ocirt-systemd
// ---------------------------------------------------------------

// An error when systemd does not run here or ocirt-systemd is not installed; nothing is asked of
// it.
Result<> check_systemd(Bus bus);
// Whether ocirt-systemd is there, for `features`.
bool has_systemd_helper();
// Which systemd is ours, and the cgroup below which it makes units (one question to the user's).
Bus own_bus();
Result<std::string> unit_root(Bus bus);

// Starts the unit and waits until it is there, at most 30 s.
Result<> start_unit(const Unit& unit, const std::vector<Property>& properties);
Result<> change_unit(const Unit& unit, const std::vector<Property>& properties);
// Moves a process into the unit's cgroup, or one below it ("/payload"): for a user, who may not
// write into cgroup.procs when the process comes from a session or from another service.
Result<> attach_to_unit(const Unit& unit, std::string_view below, pid_t pid);
// Stops the unit, which kills what is left in it, and waits. One that has gone is no error.
Result<> stop_unit(const Unit& unit);

}  // namespace ocirt::cgroup
