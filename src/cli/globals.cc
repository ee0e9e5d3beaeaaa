#include "src/cli/globals.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "src/sys/control_file.h"

namespace ocirt::cli {
namespace {

using container::CgroupManager;
using container::GlobalOptions;
using container::LogFormat;
using container::Rootless;

constexpr Name<LogFormat> kLogFormats[] = {{"json", LogFormat::json}, {"text", LogFormat::text}};
constexpr Name<CgroupManager> kCgroupManagers[] = {{"cgroupfs", CgroupManager::cgroupfs},
                                                   {"disabled", CgroupManager::disabled},
                                                   {"systemd", CgroupManager::systemd}};
constexpr Name<Rootless> kRootless[] = {
    {"auto", Rootless::automatic}, {"false", Rootless::no}, {"true", Rootless::yes}};
static_assert(sorted(kLogFormats) && sorted(kCgroupManagers) && sorted(kRootless));

Result<> set_root(GlobalArguments& arguments, std::string_view text) {
  if (text.empty()) return refuse("expected a directory");
  arguments.root = text;
  arguments.root_given = true;
  return {};
}

constexpr Name<bool> kLogLevels[] = {{"debug", true}, {"error", false}, {"warning", true}};
static_assert(sorted(kLogLevels));

Result<> set_log_level(GlobalArguments& arguments, std::string_view text) {
  std::optional<bool> debug = find(kLogLevels, text);
  if (!debug) return refuse("expected error, warning or debug");
  arguments.debug = *debug;
  return {};
}

constexpr Option kOptions[] = {
    custom<GlobalArguments, set_root>("root", 0, "DIR",
                                      "where the state of containers is (default /run/ocirt)"),
    option<&GlobalOptions::log, GlobalArguments>(
        "log", 0, "FILE", "append errors to this file too, or to syslog:NAME or journald:NAME"),
    choice<&GlobalOptions::log_format, kLogFormats, GlobalArguments>(
        "log-format", 0, "FORMAT", "of the log: text (default) or json"),
    custom<GlobalArguments, set_log_level>("log-level", 0, "LEVEL",
                                           "error (default), or warning or debug: as --debug"),
    option<&GlobalOptions::trace, GlobalArguments>(
        "trace", 0, "FILE", "write a timeline of the command to this file, for ui.perfetto.dev"),
    toggle<&GlobalOptions::debug, GlobalArguments>("debug", 0, "show warnings too"),
    choice<&GlobalOptions::cgroup_manager, kCgroupManagers, GlobalArguments>(
        "cgroup-manager", 0, "NAME",
        "who makes cgroups: cgroupfs (default), systemd, disabled: nobody"),
    toggle<&GlobalOptions::systemd_cgroup, GlobalArguments>(
        "systemd-cgroup", 0, "let systemd make cgroups, like --cgroup-manager systemd"),
    choice<&GlobalOptions::rootless, kRootless, GlobalArguments>(
        "rootless", 0, "WHEN", "for an ordinary user: auto (default), true or false"),
    toggle<&GlobalArguments::version>("version", 'v', "show versions"),
    toggle<&GlobalArguments::version>("V", 'V', ""),  // as crun has it
};

std::string_view runtime_directory() {
  const char* value = ::getenv("XDG_RUNTIME_DIR");
  return value == nullptr ? "" : value;
}

}  // namespace

std::span<const Option> global_options() { return kOptions; }

// podman runs us as root of an ordinary user's namespace. The look at /proc that shows it is taken
// only where XDG_RUNTIME_DIR says that there may be a user: not under daemons of the host.
bool is_root_of_a_user() {
  return !runtime_directory().empty() && ::geteuid() == 0 && sys::in_user_namespace();
}

// A login in a container that is a user namespace says that USER is root: /run is its own there,
// while an ordinary user's is the host's.
std::string default_root() {
  if (runtime_directory().empty()) return "/run/ocirt";
  if (::geteuid() == 0) {
    const char* user = ::getenv("USER");
    const bool at_home = user != nullptr && std::string_view(user) == "root";
    if (at_home || !is_root_of_a_user()) return "/run/ocirt";
  }
  return cat(runtime_directory(), "/ocirt");
}

}  // namespace ocirt::cli
