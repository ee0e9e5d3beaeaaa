// What a long run counts: all that a runtime makes outside of itself, as far as it is ours, and
// what a process of ours that goes on keeps for itself.
#pragma once

#include <sys/types.h>

#include <string>

#include "tests/soak/ledger.h"

namespace harness {

// While it lives, all that the kernel allocates for this process and for what it starts is charged
// to a group of memory of ours. Without a memory controller there is nothing of it.
class OwnMemory {
 public:
  OwnMemory();
  OwnMemory(const OwnMemory&) = delete;
  OwnMemory& operator=(const OwnMemory&) = delete;
  ~OwnMemory();

  bool is_there() const { return !group_.empty(); }
  // What the kernel keeps for us, KiB: dentries, inodes, sockets, namespaces, groups.
  long kernel_kilobytes() const;
  // Lets it give back what it keeps only in case.
  void reclaim() const;

 private:
  std::string group_, back_, leaf_;
};

// Processes, mounts, groups, pinned network namespaces, descriptors of ours, keyrings of containers
// whose ids contain `ids`, and the kernel's memory for all of it.
void watch_host(Ledger& ledger, const OwnMemory& memory, const std::string& ids);
// Descriptors, threads, what it watches, mounts and memory of a process that goes on.
void watch_process(Ledger& ledger, const std::string& name, pid_t pid);
// Before the program is started: one that was linked a moment ago is dirty in the page cache, and
// would count as memory of its own.
void write_out(const std::string& program);
// The names in a directory.
void watch_directory(Ledger& ledger, const std::string& name, const std::string& path);

}  // namespace harness
