#include "src/init/scratch.h"

namespace ocirt::init {

void sweep(const Init& init) {
  int kept[] = {init.channel, init.plan.gate,      init.plan.process.console_fd, init.root,
                init.state,   init.plan.hooks_out, init.plan.hooks_err};
  for (int& a : kept) {  // seven numbers to sort
    for (int* b = &a + 1; b < kept + 7; ++b) {
      if (*b < a) {
        int swap = a;
        a = *b;
        *b = swap;
      }
    }
  }
  int from = 3 + static_cast<int>(init.plan.process.preserved_fds);
  for (int fd : kept) {
    if (fd < from) continue;
    if (fd > from) bare::call(SYS_close_range, from, fd - 1, 0);
    from = fd + 1;
  }
  bare::call(SYS_close_range, from, ~0U, 0);
}

}  // namespace ocirt::init
