// A container may leave directories behind that are nested deeper than we have descriptors, or a
// stack: those far down are moved to the top of the tree, whose turn comes again.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::sys {
namespace {

constexpr unsigned kDeepest = 32;  // descriptors that are open at a time
constexpr unsigned kMostOthersTurns = 100;

// Somebody else may have removed it meanwhile.
Result<> unless_absent(Result<> removed) {
  if (!removed && removed.error().code == ENOENT) return {};
  return removed;
}

class Removal {
 public:
  Result<> remove(Fd dir, CStr path, unsigned depth = 0);

 private:
  Result<> move_up(Fd dir, CStr path);
  Result<> empty(Fd here, CStr path, unsigned depth);
  Fd top_;
  unsigned moved_ = 0;
};

Result<> Removal::move_up(Fd dir, CStr path) {
  for (;;) {
    const std::string name = cat(".moved-", moved_++);
    if (::renameat(dir.raw(), path.c_str(), top_.raw(), name.c_str()) == 0) return {};
    if (errno == ENOENT) return {};
    // The name is somebody's own.
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) continue;
    return os_error(cat("rename ", path.view()), errno);
  }
}

Result<> Removal::empty(Fd here, CStr path, unsigned depth) {
  for (const std::string& name : TRY(list_directory(here, "."))) {
    TRY(within(path.view(), remove(here, name, depth + 1)));
  }
  return {};
}

Result<> Removal::remove(Fd dir, CStr path, unsigned depth) {
  if (::unlinkat(dir.raw(), path.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  if (errno == ENOTDIR) return unless_absent(unlink(dir, path));
  if (errno != ENOTEMPTY && errno != EEXIST) return os_error(cat("rmdir ", path.view()), errno);
  if (depth == kDeepest) return move_up(dir, path);
  Result<UniqueFd> opened = open(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!opened) return unless_absent(std::unexpected(std::move(opened).error()));
  UniqueFd here = *std::move(opened);
  if (depth == 0) top_ = here;
  // Until nothing was moved here: by us, however often that takes, or by who removes the same tree
  // and gives the same names. For others there is a bound: who goes on making files in it must not
  // keep us for ever.
  for (unsigned others = 0; others < kMostOthersTurns;) {
    const unsigned before = moved_;
    TRY(empty(here, path, depth));
    Result<> removed = unless_absent(rmdir(dir, path));
    if (removed || removed.error().code != ENOTEMPTY) return removed;
    if (depth != 0) return {};  // then what is above is not empty either
    if (moved_ == before) ++others;
  }
  return os_error(cat("rmdir ", path.view()), ENOTEMPTY);
}

}  // namespace

Result<> remove_tree(Fd dir, CStr path) { return Removal().remove(dir, path); }

}  // namespace ocirt::sys
