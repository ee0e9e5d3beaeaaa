#include "src/sys/daemon.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/text.h"

#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#define PR_SCHED_CORE_CREATE 1
#endif

namespace ocirt::sys {
namespace {

constexpr int kProcessGroup = 2;  // PR_SCHED_CORE_SCOPE_PROCESS_GROUP, which Linux 5.14 lacks

}  // namespace

Result<> change_directory(CStr path) {
  if (::chdir(path.c_str()) < 0) return os_error(cat("chdir ", path.view()), errno);
  return {};
}

Result<bool> disable_huge_pages() {
  if (::prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1) return false;
  if (::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0) return os_error("PR_SET_THP_DISABLE", errno);
  return true;
}

void allow_huge_pages() { (void)::prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0); }

Result<> isolate_core() {
  if (::prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, kProcessGroup, 0) < 0)
    return os_error("PR_SCHED_CORE_CREATE", errno);
  return {};
}

}  // namespace ocirt::sys
