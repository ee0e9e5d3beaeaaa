// Names of pods in the hosts files of other pods: the end of each file has a line per address of
// every pod on the bridge.
//
// A file that is bind-mounted into containers keeps its inode, so it is changed in place, and so
// that a reader never sees half of it: a line stays where it is for as long as it is there, and
// comes and goes by one byte. "#" in place of an address's first character makes a comment of it;
// such a line is used again for a line of the same length. Nothing of ours runs for it, unlike a
// name server; what it cannot do is said in docs/design.md.
//
// A container may write to its file, and every pod that comes or goes reads all of them: what is
// read of one, and how often it is written to, has a limit. A part of ours in which there is more
// than pods can have left is cut off and written anew.
#pragma once

#include <optional>
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

// What is done to a file: it is cut to this size, then written to.
struct HostsChange {
  std::optional<size_t> size;
  std::vector<Edit> edits;
  bool operator==(const HostsChange&) const = default;
};

// Where our part of a file begins.
inline constexpr std::string_view kHostsMark = "# Pods, kept by ocirt:\n";
// A file has so many bytes beside twice what its pods need.
inline constexpr size_t kMostForeign = size_t{1} << 20;
// And so many lines behind the mark that are no pod's: twice the pods that a bridge has room for.
inline constexpr size_t kMostUnused = 2048;

// Pure: the writes, in order, after which the part of `file` behind the mark (added if there is
// none) has exactly these lines, and comments. `is_whole`: the file has nothing behind `file`. Code
// EFBIG when it has, and no mark before.
Result<HostsChange> hosts_change(std::string_view file, bool is_whole,
                                 const std::vector<HostLine>& lines);

// Carries it out on the file at `path`, which is not followed if it is a symlink.
Result<> write_hosts(const std::string& path, const std::vector<HostLine>& lines);

}  // namespace ocirt::net
