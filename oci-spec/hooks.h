// Hooks: programs that run at points of the container's life (config.md, "POSIX-platform Hooks").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace oci {

// One program. It gets the container's state on its standard input.
struct Hook {
  std::string path = {};  // required; absolute, in the runtime's mount namespace
                          // (startContainer: in the container's)
  std::vector<std::string> args =
      {};                             // argv with argv[0]; empty: the runtime passes the path alone
  std::vector<std::string> env = {};  // the whole environment, "NAME=value"
  std::optional<std::int64_t> timeout = {};  // seconds until it is aborted; > 0

  bool operator==(const Hook&) const = default;
};

// Each list runs in its order; which namespaces a hook runs in is in brackets.
struct Hooks {
  std::vector<Hook> prestart = {};  // [runtime] deprecated; after create, before createRuntime
  std::vector<Hook> create_runtime =
      {};  // [runtime] after the environment exists, before pivot_root
  std::vector<Hook> create_container = {};  // [container] same moment, after createRuntime
  std::vector<Hook> start_container = {};   // [container] during start, before the user's process
  std::vector<Hook> poststart = {};         // [runtime] after the user's process was started
  std::vector<Hook> poststop = {};          // [runtime] after delete, before delete returns

  bool operator==(const Hooks&) const = default;
};

}  // namespace oci
