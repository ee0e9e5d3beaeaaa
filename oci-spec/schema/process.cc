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
    OCI_FIELD(ConsoleSize, height, "height", kRequired),
    OCI_FIELD(ConsoleSize, width, "width", kRequired),
};

// 4294967295 is no id: for setresuid(2) and chown(2) it means "leave as it is", and that is root.
constexpr Rules kId{.maximum = 4294967294};

constexpr Field kUser[] = {
    OCI_FIELD(User, uid, "uid", kId),
    OCI_FIELD(User, gid, "gid", kId),
    OCI_FIELD(User, umask, "umask"),
    OCI_FIELD(User, additional_gids, "additionalGids", kId),
};

constexpr Field kCapabilities[] = {
    OCI_FIELD(Capabilities, bounding, "bounding"),
    OCI_FIELD(Capabilities, effective, "effective"),
    OCI_FIELD(Capabilities, inheritable, "inheritable"),
    OCI_FIELD(Capabilities, permitted, "permitted"),
    OCI_FIELD(Capabilities, ambient, "ambient"),
};

constexpr Field kRlimit[] = {
    OCI_FIELD(Rlimit, type, "type", {.required = true, .pattern = &kRlimitName}),
    OCI_FIELD(Rlimit, hard, "hard", kRequired),
    OCI_FIELD(Rlimit, soft, "soft", kRequired),
};

constexpr Field kIoPriority[] = {
    OCI_FIELD(IoPriority, class_, "class", kRequired),
    OCI_FIELD(IoPriority, priority, "priority"),
};

constexpr Field kScheduler[] = {
    OCI_FIELD(Scheduler, policy, "policy", kRequired),
    OCI_FIELD(Scheduler, nice, "nice"),
    OCI_FIELD(Scheduler, priority, "priority"),
    OCI_FIELD(Scheduler, flags, "flags"),
    OCI_FIELD(Scheduler, runtime, "runtime"),
    OCI_FIELD(Scheduler, deadline, "deadline"),
    OCI_FIELD(Scheduler, period, "period"),
};

constexpr Field kExecCpuAffinity[] = {
    OCI_FIELD(ExecCpuAffinity, initial, "initial", {.pattern = &kCpuList}),
    OCI_FIELD(ExecCpuAffinity, final, "final", {.pattern = &kCpuList}),
};

constexpr Field kProcess[] = {
    OCI_FIELD(Process, terminal, "terminal"),
    OCI_FIELD(Process, console_size, "consoleSize"),
    OCI_FIELD(Process, user, "user"),
    OCI_FIELD(Process, args, "args"),
    OCI_FIELD(Process, env, "env"),
    OCI_FIELD(Process, cwd, "cwd", kRequired),
    OCI_FIELD(Process, capabilities, "capabilities"),
    OCI_FIELD(Process, rlimits, "rlimits"),
    OCI_FIELD(Process, no_new_privileges, "noNewPrivileges"),
    OCI_FIELD(Process, apparmor_profile, "apparmorProfile"),
    OCI_FIELD(Process, oom_score_adj, "oomScoreAdj"),
    OCI_FIELD(Process, scheduler, "scheduler"),
    OCI_FIELD(Process, selinux_label, "selinuxLabel"),
    OCI_FIELD(Process, io_priority, "ioPriority"),
    OCI_FIELD(Process, exec_cpu_affinity, "execCPUAffinity"),
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
