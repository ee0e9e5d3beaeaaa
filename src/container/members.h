// Which processes a container has when no cgroup tells (`--cgroup-manager disabled`, an ordinary
// user without one): those of a pid namespace of its own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "src/base/result.h"
#include "src/container/record.h"

namespace ocirt::container {

struct Member {
  pid_t pid = 0;
  uint64_t start_time = 0;  // with the pid it names the process for good
};

// A process and where it is, as members_among() looks at it.
struct Candidate {
  Member process;
  pid_t parent = 0;
  uint64_t pid_namespace = 0;  // its inode; 0: unknown
};

// Those in the namespace, and their descendants, which may be in namespaces below. Ascending.
std::vector<Member> members_among(std::span<const Candidate> all, uint64_t pid_namespace);

// The processes of a container without a cgroup. An error that begins with "not supported" when it
// shares its pid namespace: then nothing tells which they are.
Result<std::vector<Member>> members_without_cgroup(const Record& record);

}  // namespace ocirt::container
