#include "src/container/draft_hooks.h"

#include "src/container/hooks.h"

namespace ocirt::container {
namespace {

plan::List<plan::Hook> hook_list(plan::Builder& builder, const std::vector<oci::Hook>& hooks,
                                 std::span<const std::string> environment) {
  std::vector<plan::Hook> list;
  for (const oci::Hook& hook : hooks) {
    plan::Hook row;
    row.path = builder.text(hook.path);
    // config.md: args has execv(3)'s meaning, so argv[0] is its first; absent: the path alone.
    row.args =
        hook.args.empty() ? builder.texts(std::span(&hook.path, 1)) : builder.texts(hook.args);
    row.env = builder.texts(hook.env.empty() ? environment : std::span(hook.env));
    row.timeout_s = timeout_of(hook);
    list.push_back(row);
  }
  return builder.list(list);
}

}  // namespace

void draft_hooks(plan::Builder& builder, const std::optional<oci::Hooks>& hooks,
                 std::span<const std::string> environment) {
  if (!hooks) return;
  builder.plan.create_container = hook_list(builder, hooks->create_container, environment);
  builder.plan.start_container = hook_list(builder, hooks->start_container, environment);
  builder.plan.hooks_outside = !hooks->prestart.empty() || !hooks->create_runtime.empty() ||
                               !hooks->create_container.empty();
}

}  // namespace ocirt::container
