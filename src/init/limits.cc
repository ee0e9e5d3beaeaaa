// process.oomScoreAdj and process.rlimits.
#include "src/init/init.h"

namespace ocirt::init {

// Through the host's /proc, while it is there (see sysctls.cc).
void adjust_oom_score(Init& init) {
  if (!init.plan.process.set_oom_score || init.plan.user.settles) return;  // then ocirt has done it
  bare::Buffer<16> value;
  value << init.plan.process.oom_score;
  int fd = static_cast<int>(must(init, bare::openat(AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY),
                                 "process.oomScoreAdj: open /proc/self/oom_score_adj"));
  must(init, bare::write(fd, value.c_str(), value.view().size()), "process.oomScoreAdj: set to ",
       value.view());
  bare::close(fd);
}

void set_rlimits(Init& init) {
  for (const plan::Rlimit& limit : init.list(init.plan.process.rlimits)) {
    const uint64_t values[2] = {limit.soft, limit.hard};
    long result = bare::call(SYS_prlimit64, 0, limit.resource, values, nullptr);
    if (result == -EPERM) {
      fail(init, EPERM, "process.rlimits: set ", init.text(limit.name), " to ", limit.soft, ":",
           limit.hard,
           ", above the hard limit that ocirt was started with, which takes CAP_SYS_RESOURCE");
    }
    must(init, result, "process.rlimits: set ", init.text(limit.name), " to ", limit.soft, ":",
         limit.hard);
  }
}

}  // namespace ocirt::init
