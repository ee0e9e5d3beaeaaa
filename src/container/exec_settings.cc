#include "src/container/exec_settings.h"

#include <algorithm>
#include <utility>

namespace ocirt::container {
namespace {

template <class T>
void fill(std::optional<T>& to, std::optional<T>& from) {
  if (!to) to = std::move(from);
}

// Engines write every member of their structures: an empty label says nothing.
bool has_text(const std::optional<std::string>& text) { return text && !text->empty(); }

void fill_text(std::optional<std::string>& to, std::optional<std::string>& from) {
  if (!has_text(to)) to = std::move(from);
}

}  // namespace

bool has_exec_settings(const oci::Spec& spec) {
  if (spec.linux && (spec.linux->memory_policy || spec.linux->personality)) return true;
  if (!spec.process) return false;
  const oci::Process& process = *spec.process;
  return process.scheduler || process.io_priority || process.exec_cpu_affinity ||
         has_text(process.apparmor_profile) || has_text(process.selinux_label);
}

bool counts_processes(const ExecSettings& settings) {
  return settings.limits_processes ||
         std::ranges::any_of(settings.process.rlimits,
                             [](const oci::Rlimit& limit) { return limit.type == "RLIMIT_NPROC"; });
}

void inherit(ExecSettings& settings, oci::Spec&& spec) {
  settings.limits_processes = spec.linux && spec.linux->resources && spec.linux->resources->pids &&
                              spec.linux->resources->pids->limit > 0;
  if (spec.linux) {
    settings.memory_policy = std::move(spec.linux->memory_policy);
    settings.personality = std::move(spec.linux->personality);
    settings.uid_mappings = std::move(spec.linux->uid_mappings);
    settings.gid_mappings = std::move(spec.linux->gid_mappings);
  }
  if (!spec.process) return;
  oci::Process& process = settings.process;
  oci::Process& own = *spec.process;
  fill(process.capabilities, own.capabilities);
  if (process.rlimits.empty()) process.rlimits = std::move(own.rlimits);
  fill(process.scheduler, own.scheduler);
  fill(process.io_priority, own.io_priority);
  fill(process.exec_cpu_affinity, own.exec_cpu_affinity);
  fill_text(process.apparmor_profile, own.apparmor_profile);
  fill_text(process.selinux_label, own.selinux_label);
}

}  // namespace ocirt::container
