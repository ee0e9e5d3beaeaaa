// The table of mount option words and its interpreter.
//
// The access time words are the difficult ones. For mount(2) they are bits (MS_NOATIME,
// MS_RELATIME, MS_STRICTATIME) of which the kernel takes the first that it finds; for
// mount_setattr(2) they are one number of three values in MOUNT_ATTR__ATIME, and the call fails
// with EINVAL unless that whole field is cleared whenever it is changed. Choosing one of the three
// therefore drops the other two here, and every change of the field clears all of it.
#include "src/linux/mount_options.h"

#include <linux/mount.h>

#include <iterator>
#include <optional>

#include "src/base/names.h"
#include "src/base/text.h"

namespace ocirt {
namespace {

enum class Kind : uint8_t {
  kSet,       // sets `ms` and `attr`
  kClear,     // clears `ms` and `attr`
  kAtime,     // chooses `attr` among the access time modes
  kNotAtime,  // back to the kernel's default, if `attr` was chosen or nothing was
  kRecSet,    // the same four, for the mount and all mounts below it
  kRecClear,
  kRecAtime,
  kRecNotAtime,
  kPropagation,  // `ms` is MS_SHARED, ... with or without MS_REC
  kBind,
  kRecursiveBind,
  kRemount,
  kTmpCopyUp,
  kIdMap,
  kRecursiveIdMap,
  kCopySymlink,
  kSourceNoFollow,
  kDestNoFollow,
  kNothing,  // "defaults": what the kernel does when nothing is said
};

struct Meaning {
  Kind kind = Kind::kNothing;
  uint64_t ms = 0;
  uint64_t attr = 0;
};

using enum Kind;

// (sync, dirsync and mand are of the file system: to say them of a whole tree means no more.)
constexpr Name<Meaning> kWords[] = {
    {"acl", {kSet, MS_POSIXACL}},
    {"async", {kClear, MS_SYNCHRONOUS}},
    {"atime", {kNotAtime, MS_NOATIME, MOUNT_ATTR_NOATIME}},
    {"bind", {kBind}},
    {"copy-symlink", {kCopySymlink}},
    {"defaults", {kNothing}},
    {"dest-nofollow", {kDestNoFollow}},
    {"dev", {kClear, MS_NODEV, MOUNT_ATTR_NODEV}},
    {"diratime", {kClear, MS_NODIRATIME, MOUNT_ATTR_NODIRATIME}},
    {"dirsync", {kSet, MS_DIRSYNC}},
    {"exec", {kClear, MS_NOEXEC, MOUNT_ATTR_NOEXEC}},
    {"idmap", {kIdMap}},
    {"iversion", {kSet, MS_I_VERSION}},
    {"lazytime", {kSet, MS_LAZYTIME}},
    {"loud", {kClear, MS_SILENT}},
    {"mand", {kSet, MS_MANDLOCK}},
    {"noacl", {kClear, MS_POSIXACL}},
    {"noatime", {kAtime, MS_NOATIME, MOUNT_ATTR_NOATIME}},
    {"nodev", {kSet, MS_NODEV, MOUNT_ATTR_NODEV}},
    {"nodiratime", {kSet, MS_NODIRATIME, MOUNT_ATTR_NODIRATIME}},
    {"noexec", {kSet, MS_NOEXEC, MOUNT_ATTR_NOEXEC}},
    {"noiversion", {kClear, MS_I_VERSION}},
    {"nolazytime", {kClear, MS_LAZYTIME}},
    {"nomand", {kClear, MS_MANDLOCK}},
    {"norelatime", {kNotAtime, MS_RELATIME, MOUNT_ATTR_RELATIME}},
    {"nostrictatime", {kNotAtime, MS_STRICTATIME, MOUNT_ATTR_STRICTATIME}},
    {"nosuid", {kSet, MS_NOSUID, MOUNT_ATTR_NOSUID}},
    {"nosymfollow", {kSet, MS_NOSYMFOLLOW, kMountAttrNosymfollow}},
    {"private", {kPropagation, MS_PRIVATE}},
    {"rasync", {kClear, MS_SYNCHRONOUS}},
    {"ratime", {kRecNotAtime, 0, MOUNT_ATTR_NOATIME}},
    {"rbind", {kRecursiveBind}},
    {"rdev", {kRecClear, 0, MOUNT_ATTR_NODEV}},
    {"rdiratime", {kRecClear, 0, MOUNT_ATTR_NODIRATIME}},
    {"rdirsync", {kSet, MS_DIRSYNC}},
    {"relatime", {kAtime, MS_RELATIME, MOUNT_ATTR_RELATIME}},
    {"remount", {kRemount}},
    {"rexec", {kRecClear, 0, MOUNT_ATTR_NOEXEC}},
    {"ridmap", {kRecursiveIdMap}},
    {"rmand", {kSet, MS_MANDLOCK}},
    {"rnoatime", {kRecAtime, 0, MOUNT_ATTR_NOATIME}},
    {"rnodev", {kRecSet, 0, MOUNT_ATTR_NODEV}},
    {"rnodiratime", {kRecSet, 0, MOUNT_ATTR_NODIRATIME}},
    {"rnoexec", {kRecSet, 0, MOUNT_ATTR_NOEXEC}},
    {"rnomand", {kClear, MS_MANDLOCK}},
    {"rnorelatime", {kRecNotAtime, 0, MOUNT_ATTR_RELATIME}},
    {"rnostrictatime", {kRecNotAtime, 0, MOUNT_ATTR_STRICTATIME}},
    {"rnosuid", {kRecSet, 0, MOUNT_ATTR_NOSUID}},
    {"rnosymfollow", {kRecSet, 0, kMountAttrNosymfollow}},
    {"ro", {kSet, MS_RDONLY, MOUNT_ATTR_RDONLY}},
    {"rprivate", {kPropagation, MS_PRIVATE | MS_REC}},
    {"rrelatime", {kRecAtime, 0, MOUNT_ATTR_RELATIME}},
    {"rro", {kRecSet, 0, MOUNT_ATTR_RDONLY}},
    {"rrw", {kRecClear, 0, MOUNT_ATTR_RDONLY}},
    {"rshared", {kPropagation, MS_SHARED | MS_REC}},
    {"rslave", {kPropagation, MS_SLAVE | MS_REC}},
    {"rstrictatime", {kRecAtime, 0, MOUNT_ATTR_STRICTATIME}},
    {"rsuid", {kRecClear, 0, MOUNT_ATTR_NOSUID}},
    {"rsymfollow", {kRecClear, 0, kMountAttrNosymfollow}},
    {"rsync", {kSet, MS_SYNCHRONOUS}},
    {"runbindable", {kPropagation, MS_UNBINDABLE | MS_REC}},
    {"rw", {kClear, MS_RDONLY, MOUNT_ATTR_RDONLY}},
    {"shared", {kPropagation, MS_SHARED}},
    {"silent", {kSet, MS_SILENT}},
    {"slave", {kPropagation, MS_SLAVE}},
    {"src-nofollow", {kSourceNoFollow}},
    {"strictatime", {kAtime, MS_STRICTATIME, MOUNT_ATTR_STRICTATIME}},
    {"suid", {kClear, MS_NOSUID, MOUNT_ATTR_NOSUID}},
    {"symfollow", {kClear, MS_NOSYMFOLLOW, kMountAttrNosymfollow}},
    {"sync", {kSet, MS_SYNCHRONOUS}},
    {"tmpcopyup", {kTmpCopyUp}},
    {"unbindable", {kPropagation, MS_UNBINDABLE}},
};
static_assert(sorted(kWords));

// The bits of mount(2) that choose an access time mode.
constexpr uint64_t kMsAtime = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;

// One attr_set/attr_clr pair for mount_setattr(2).
struct Attributes {
  uint64_t& set;
  uint64_t& clear;

