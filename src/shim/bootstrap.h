// What `start` is told on its standard input and what it answers: the same question in the words of
// four generations of daemons. Each understands its own answer only, and one binary has to survive
// that they are exchanged under it. Pure.
//
// | daemon           | standard input  | answer                                    |
// |------------------|-----------------|-------------------------------------------|
// | containerd 1.6   | Any             | the address                               |
// | containerd 1.7   | Any             | JSON, version 2 (3 would be an error)     |
// | CRI-O, type "vm" | Any             | the same                                  |
// | containerd 2.0   | Any             | JSON, version 3                           |
// | containerd 2.3   | BootstrapParams | BootstrapResult, version 3                |
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "oci-spec/map.h"
#include "src/base/result.h"
#include "src/wire/any.h"

namespace ocirt::shim {

enum class Dialect : uint8_t { kText, kJson, kProtobuf };

struct Bootstrap {
  bool has_params = false;                // BootstrapParams, not an Any
  std::optional<wire::AnyValue> options;  // of the runtime
  std::string ttrpc_address;              // BootstrapParams only, as what follows
  std::string socket_directory;
  bool debug = false;
};

// An Any may be read as BootstrapParams too: those count only if they say the id and the namespace
// of the command line.
Result<Bootstrap> read_bootstrap(std::string_view input, std::string_view id,
                                 std::string_view name_space);

// When things were made, in seconds by the clock on the wall, which may have been set since.
struct DaemonTimes {
  int64_t directory = 0;  // of its sandbox controllers, made or changed
  int64_t began = 0;      // the daemon, reckoned from now and its age
  std::optional<int64_t> socket = {};
};
// containerd 2 makes this directory, or changes its mode, whenever it starts; one of an older run
// says nothing of a daemon that was replaced by an older version. When in doubt, no: version 2 is
// right for all of them, only slower.
bool made_by_this_run(const DaemonTimes& times);

// What can be seen of the daemon.
struct Signs {
  bool has_params = false;
  bool says_version = false;   // MAX_SHIM_VERSION is in the environment
  bool has_sandboxes = false;  // its directory of sandbox controllers was made for this run
  bool has_address = false;
};
struct Manner {
  Dialect dialect = Dialect::kText;
  int version = 2;  // of the Task service
  bool operator==(const Manner&) const = default;
};
Manner manner_of(const Signs& signs);

// `version`: what the shim that serves at the address can do, at most what the manner allows. No
// newline at the end: daemons before 2.3 would take it for a part of the address.
std::string bootstrap_answer(Dialect dialect, int version, std::string_view address);

// /run/containerd/s/HASH, as containerd's own shims name it (`ctr shim` looks there). The first
// argument replaces /run/containerd.
std::string socket_path(std::string_view directory, std::string_view address,
                        std::string_view name_space, std::string_view group);

// Which containers share a shim: those with the same value of the first of these annotations.
// Another document than config.json, or none, has none.
std::string group_of(std::string_view config_json, std::string_view id);
std::string group_of(const oci::Map<std::string>& annotations, std::string_view id);

}  // namespace ocirt::shim
