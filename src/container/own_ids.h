// The ids that an ordinary user may have in a user namespace of its own: its own as 0, and behind
// it those that the machine's administrator has granted (subuid(5), subgid(5)), as podman and
// `unshare --map-auto` arrange them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/linux.h"
#include "src/base/closure.h"
#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::container {

struct OwnIds {
  std::vector<oci::IdMapping> uids, gids;  // 0 is the caller; the rest without gaps
  // Whether nothing has been granted: then groups cannot be set, and every file has one owner.
  bool alone() const { return uids.size() == 1 && gids.size() == 1; }
  bool operator==(const OwnIds&) const = default;
};

// How many ids, from 0 on, are mapped.
uint64_t id_count(const std::vector<oci::IdMapping>& mappings);

// Pure: `passwd`, `subuid` and `subgid` are the texts of these files. A line of the latter names
// the user, or its number. One without the other grants nothing.
OwnIds ids_of(uint32_t uid, uint32_t gid, std::string_view passwd, std::string_view subuid,
              std::string_view subgid);

// The caller's. Without newuidmap(1) and newgidmap(1), which write such maps, its own alone.
Result<OwnIds> own_ids();

// Puts this process into a new user namespace with these ids, where it is root, and a mount
// namespace, in which what the host mounts still appears. Groups beside its own are given up where
// that is possible: what is started from here must not have them. It must have one thread. The ids
// that effective_uid() tells stay until an exec.
Result<> enter_own_user_namespace(const OwnIds& ids);

// Does something there: in a child, whose error becomes ours. It has no descriptors but its
// streams, and `held` at the same number.
Result<> in_own_user_namespace(const OwnIds& ids, Closure<Result<>()> work, Fd held = Fd());

}  // namespace ocirt::container
