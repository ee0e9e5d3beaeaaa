// Mounts and ID mappings (config.md, "Mounts"; config-linux.md, "User namespace mappings").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace oci {

// A range of user or group IDs: [container_id, container_id + size) inside is host_id... outside.
struct IdMapping {
  std::uint32_t container_id = 0;  // required; first ID in the container
  std::uint32_t host_id = 0;       // required; first ID on the host
  std::uint32_t size = 0;          // required; how many

  bool operator==(const IdMapping&) const = default;
};

// One mount; the runtime makes them in the listed order.
struct Mount {
  std::string destination = {};  // required; path inside the container. Absolute; a relative
                                 // one is taken from "/" (1.2.0)
  std::optional<std::string> type = {};  // filesystem type; ignored for bind mounts
  std::optional<std::string> source =
      {};  // device, or file or directory on the host. Relative to the bundle
  std::vector<std::string> options =
      {};  // mount options of the container's fstab kind: open vocabulary
  std::vector<IdMapping> uid_mappings =
      {};  // idmapped mount: IDs of the source filesystem to those of
  std::vector<IdMapping> gid_mappings = {};  // the mount. Both or none

  bool operator==(const Mount&) const = default;
};

}  // namespace oci
