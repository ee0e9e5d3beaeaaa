// Rows of `process` (config-schema.json). Windows' commandLine and user.username are left out.
#include "oci-spec/schema/schema.h"

namespace oci::schema {
namespace {

constexpr bool is_rlimit_name(std::string_view text) {
  constexpr std::string_view kPrefix = "RLIMIT_";
  if (!text.starts_with(kPrefix) || text.size() == kPrefix.size()) return false;
  text.remove_prefix(kPrefix.size());
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

constexpr bool is_cpu_list(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == ',' || c == ' ' || c == '-';
  });
}

constexpr Pattern kRlimitName{"^RLIMIT_[A-Z]+$", "a resource limit such as RLIMIT_NOFILE",
                              is_rlimit_name};
constexpr Pattern kCpuList{"^[0-9, -]*$", "a list of CPUs such as 0-3,7", is_cpu_list};

constexpr Field kConsoleSize[] = {
    field<&ConsoleSize::height>("height", kRequired),
    field<&ConsoleSize::width>("width", kRequired),
};

// 4294967295 is no id: for setresuid(2) and chown(2) it means "leave as it is", and that is root.
constexpr Rules kId{.maximum = 4294967294};

constexpr Field kUser[] = {
    field<&User::uid>("uid", kId),
    field<&User::gid>("gid", kId),
    field<&User::umask>("umask"),
    field<&User::additional_gids>("additionalGids", kId),
};

constexpr Field kCapabilities[] = {
    field<&Capabilities::bounding>("bounding"),       field<&Capabilities::effective>("effective"),
    field<&Capabilities::inheritable>("inheritable"), field<&Capabilities::permitted>("permitted"),
    field<&Capabilities::ambient>("ambient"),
};

constexpr Field kRlimit[] = {
    field<&Rlimit::type>("type", {.required = true, .pattern = &kRlimitName}),
    field<&Rlimit::hard>("hard", kRequired),
    field<&Rlimit::soft>("soft", kRequired),
};

constexpr Field kIoPriority[] = {
    field<&IoPriority::class_>("class", kRequired),
    field<&IoPriority::priority>("priority"),
};

constexpr Field kScheduler[] = {
    field<&Scheduler::policy>("policy", kRequired),
    field<&Scheduler::nice>("nice"),
    field<&Scheduler::priority>("priority"),
    field<&Scheduler::flags>("flags"),
    field<&Scheduler::runtime>("runtime"),
    field<&Scheduler::deadline>("deadline"),
    field<&Scheduler::period>("period"),
};

constexpr Field kExecCpuAffinity[] = {
    field<&ExecCpuAffinity::initial>("initial", {.pattern = &kCpuList}),
    field<&ExecCpuAffinity::final>("final", {.pattern = &kCpuList}),
};

constexpr Field kProcess[] = {
    field<&Process::terminal>("terminal"),
    field<&Process::console_size>("consoleSize"),
    field<&Process::user>("user"),
    field<&Process::args>("args"),
    field<&Process::env>("env"),
    field<&Process::cwd>("cwd", kRequired),
    field<&Process::capabilities>("capabilities"),
    field<&Process::rlimits>("rlimits"),
    field<&Process::no_new_privileges>("noNewPrivileges"),
    field<&Process::apparmor_profile>("apparmorProfile"),
    field<&Process::oom_score_adj>("oomScoreAdj"),
    field<&Process::scheduler>("scheduler"),
    field<&Process::selinux_label>("selinuxLabel"),
    field<&Process::io_priority>("ioPriority"),
    field<&Process::exec_cpu_affinity>("execCPUAffinity"),
};

}  // namespace

template <>
constinit const Type Object<ConsoleSize>::type = object(kConsoleSize);
template <>
constinit const Type Object<User>::type = object(kUser);
template <>
constinit const Type Object<Capabilities>::type = object(kCapabilities);
template <>
constinit const Type Object<Rlimit>::type = object(kRlimit);
template <>
constinit const Type Object<IoPriority>::type = object(kIoPriority);
template <>
constinit const Type Object<Scheduler>::type = object(kScheduler);
template <>
constinit const Type Object<ExecCpuAffinity>::type = object(kExecCpuAffinity);
template <>
constinit const Type Object<Process>::type = object(kProcess);

}  // namespace oci::schema
