// Hooks that run in the runtime's namespaces: prestart, createRuntime, poststart, poststop
// (config.md, "POSIX-platform Hooks"). Those of the container's namespaces are run by its init.
#pragma once

#include <span>
#include <string_view>

#include "oci-spec/hooks.h"
#include "oci-spec/map.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/container/store.h"
#include "src/container/warnings.h"

namespace ocirt::container {

// A hook's time limit in seconds as run_hook() takes it; 0: none. Sixty-eight years are for ever.
uint32_t timeout_of(const oci::Hook& hook);

// Where what hooks print goes; invalid: its end goes into the error message.
struct HookOutput {
  UniqueFd out, err;
};

// Opens the files that the annotations run.oci.hooks.stdout and .stderr name, for appending; both
// may be one file. Errors name the annotation.
[[gnu::noinline]] Result<HookOutput> open_hook_output(const oci::Map<std::string>& annotations);

// Runs the hooks in their order, each with the state document on standard input. Stops at the first
// that fails; the error names kind, index, path, how it ended and the end of what it printed.
// `kind` is its name in config.json, such as "createRuntime"; `annotations` are the container's.
Result<> run_hooks(std::span<const oci::Hook> hooks, std::string_view state_json,
                   std::string_view kind, const oci::Map<std::string>& annotations = {});

// The same for hooks whose failures change nothing (poststop): all are run, the failures returned.
Warnings run_all_hooks(std::span<const oci::Hook> hooks, std::string_view state_json,
                       std::string_view kind, const oci::Map<std::string>& annotations = {});

// The state document as a sealed memory file: standard input of a hook, which thus may read it or
// not.
Result<UniqueFd> state_file(std::string_view state_json);

// The hooks of a container's saved config.json that are to be run later. A document without the
// word `kind` (a part of the property's name) is not parsed: most have no such hook (`\\u` is the
// only other way to spell a name in JSON).
Result<oci::Hooks> saved_hooks(const Directory& directory, const Record& record,
                               std::string_view kind);

}  // namespace ocirt::container
