// Who a container's process is, by the image's own /etc/passwd and /etc/group: the host's users are
// others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace ocirt::podfile {

struct Identity {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;  // of which the user is a member besides

  bool operator==(const Identity&) const = default;
};

// `user` is what images have: "", "name", "1000", "name:group", "1000:1000". `passwd` and `group`
// are the files' contents. A number without an entry has group 0 and no others.
Result<Identity> identity_of(std::string_view user, std::string_view passwd,
                             std::string_view group);

// Refuses 2^32-1, which means none to calls that take an id.
Result<> check_ids(const Identity& identity);

}  // namespace ocirt::podfile