  void add(uint64_t bits) {
    set |= bits;
    clear &= ~bits;
  }
  void remove(uint64_t bits) {
    set &= ~bits;
    clear |= bits;
  }
  void choose_atime(uint64_t mode) {
    set = (set & ~uint64_t{MOUNT_ATTR__ATIME}) | mode;
    clear |= MOUNT_ATTR__ATIME;
  }
  // `mode` is not wanted. Where another mode was chosen before, that one stays. Where none was, the
  // mount may have it from its source, so the default is chosen; except for "not relatime", since
  // relatime is that default (Linux 2.6.30) and choosing it would take a noatime away from the
  // source.
  void refuse_atime(uint64_t mode) {
    bool chosen = (clear & MOUNT_ATTR__ATIME) != 0;
    if (chosen && (set & MOUNT_ATTR__ATIME) != mode) return;
    if (mode == MOUNT_ATTR_RELATIME) {
      clear &= ~uint64_t{MOUNT_ATTR__ATIME};
    } else {
      choose_atime(MOUNT_ATTR_RELATIME);
    }
  }
};

void apply(const Meaning& word, MountOptions& out) {
  Attributes here{out.attr_set, out.attr_clr};
  Attributes below{out.rec_attr_set, out.rec_attr_clr};
  switch (word.kind) {
    case kSet:
      out.flags |= word.ms;
      out.cleared_flags &= ~word.ms;
      here.add(word.attr);
      break;
    case kClear:
      out.flags &= ~word.ms;
      out.cleared_flags |= word.ms;
      here.remove(word.attr);
      break;
    case kAtime:
      out.flags = (out.flags & ~kMsAtime) | word.ms;
      out.cleared_flags &= ~word.ms;
      here.choose_atime(word.attr);
      break;
    case kNotAtime:
      out.flags &= ~word.ms;
      out.cleared_flags |= word.ms;
      here.refuse_atime(word.attr);
      break;
    case kRecSet:
      below.add(word.attr);
      break;
    case kRecClear:
      below.remove(word.attr);
      break;
    case kRecAtime:
      below.choose_atime(word.attr);
      break;
    case kRecNotAtime:
      below.refuse_atime(word.attr);
      break;
    case kPropagation:
      out.propagation.push_back(word.ms);
      break;
    case kBind:
      out.bind = true;
      break;
    case kRecursiveBind:
      out.bind = out.recursive_bind = true;
      break;
    case kRemount:
      out.remount = true;
      break;
    case kTmpCopyUp:
      out.tmpcopyup = true;
      break;
    case kIdMap:
    case kRecursiveIdMap:
      out.idmap = true;
      out.recursive_idmap = word.kind == kRecursiveIdMap;
      out.idmap_ids.clear();
      break;
    case kCopySymlink:
      out.copy_symlink = true;
      break;
    case kSourceNoFollow:
      out.source_nofollow = true;
      break;
    case kDestNoFollow:
      out.dest_nofollow = true;
      break;
    case kNothing:
      break;
  }
}

struct FsconfigWord {
  uint64_t flag;
  std::string_view set;
  std::string_view clear;  // empty: the kernel has no counter-word
};

constexpr FsconfigWord kFsconfigWords[] = {
    {MS_RDONLY, "ro", "rw"},
    {MS_SYNCHRONOUS, "sync", "async"},
    {MS_DIRSYNC, "dirsync", ""},
    {MS_MANDLOCK, "mand", "nomand"},
    {MS_LAZYTIME, "lazytime", "nolazytime"},
};

// "0-1000-1" or "@0-1000-1".
std::optional<IdMapOptionRange> parse_range(std::string_view text) {
  IdMapOptionRange range;
  if (text.starts_with('@')) {
    range.relative = true;
    text.remove_prefix(1);
  }
  auto numbers = split(text, '-');
  if (numbers.size() != 3) return std::nullopt;
  auto inside = to_number<uint32_t>(numbers[0]);
  auto outside = to_number<uint32_t>(numbers[1]);
  auto size = to_number<uint32_t>(numbers[2]);
  if (!inside || !outside || !size || *size == 0) return std::nullopt;
  range.inside = *inside;
  range.outside = *outside;
  range.size = *size;
  return range;
}

}  // namespace

MountOptions parse_mount_options(std::span<const std::string> words) {
  MountOptions out;
  for (const std::string& word : words) {
    if (auto meaning = find(kWords, word)) {
      apply(*meaning, out);
      continue;
    }
    std::string_view text = word;
    bool idmap = text.starts_with("idmap=");
    if (idmap || text.starts_with("ridmap=")) {
      out.idmap = true;
      out.recursive_idmap = !idmap;
      out.idmap_ids = text.substr(text.find('=') + 1);
      continue;
    }
    if (text.empty()) continue;  // would only put two commas side by side
    if (!out.data.empty()) out.data += ',';
    out.data += text;
  }
  return out;
}

std::vector<std::string_view> known_mount_options() {
  std::vector<std::string_view> names;
  for (const auto& row : kWords) names.push_back(row.name);
  return names;
}

std::vector<std::string_view> fsconfig_words(const MountOptions& options) {
  std::vector<std::string_view> words;
  for (const FsconfigWord& row : kFsconfigWords) {
    if ((options.flags & row.flag) != 0) {
      words.push_back(row.set);
    } else if ((options.cleared_flags & row.flag) != 0 && !row.clear.empty()) {
      words.push_back(row.clear);
    }
  }
  return words;
}

Result<IdMapOption> parse_id_map_option(std::string_view text) {
  IdMapOption option;
  for (std::string_view list : split(text, ';')) {
    std::vector<IdMapOptionRange>* ranges = nullptr;
    if (list.starts_with("uids=")) ranges = &option.uids;
    if (list.starts_with("gids=")) ranges = &option.gids;
    if (ranges == nullptr) {
      return refuse(cat("idmap: ", quoted(list), " starts with neither uids= nor gids="));
    }
    for (std::string_view piece : split(list.substr(5), '#')) {
      auto range = parse_range(piece);
      if (!range) {
        return refuse(
            cat("idmap: ", quoted(piece), " is not a range, which is written as ",
                "FILESYSTEM_ID-MOUNT_ID-SIZE with a size of at least 1, such as 0-1000-1"));
      }
      ranges->push_back(*range);
    }
  }
  return option;
}

}  // namespace ocirt
