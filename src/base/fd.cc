#include "src/base/fd.h"

namespace ocirt {
namespace {

// The one thing that a process knows about itself as a whole: that it ends.
constinit bool leaving = false;

}  // namespace

void UniqueFd::leave_open() { leaving = true; }

bool UniqueFd::is_leaving() { return leaving; }

void UniqueFd::close_unless_leaving(int fd) {
  if (!leaving) ::close(fd);
}

}  // namespace ocirt
