// The words of `mounts[].options` as numbers (config.md, "Linux mount options"; mount(8),
// "filesystem independent mount options").
//
// One word can mean up to three things, and which of them a caller needs depends on the system
// call:
//   mount(2)          takes one MS_* mask for the superblock and the mount together;
//   mount_setattr(2)  takes MOUNT_ATTR_* to set and to clear, for the mount alone, also
//   recursively; fsconfig(2)       takes words, for the superblock alone.
// MountOptions holds all three. Words act from left to right: the later one wins ("ro", "rw" is
// rw).
//
// This header includes neither <sys/mount.h> nor <linux/mount.h>: glibc 2.36's version of the first
// clashes with the second.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace ocirt {

// MOUNT_ATTR_NOSYMFOLLOW of Linux 5.14, missing in older kernel headers.
inline constexpr uint64_t kMountAttrNosymfollow = 0x00200000;

struct MountOptions {
  // MS_* without MS_BIND, MS_REC, MS_REMOUNT and propagation, which have members of their own.
  // Both per-mount flags (MS_RDONLY, MS_NOSUID, ...) and superblock flags (MS_SYNCHRONOUS, ...).
  uint64_t flags = 0;
  uint64_t cleared_flags =
      0;  // MS_* that a word took away and none gave back: "rw", "suid", "async"

  // MOUNT_ATTR_* of this mount, as mount_setattr(2) wants them: the atime group is a number, not
  // bits, so an atime word puts the whole MOUNT_ATTR__ATIME into attr_clr.
  uint64_t attr_set = 0;
  uint64_t attr_clr = 0;

  // The same for this mount and all mounts below it (AT_RECURSIVE): "rro", "rnosuid", ...
  uint64_t rec_attr_set = 0;
  uint64_t rec_attr_clr = 0;

  bool bind = false;            // "bind" or "rbind"
  bool recursive_bind = false;  // "rbind"
  bool remount = false;
  bool tmpcopyup = false;  // a tmpfs starts with a copy of what it covers
  bool idmap = false;      // "idmap" or "ridmap", with or without "=..."
  bool recursive_idmap = false;
  bool copy_symlink = false;     // the source is a symbolic link: make the same link
  bool source_nofollow = false;  // "src-nofollow": do not follow a link at the end of the source
  bool dest_nofollow = false;    // "dest-nofollow": the same for the destination

  // What follows "idmap=" or "ridmap="; see parse_id_map_option().
  std::string idmap_ids;

  // MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, with MS_REC for the r-forms, in the order
  // given: "slave", "shared" is two steps and makes a slave that is shared again.
  std::vector<uint64_t> propagation;

  // All other words, joined by commas: they belong to the filesystem ("size=64m,mode=755").
  std::string data;

  bool operator==(const MountOptions&) const = default;
};

// Reads the words. There is no wrong word: what is not ours goes to the filesystem, which refuses
// what it does not know.
MountOptions parse_mount_options(std::span<const std::string> words);

// Every word that parse_mount_options() knows, sorted: `mountOptions` of `ocirt features`.
std::vector<std::string_view> known_mount_options();

// The superblock's part of the options as fsconfig(FSCONFIG_SET_FLAG) words, in a fixed order:
// "ro", "sync", "dirsync", "mand", "lazytime", and the counter-words ("rw", "async", "nomand",
// "nolazytime") for what was taken away. The views are NUL-terminated literals.
std::vector<std::string_view> fsconfig_words(const MountOptions& options);

// One range of an idmapped mount as written in the option: IDs from `inside`... of the filesystem
// appear as `outside`... in the mount, `size` of them.
struct IdMapOptionRange {
  uint32_t inside = 0;
  uint32_t outside = 0;
  uint32_t size = 0;
  bool relative = false;  // "@": `outside` counts from the start of the container's user namespace

  bool operator==(const IdMapOptionRange&) const = default;
};

struct IdMapOption {
  std::vector<IdMapOptionRange> uids;
  std::vector<IdMapOptionRange> gids;

  bool operator==(const IdMapOption&) const = default;
};

// Reads "uids=0-1000-1#1-2000-10;gids=@0-0-10", the text after "idmap=": per kind a list, separated
// by
// '#', of three numbers A-B-SIZE; '@' before a range makes it relative. Errors quote the range.
Result<IdMapOption> parse_id_map_option(std::string_view text);

}  // namespace ocirt
