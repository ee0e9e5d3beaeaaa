// config.json's `process`, or the document of `exec --process`, as a plan (config.md, "Process").
#include "src/base/repeats.h"
#include "src/base/text.h"
#include "src/container/draft.h"
#include "src/linux/capabilities.h"
#include "src/linux/rlimits.h"
#include "src/sys/credentials.h"

namespace ocirt::container {
namespace {

// An empty one says nothing: engines write every member of their structures.
bool has_text(const std::optional<std::string>& text) { return text && !text->empty(); }

// As with a shell, the last of several values for a name counts (runc does the same).
void keep_last_values(std::vector<std::string>& env) {
  std::vector<std::string_view> names;
  names.reserve(env.size());
  for (const std::string& entry : env)
    names.push_back(std::string_view(entry).substr(0, entry.find('=') + 1));
  const std::vector<bool> replaced = repeats(names, Which::all_but_last);
  size_t kept = 0;
  for (size_t i = 0; i < env.size(); ++i) {
    if (replaced[i] && env[i].contains('=')) continue;
    if (kept != i) env[kept] = std::move(env[i]);
    ++kept;
  }
  env.resize(kept);
}

Result<> draft_labels(plan::Builder& builder, const ProcessInput& input) {
  const oci::Process& process = *input.process;
  plan::Process& plan = builder.plan.process;
  if (has_text(process.apparmor_profile)) {
    const std::string& profile = *process.apparmor_profile;
    TRY(check_apparmor(input.modules, profile, cat(input.place, ".apparmorProfile")));
    if (input.modules.apparmor) plan.apparmor_profile = builder.text(profile);
  }
  if (has_text(process.selinux_label)) {
    TRY(check_selinux(input.modules, *process.selinux_label, cat(input.place, ".selinuxLabel")));
    plan.selinux_label = builder.text(*process.selinux_label);
  }
  return {};
}

// One set as a mask of what can be granted. What cannot is only a warning (config.md, "Linux
// Process": SHOULD NOT fail): names that we do not know, and capabilities that we do not have
// ourselves.
uint64_t grantable(const std::vector<std::string>& names, std::string_view set, uint64_t ours,
                   std::string_view place, Warnings& warnings) {
  CapabilityMask mask = capability_mask(names);
  auto warn = [&](std::string_view name, std::string_view why) {
    warnings.push_back(cat(place, ".capabilities.", set, ": ", name, " is left out: ", why));
  };
  for (const std::string& name : mask.unknown) warn(quoted(name), "unknown capability");
  for (int number = 0; number <= kLastCapability; ++number) {
    if (((mask.mask & ~ours) >> number & 1) != 0)
      warn(capability_name(number), "ocirt does not have it itself");
  }
  return mask.mask & ours;
}

// Absent sets are empty: a container must be given every privilege by name.
void draft_capabilities(plan::Process& plan, const oci::Capabilities& sets, std::string_view place,
                        bool user_namespace, Warnings& warnings) {
  constexpr uint64_t kEvery = (uint64_t{2} << kLastCapability) - 1;
  const uint64_t ours = user_namespace ? kEvery : sys::permitted_capabilities();
  plan.bounding = grantable(sets.bounding, "bounding", ours, place, warnings);
  plan.permitted = grantable(sets.permitted, "permitted", ours, place, warnings);
  plan.inheritable = grantable(sets.inheritable, "inheritable", ours, place, warnings);
  plan.effective = grantable(sets.effective, "effective", ours, place, warnings);
  plan.ambient = grantable(sets.ambient, "ambient", ours, place, warnings);
  // The kernel wants effective within permitted, and ambient within both of the others
  // (capabilities(7)); buildah and the template of runc write ambient sets that are not.
  for (int number = 0; number <= kLastCapability; ++number) {
    const uint64_t bit = uint64_t{1} << number;
    if ((plan.effective & ~plan.permitted & bit) != 0) {
      warnings.push_back(cat(place, ".capabilities.effective: ", capability_name(number),
                             " is left out: it is not permitted"));
    }
    if ((plan.ambient & ~(plan.permitted & plan.inheritable) & bit) != 0) {
      warnings.push_back(cat(place, ".capabilities.ambient: ", capability_name(number),
                             " is left out: it is not both permitted and inheritable"));
    }
  }
  plan.effective &= plan.permitted;
  plan.ambient &= plan.permitted & plan.inheritable;
}

}  // namespace

bool wants_labels(const oci::Process& process) {
  return has_text(process.apparmor_profile) || has_text(process.selinux_label);
}

Result<> draft_process(plan::Builder& builder, const ProcessInput& input, Warnings& warnings) {
  const oci::Process& process = *input.process;
  const std::string_view place = input.place;
  TRY(draft_labels(builder, input));
  plan::Process& plan = builder.plan.process;
  if (process.args.empty()) return refuse(cat(place, ".args: there is nothing to execute"));

  plan.args = builder.texts(process.args);
  std::vector<std::string> env = process.env;
  if (input.listen_fds != 0) {
    // sd_listen_fds(3): the process is pid 1 of its namespace, or at least looks only for itself.
    env.push_back(cat("LISTEN_FDS=", input.listen_fds));
    env.emplace_back("LISTEN_PID=1");
  }
  keep_last_values(env);
  plan.env = builder.texts(env);
  plan.cwd = builder.text(process.cwd);
  plan.create_cwd = input.create_cwd;
  plan.uid = process.user.uid;
  plan.gid = process.user.gid;
  plan.keep_ids =
      input.user_namespace ? plan.uid == 0 && plan.gid == 0 : sys::has_ids(plan.uid, plan.gid);
  plan.groups = builder.list(process.user.additional_gids);
  plan.set_groups = !input.keep_groups;
  if (input.keep_groups && !process.user.additional_gids.empty()) {
    warnings.push_back(cat(place, ".user.additionalGids: left out, since the annotation ",
                           "run.oci.keep_original_groups keeps the groups of the caller"));
  }
  plan.umask = process.user.umask.value_or(0022);
  plan.no_new_privileges = process.no_new_privileges.value_or(false);
  plan.preserved_fds = input.preserved_fds;

  plan.terminal = process.terminal.value_or(false);
  plan.attached_terminal = plan.terminal && input.attached_terminal;
  if (plan.terminal && process.console_size) {
    plan.rows = static_cast<uint32_t>(process.console_size->height);
    plan.columns = static_cast<uint32_t>(process.console_size->width);
  }
  if (process.oom_score_adj) {
    plan.set_oom_score = true;
    plan.oom_score = static_cast<int32_t>(*process.oom_score_adj);
  }
  if (process.capabilities) {
    draft_capabilities(plan, *process.capabilities, place, input.user_namespace, warnings);
  }
  std::vector<plan::Rlimit> limits;
  for (size_t i = 0; i < process.rlimits.size(); ++i) {
    const oci::Rlimit& limit = process.rlimits[i];
    int number = TRY(within(cat(place, ".rlimits[", i, "].type"), rlimit_number(limit.type)));
    limits.push_back(
        {builder.text(limit.type), static_cast<uint32_t>(number), 0, limit.soft, limit.hard});
  }
  plan.rlimits = builder.list(limits);
  return {};
}

}  // namespace ocirt::container
