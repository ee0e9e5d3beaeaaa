// Reading, writing and checking the documents of the runtime specification.
//
// Reading is strict about what a property is (type, range, enumeration, required) and, as the
// specification demands, blind to properties that it does not know. `null` and an empty string for
// what is optional are the same as its absence. Names are taken in any case; of two equal ones the
// last counts, and of two objects all that either names, as Go's reader has it. Documents over
// kMaxDocumentSize bytes or nested deeper than kMaxDepth are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/error.h"
#include "oci-spec/features.h"
#include "oci-spec/process.h"
#include "oci-spec/resources.h"
#include "oci-spec/spec.h"
#include "oci-spec/state.h"

namespace oci {

inline constexpr std::string_view kVersion = "1.3.0";  // of the specification that this implements
inline constexpr std::size_t kMaxDocumentSize = 16u << 20;
inline constexpr unsigned kMaxDepth = 64;

// config.json: syntax, types, the version, and the rules between fields of validate(). `document`
// is the name that errors begin with.
Result<Spec> read_config(std::string_view json, std::string_view document = "config.json");

// The document of `exec --process`, checked by the same rules as `process` of config.json.
Result<Process> read_process(std::string_view json, std::string_view document = "process.json");

// The document of `update --resources`, checked by the same rules as `linux.resources`.
Result<Resources> read_resources(std::string_view json,
                                 std::string_view document = "resources.json");

// The document of `mounts add` and `mounts remove`: a list of mounts, checked by the same rules as
// `mounts` of config.json.
Result<std::vector<Mount>> read_mounts(std::string_view json,
                                       std::string_view document = "mounts.json");

Result<State> read_state(std::string_view json, std::string_view document = "state.json");

Result<ContainerProcessState> read_container_process_state(
    std::string_view json, std::string_view document = "container process state");

Result<Features> read_features(std::string_view json, std::string_view document = "features.json");

// JSON text: on one line, or with two spaces of indentation and a final newline. Properties come in
// the order of the structs; what is absent or an empty list is left out. Text that is not UTF-8 (a
// bundle path may hold any byte) is written with U+FFFD in place of the bytes that are not.
std::string write(const Spec& spec, bool pretty);
std::string write(const Process& process, bool pretty);
std::string write(const Resources& resources, bool pretty);
std::string write(const ContainerProcessState& state, bool pretty);
std::string write(const Features& features, bool pretty);

// As above; `more` are further string properties after those of the schema, such as the "rootfs",
// "created" and "owner" that callers of `state` and `list` read.
std::string write(const State& state, bool pretty, const Map<std::string>& more = {});

// The first rule between fields that `spec` breaks, or nothing. The error carries the property's
// path; read_config() adds the place in the text.
std::optional<Error> validate(const Spec& spec);

// The same for the parts that are documents of their own.
std::optional<Error> validate(const Process& process);
std::optional<Error> validate(const Resources& resources);
std::optional<Error> validate(const std::vector<Mount>& mounts);

// What `ocirt spec` prints: a shell on a terminal in a read-only "rootfs", few capabilities, six
// new namespaces; on a host with cgroup v1 five, since runc's has no cgroup namespace there.
// `rootless` adds a user namespace that maps root to `uid` and `gid` and leaves out what an
// ordinary user may not do.
Spec default_spec(bool rootless, std::uint32_t uid = 0, std::uint32_t gid = 0,
                  bool cgroup_v1 = false);

}  // namespace oci
