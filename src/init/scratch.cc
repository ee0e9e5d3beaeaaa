#include "src/init/scratch.h"

namespace ocirt::init {

namespace {

// The lowest descriptor from `from` on that is still needed; -1 when there is none.
int next_kept(const Init& init, int from) {
  int next = -1;
  auto keep = [&](int fd) {
    if (fd >= from && (next < 0 || fd < next)) next = fd;
  };
  for (int fd :
       {init.channel, init.plan.gate, init.plan.process.console_fd, init.root, init.proc,
        init.state, init.plan.hooks_out, init.plan.hooks_err, init.plan.device_tree, init.null})
    keep(fd);
  if (init.mounted) return next;
  if (init.plan.has_trees) {
    for (const plan::Mount& mount : init.list(init.plan.mounts)) keep(mount.tree);
  }
  for (size_t i = 0; i < init.opened_sources; ++i) keep(init.sources[i]);
  for (int fd : init.procfs) keep(fd);
  keep(init.host_mounts);
  keep(init.host_procfs);
  keep(init.own_mounts);
  return next;
}

}  // namespace

void sweep(const Init& init) {
  int from = 3 + static_cast<int>(init.plan.process.preserved_fds);
  for (;;) {
    const int fd = next_kept(init, from);
    if (fd < 0) break;
    if (fd > from) bare::call(SYS_close_range, from, fd - 1, 0);
    from = fd + 1;
  }
  bare::call(SYS_close_range, from, ~0U, 0);
}

}  // namespace ocirt::init
