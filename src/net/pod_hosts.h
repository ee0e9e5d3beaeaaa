// Names of pods in the hosts files of other pods: the end of each file has a line per address of
// every pod on the bridge.
//
// A file that is bind-mounted into containers keeps its inode, so it is changed in place, and so
// that a reader never sees half of it: a line stays where it is for as long as it is there, and
// comes and goes by one byte. "#" in place of an address's first character makes a comment of it;
// such a line is used again for a line of the same length. Nothing of ours runs for it, unlike a
// name server; what it cannot do is said in docs/design.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace ocirt::net {

struct HostLine {
  std::string address;
  std::string names;  // separated by spaces
  bool operator==(const HostLine&) const = default;
};

// One write at an offset of the file.
struct Edit {
  size_t offset = 0;
  std::string bytes;
  bool operator==(const Edit&) const = default;
};

// Where our part of a file begins.
inline constexpr std::string_view kHostsMark = "# Pods, kept by ocirt:\n";

// Pure: the writes, in order, after which the part of `file` behind the mark (added if there is
// none) has exactly these lines.
std::vector<Edit> edits_for(std::string_view file, const std::vector<HostLine>& lines);

// Carries them out on the file at `path`, which is not followed if it is a symlink.
Result<> write_hosts(const std::string& path, const std::vector<HostLine>& lines);

}  // namespace ocirt::net
