#include "src/container/draft_user.h"

#include <linux/sched.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/linux/namespaces.h"

namespace ocirt::container {
namespace {

constexpr size_t kMostRanges = 340;  // user_namespaces(7), since Linux 4.15

const oci::Namespace* namespace_of(const oci::Linux& linux, oci::NamespaceType type) {
  for (const oci::Namespace& ns : linux.namespaces) {
    if (ns.type == type) return &ns;
  }
  return nullptr;
}

Result<> check_mapped(const std::vector<oci::IdMapping>& mappings, std::string_view property,
                      std::string_view field, uint32_t id) {
  if (mappings.empty() || host_id(mappings, id)) return {};  // empty: joined, the kernel knows
  return refuse(cat(field, ": ", id, " is not mapped in the user namespace (", property, ")"));
}

Result<> check_user(const UserNamespace& user, const oci::Process& process) {
  TRY(check_mapped(user.uids, "linux.uidMappings", "process.user.uid", process.user.uid));
  TRY(check_mapped(user.gids, "linux.gidMappings", "process.user.gid", process.user.gid));
  for (uint32_t gid : process.user.additional_gids) {
    TRY(check_mapped(user.gids, "linux.gidMappings", "process.user.additionalGids", gid));
  }
  return {};
}

Result<> check_mappings(const std::vector<oci::IdMapping>& mappings, std::string_view property) {
  if (mappings.empty()) return refuse(cat(property, ": a new user namespace needs them"));
  if (mappings.size() > kMostRanges) {
    return refuse(cat(property, ": the kernel takes at most ", kMostRanges, " ranges, found ",
                      mappings.size()));
  }
  if (!host_id(mappings, 0)) {
    return refuse(cat(property, ": 0 must be mapped: who sets the container up is that inside"));
  }
  return {};
}

// What belongs to the host cannot be mounted inside; the kernel's own words are a bare EPERM or
// EINVAL.
Result<> check_mounts(const oci::Spec& spec, const UserNamespace& user) {
  for (size_t i = 0; i < spec.mounts.size(); ++i) {
    const oci::Mount& mount = spec.mounts[i];
    const std::string place = cat("mounts[", i, "] (", mount.destination, ")");
    const std::string type = mount.type.value_or("");
    if (type == "mqueue" && namespace_of(*spec.linux, oci::NamespaceType::kIpc) == nullptr) {
      return refuse(cat(place, ": with a user namespace mqueue needs an ipc namespace; without ",
                        "one, bind /dev/mqueue"));
    }
    if (type != "devpts" && type != "tmpfs") continue;
    for (std::string_view option : mount.options) {
      for (auto [prefix, mappings] :
           {std::pair{"uid=", &user.uids}, std::pair{"gid=", &user.gids}}) {
        if (!option.starts_with(prefix) || mappings->empty()) continue;
        auto id = to_number<uint32_t>(option.substr(4));
        if (!id || host_id(*mappings, *id)) continue;
        return refuse(cat(place, ": option ", option, ": ", *id, " is not mapped in the user ",
                          "namespace, leave the option out or map it"));
      }
    }
  }
  return {};
}

// Only a container that sees its cgroup as the top and may write there can make use of it.
bool manages_cgroups(const oci::Spec& spec) {
  const oci::Namespace* ns = namespace_of(*spec.linux, oci::NamespaceType::kCgroup);
  if (ns == nullptr || (ns->path && !ns->path->empty())) return false;
  for (const oci::Mount& mount : spec.mounts) {
    if (mount.destination != "/sys/fs/cgroup" || !mount.type.value_or("").starts_with("cgroup"))
      continue;
    return std::find(mount.options.begin(), mount.options.end(), "ro") == mount.options.end();
  }
  return false;
}

Result<> check_rootless(const Draft& draft) {
  if (!draft.user) {
    return refuse(
        "linux.namespaces: an ordinary user needs one of type \"user\", with linux.uidMappings and "
        "linux.gidMappings (`ocirt spec --rootless` writes such a configuration)");
  }
  return {};
}

}  // namespace

std::optional<uint32_t> host_id(const std::vector<oci::IdMapping>& mappings, uint32_t id) {
  for (const oci::IdMapping& one : mappings) {
    if (id >= one.container_id && id - one.container_id < one.size)
      return one.host_id + (id - one.container_id);
  }
  return std::nullopt;
}

bool is_own_id(const std::vector<oci::IdMapping>& mappings, uint32_t own) {
  return mappings.size() == 1 && mappings[0].size == 1 && mappings[0].host_id == own;
}

void draft_clock_offsets(plan::Builder& builder, const oci::Linux& linux) {
  if (!linux.time_offsets) return;
  std::string lines;
  auto add = [&](std::string_view clock, const std::optional<oci::TimeOffset>& offset) {
    if (!offset) return;
    lines += cat(clock, " ", offset->secs.value_or(0), " ", offset->nanosecs.value_or(0), "\n");
  };
  add("monotonic", linux.time_offsets->monotonic);
  add("boottime", linux.time_offsets->boottime);
  if (!lines.empty()) builder.plan.clock_offsets = builder.text(lines);
}

Result<> draft_user_namespace(Draft& draft, const DraftInput& input) {
  const oci::Spec& spec = *input.spec;
  plan::Plan& plan = draft.builder.plan;
  const oci::Namespace* ns = namespace_of(*spec.linux, oci::NamespaceType::kUser);
  const bool joined = std::any_of(draft.shared.begin(), draft.shared.end(),
                                  [](const auto& one) { return one.flag == CLONE_NEWUSER; });
  if (ns != nullptr && (joined || !ns->path || ns->path->empty())) {
    draft.user =
        UserNamespace{!joined, input.rootless, spec.linux->uid_mappings, spec.linux->gid_mappings};
  }
  if (input.rootless) TRY(check_rootless(draft));
  if (!draft.user) return {};
  const UserNamespace& user = *draft.user;
  if (user.is_new) {
    TRY(check_mappings(user.uids, "linux.uidMappings"));
    TRY(check_mappings(user.gids, "linux.gidMappings"));
  }
  TRY(check_user(user, *spec.process));
  TRY(check_mounts(spec, user));
  if (!input.rootless && manages_cgroups(spec)) draft.user->cgroup_owner = host_id(user.uids, 0);
  if (user.is_new && input.rootless && is_own_id(user.gids, input.own_gid) &&
      !spec.process->user.additional_gids.empty()) {
    return refuse(
        "process.user.additionalGids: with its own group alone mapped, an ordinary user cannot set "
        "groups; map a range (linux.gidMappings)");
  }
  // By init, in this one call, so that it owns them.
  plan.unshare |= static_cast<uint32_t>(draft.new_namespaces);
  draft.new_namespaces = 0;
  plan.user.entered = plan.user.settles = true;
  plan.user.join_first = plan.user.traceable = input.rootless;
  plan.user.forks = (plan.unshare & CLONE_NEWPID) != 0;
  if (!input.rootless) {
    plan.user.root_uid = host_id(user.uids, 0).value_or(plan::kNoIndex);
    plan.user.root_gid = host_id(user.gids, 0).value_or(plan::kNoIndex);
    plan.user.stream_owner = host_id(user.uids, spec.process->user.uid).value_or(plan::kNoIndex);
  }
  return {};
}

Result<> draft_exec_user(Draft& draft, const ExecSettings& settings, bool rootless) {
  const UserNamespace user{false, rootless, settings.uid_mappings, settings.gid_mappings};
  const oci::Process& process = settings.process;
  TRY(check_user(user, process));
  plan::Plan& plan = draft.builder.plan;
  plan.user.entered = true;
  if (!rootless) {
    plan.user.stream_owner = host_id(user.uids, process.user.uid).value_or(plan::kNoIndex);
  }
  return {};
}

}  // namespace ocirt::container
