#include "src/container/options.h"

#include "src/sys/process.h"

namespace ocirt::container {

bool is_rootless(const GlobalOptions& global) {
  if (global.rootless == Rootless::automatic) return sys::effective_uid() != 0;
  return global.rootless == Rootless::yes;
}

}  // namespace ocirt::container
