// The options of the runtime, of which three kinds arrive, by the name that the runtime has in
// containerd's configuration: containerd.runc.v1.Options for io.containerd.runc.v2,
// runtimeoptions.v1.Options with the same as TOML for any other, and
// containerd.linux.runc.CreateOptions from old clients. Pure, but for a file that one may name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/wire/any.h"

namespace ocirt::shim {

struct RuntimeOptions {
  std::string root;         // of the records of containers; a directory for each namespace is below
  std::string shim_cgroup;  // where the shim belongs
  bool systemd_cgroup = false;
  bool no_pivot = false;
  bool no_new_keyring = false;
  uint32_t io_uid = 0, io_gid = 0;  // who owns a container's streams
};

// None, and an empty one, are the defaults. Refuses other types, words of TOML that it does not
// know, and the path of another runtime: the shim is the runtime.
Result<RuntimeOptions> read_options(const wire::Any* any);

// The TOML in there: lines of `Key = value`, without tables.
Result<RuntimeOptions> read_toml_options(std::string_view text);

}  // namespace ocirt::shim
