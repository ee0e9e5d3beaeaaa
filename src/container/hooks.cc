#include "src/container/hooks.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "oci-spec/documents.h"
#include "oci-spec/json/text.h"
#include "src/bare/run_hook.h"
#include "src/base/text.h"
#include "src/container/annotations.h"
#include "src/container/oci_result.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::container {
namespace {

std::vector<const char*> pointers(std::span<const std::string> values) {
  std::vector<const char*> list;
  list.reserve(values.size() + 1);
  for (const std::string& value : values) list.push_back(value.c_str());
  list.push_back(nullptr);
  return list;
}

Result<> run_one(const oci::Hook& hook, uint32_t index, Fd state, std::string_view kind,
                 const HookOutput& output) {
  std::vector<const char*> argv =
      pointers(hook.args.empty() ? std::span(&hook.path, 1) : std::span(hook.args));
  std::vector<const char*> envp = pointers(hook.env);
  // The specification is silent about a hook without an environment. With ours, as in other
  // runtimes, a hook that is a script finds its programs.
  const char* const* environment = hook.env.empty() ? sys::own_environment() : envp.data();
  bare::HookRequest request{hook.path.c_str(), argv.data(),      environment,     timeout_of(hook),
                            state.raw(),       output.out.raw(), output.err.raw()};
  bare::HookResult result = bare::run_hook(request);
  if (result.end == bare::HookEnd::success) return {};
  bare::Buffer<1024> text;
  bare::describe_hook_failure(text, std::string(kind).c_str(), index, hook.path.c_str(), result);
  if (result.end == bare::HookEnd::not_started) return os_error(text.view(), result.detail);
  return refuse(std::string(text.view()));
}

}  // namespace

Result<HookOutput> open_hook_output(const oci::Map<std::string>& annotations) {
  HookOutput output;
  if (annotations.empty()) return output;
  Annotations asked = TRY(read_annotations(annotations));
  auto open = [](UniqueFd& out, const std::string& path, std::string_view name) -> Result<> {
    if (path.empty()) return {};
    // A fifo that nobody reads would hold up the caller before any hook's timeout begins.
    constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK;
    Result<UniqueFd> file = sys::open(sys::kCwd, path, kFlags, 0600);
    if (!file && file.error().code == ENOENT) {
      return refuse(cat("annotations: ", name, ": the directory of ", path, " is missing"));
    }
    out = TRY(within(cat("annotations: ", name), std::move(file)));
    return sys::set_waiting(out, true);  // hooks expect to
  };
  TRY(open(output.out, asked.hooks_stdout, "run.oci.hooks.stdout"));
  TRY(open(output.err, asked.hooks_stderr, "run.oci.hooks.stderr"));
  return output;
}

uint32_t timeout_of(const oci::Hook& hook) {
  return static_cast<uint32_t>(std::min<int64_t>(hook.timeout.value_or(0), INT32_MAX));
}

Result<UniqueFd> state_file(std::string_view state_json) {
  return sys::sealed_memory("ocirt-state", {state_json}, false);
}

Result<> run_hooks(std::span<const oci::Hook> hooks, std::string_view state_json,
                   std::string_view kind, const oci::Map<std::string>& annotations) {
  if (hooks.empty()) return {};
  HookOutput output = TRY(open_hook_output(annotations));
  UniqueFd state = TRY(state_file(state_json));
  for (uint32_t index = 0; index < hooks.size(); ++index)
    TRY(run_one(hooks[index], index, state, kind, output));
  return {};
}

Warnings run_all_hooks(std::span<const oci::Hook> hooks, std::string_view state_json,
                       std::string_view kind, const oci::Map<std::string>& annotations) {
  Warnings failures;
  if (hooks.empty()) return failures;
  Result<HookOutput> output = open_hook_output(annotations);
  if (!output) return {std::move(output).error().text};
  Result<UniqueFd> state = state_file(state_json);
  if (!state) return {std::move(state).error().text};
  for (uint32_t index = 0; index < hooks.size(); ++index) {
    Result<> done = run_one(hooks[index], index, *state, kind, *output);
    if (!done) failures.push_back(std::move(done).error().text);
  }
  return failures;
}

Result<oci::Hooks> saved_hooks(const Directory& directory, const Record& record,
                               std::string_view kind) {
  if (record.plain) return oci::Hooks();
  Result<std::string> text = directory.config();
  if (!text && text.error().code == ENOENT) return oci::Hooks();
  if (!text) return std::unexpected(std::move(text).error());
  if (!oci::json::may_name(*text, kind)) return oci::Hooks();
  oci::Spec spec = TRY(from_spec(oci::read_config(*text)));
  if (!spec.hooks) return oci::Hooks();
  return *std::move(spec.hooks);
}

}  // namespace ocirt::container
