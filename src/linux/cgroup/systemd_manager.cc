// Runs ocirt-systemd and understands its answer. See src/systemd/main.cc for the other side.
#include "src/base/text.h"
#include "src/linux/cgroup/systemd.h"
#include "src/sys/companion.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::cgroup {
namespace {

constexpr std::string_view kHelper = "ocirt-systemd";

Result<std::string> helper_path() {
  Result<std::string> path = sys::find_companion(kHelper);
  if (path) return path;
  return refuse(cat("not supported: cgroups by systemd: ", path.error().text));
}

std::string_view name_of(Bus bus) { return bus == Bus::user ? "user" : "system"; }

// One run of the helper; the text behind "ok".
Result<std::string> ask(std::string_view verb, Bus bus, const std::string& unit,
                        const std::string& more) {
  const std::string path = TRY(helper_path());
  const std::string request = cat(verb, '\0', name_of(bus), '\0', unit, '\0', more);
  // It gives systemd 30 seconds and says so by itself.
  constexpr int kTimeoutMs = 40'000;
  return sys::ask_companion({.path = path, .request = request, .timeout_ms = kTimeoutMs});
}

Result<> tell(std::string_view verb, const Unit& unit, const std::string& more) {
  Result<std::string> done = ask(verb, unit.bus, unit.name, more);
  if (done) return {};
  return refuse(cat("systemd unit ", unit.name, ": ", done.error().text));
}

}  // namespace

Result<> check_systemd(Bus bus) {
  TRY(helper_path());
  // sd_booted(3)
  if (bus == Bus::user || sys::is_directory(sys::kCwd, "/run/systemd/system")) return {};
  return refuse(
      "not supported: cgroups by systemd, which does not run on this host (there is no "
      "/run/systemd/system); leave --systemd-cgroup out");
}

bool has_systemd_helper() { return helper_path().has_value(); }

Bus own_bus() {
  return sys::effective_uid() == 0 && !sys::in_user_namespace() ? Bus::system : Bus::user;
}

Result<std::string> unit_root(Bus bus) {
  if (bus == Bus::system) return std::string("/");
  return within("systemd", ask("root", bus, "-", {}));
}

Result<> start_unit(const Unit& unit, const std::vector<Property>& properties) {
  return tell("start", unit, to_fields(properties));
}
Result<> change_unit(const Unit& unit, const std::vector<Property>& properties) {
  return properties.empty() ? Result<>() : tell("set", unit, to_fields(properties));
}
Result<> attach_to_unit(const Unit& unit, std::string_view below, pid_t pid) {
  return tell("attach", unit, cat(below, '\0', pid, '\0'));
}
Result<> stop_unit(const Unit& unit) { return tell("stop", unit, {}); }

}  // namespace ocirt::cgroup
