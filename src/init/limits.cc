// process.oomScoreAdj and process.rlimits.
#include <sys/resource.h>

#include "src/init/init.h"

namespace ocirt::init {
namespace {

// Init goes on in a child as the container's user (successor.cc), and ends: of that user's
// processes there is one more for as long as that takes. So the limit is one higher until then,
// unless a filter that is in force by then could refuse to set it.
bool is_set_after_moving(const Init& init, const plan::Rlimit& limit) {
  return limit.resource == RLIMIT_NPROC && init.plan.join_pid_namespace && !init.plan.move_early &&
         !is_filtered(init);
}

uint64_t one_more(uint64_t limit) { return limit == ~uint64_t{0} ? limit : limit + 1; }

}  // namespace

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
    if (is_set_after_moving(init, limit)) {
      const uint64_t values[2] = {one_more(limit.soft), one_more(limit.hard)};
      // EPERM: there is no such room below the caller's own limit.
      if (bare::call(SYS_prlimit64, 0, limit.resource, values, nullptr) == 0) continue;
    }
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

void set_late_rlimits(const Init& init) {
  for (const plan::Rlimit& limit : init.list(init.plan.process.rlimits)) {
    if (!is_set_after_moving(init, limit)) continue;
    const uint64_t values[2] = {limit.soft, limit.hard};
    must(init, bare::call(SYS_prlimit64, 0, limit.resource, values, nullptr),
         "process.rlimits: set ", init.text(limit.name), " to ", limit.soft, ":", limit.hard);
  }
}

}  // namespace ocirt::init
