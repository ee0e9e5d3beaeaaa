// Names of units and where their cgroups are (systemd.slice(5), systemd.unit(5), "Slice naming").
#include "src/base/text.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/linux/cgroup/systemd.h"

namespace ocirt::cgroup {
namespace {

constexpr size_t kMostName = 255;  // of a unit, and of a directory

bool is_name_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || std::string_view(":-_.\\@").contains(byte);
}

Result<> check_name(std::string_view name, std::string_view given) {
  for (char byte : name) {
    if (!is_name_byte(byte)) {
      return refuse(
          cat("linux.cgroupsPath: ", quoted(given), ": ", quoted(name),
              " cannot be the name of a systemd unit: it has letters, digits and :-_.\\@"));
    }
  }
  if (name.size() <= kMostName) return {};
  return refuse(cat("linux.cgroupsPath: ", quoted(given),
                    ": the name of a systemd unit has at most ", kMostName, " characters"));
}

// An id, which engines make the name, may have a "+", which units cannot (systemd.unit(5), "String
// Escaping for Inclusion").
std::string escaped(std::string_view id) {
  std::string out;
  for (char byte : id) out += byte == '+' ? std::string("\\x2b") : std::string(1, byte);
  return out;
}

// The directory of a unit: systemd puts "_" before names that could be taken for files of the
// kernel.
std::string directory_name(std::string_view unit) {
  bool confusing = unit.starts_with('_') || unit.starts_with('.');
  for (std::string_view prefix :
       {"cgroup.", "cpu.", "cpuacct.", "cpuset.", "io.", "blkio.", "memory.", "devices.", "pids.",
        "bpf-devices.", "bpf-firewall.", "bpf-foreign.", "bpf-socket-bind."}) {
    confusing = confusing || unit.starts_with(prefix);
  }
  return cat(confusing ? "_" : "", unit);
}

}  // namespace

Result<Unit> parse_unit(const std::optional<std::string>& cgroups_path, std::string_view id,
                        Bus bus) {
  Unit unit;
  unit.bus = bus;
  unit.slice = bus == Bus::user ? "user.slice" : "system.slice";
  if (!cgroups_path || cgroups_path->empty()) {
    unit.name = cat("ocirt-", escaped(id), ".scope");
    TRY(check_name(unit.name, unit.name));
    return unit;
  }
  const std::string& given = *cgroups_path;
  const std::vector<std::string_view> parts = split(given, ':');
  if (parts.size() != 3 || parts[2].empty()) {
    return refuse(cat("linux.cgroupsPath: expected \"SLICE:PREFIX:NAME\" for cgroups by systemd, ",
                      "found ", quoted(given), "; or leave --systemd-cgroup out"));
  }
  if (!parts[0].empty()) unit.slice = parts[0];
  if (parts[2].ends_with(".slice")) {
    unit.name = parts[2];
    TRY(within("linux.cgroupsPath", expand_slice(unit.name)));
  } else {
    unit.name = escaped(parts[1].empty() ? cat(parts[2], ".scope")
                                         : cat(parts[1], '-', parts[2], ".scope"));
  }
  TRY(check_name(unit.name, given));
  TRY(check_name(unit.slice, given));
  TRY(within("linux.cgroupsPath", expand_slice(unit.slice)));
  if (unit.is_slice() && unit.name == "-.slice") {
    return refuse(cat("linux.cgroupsPath: ", quoted(given),
                      " is the slice of everything, which no container can be"));
  }
  return unit;
}

Result<std::string> expand_slice(std::string_view slice) {
  constexpr std::string_view kSuffix = ".slice";
  if (!slice.ends_with(kSuffix) || slice.size() == kSuffix.size() || slice.contains('/')) {
    return refuse(cat(quoted(slice), " is not the name of a slice, as in \"machine.slice\""));
  }
  const std::string_view stem = slice.substr(0, slice.size() - kSuffix.size());
  if (stem == "-") return std::string("/");
  std::string path, prefix;
  for (std::string_view part : split(stem, '-')) {
    if (part.empty()) {
      return refuse(cat(quoted(slice), " is not the name of a slice: a \"-\" stands between two ",
                        "names, as in \"a-b.slice\""));
    }
    prefix += part;
    path += cat('/', directory_name(cat(prefix, kSuffix)));
    prefix += '-';
  }
  return path;
}

Result<Location> locate_unit(const Host& host, const Unit& unit, std::string_view root) {
  // A slice's place follows from its own name.
  std::string inner = TRY(expand_slice(unit.is_slice() ? unit.name : unit.slice));
  if (!unit.is_slice()) inner = join(inner, directory_name(unit.name));
  inner = join(root, inner);
  if (!inner.starts_with('/')) inner.insert(0, "/");
  Location location;
  location.layout = host.layout;
  for (const Hierarchy& hierarchy : host.hierarchies) {
    location.directories.push_back({hierarchy.controllers, join(hierarchy.mount_point, inner)});
  }
  return location;
}

}  // namespace ocirt::cgroup
