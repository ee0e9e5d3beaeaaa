// Loads the filter that ocirt compiled. When: without no_new_privs only a process with
// CAP_SYS_ADMIN may load one (seccomp(2)), so it goes in before capabilities are dropped; otherwise
// as late as possible, so that a profile need not allow what init still has to do.
#include "src/init/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "src/init/channel.h"
#include "src/init/init.h"

namespace ocirt::init {
namespace {

void load(Init& init) {
  const plan::Process& process = init.plan.process;
  auto words = init.list(process.seccomp);
  if (words.empty()) return;
  sock_fprog program = filter_program(words);
  long result = bare::call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, process.seccomp_flags, &program);
  must(init, result, "load the filter");
  if ((process.seccomp_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0) {
    // The exec closes the descriptor: only the agent may have it.
    tell(init, plan::Word::listener, static_cast<int>(result));
    await(init, plan::Word::listener_done);
  }
}

}  // namespace

void load_early_filter(Init& init) {
  if (!init.plan.process.no_new_privileges) load(init);
}

void load_late_filter(Init& init) {
  if (init.plan.process.no_new_privileges) load(init);
}

}  // namespace ocirt::init
