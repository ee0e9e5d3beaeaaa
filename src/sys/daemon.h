// What a process that stays asks of the kernel for itself, once.
#pragma once

#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

// chdir(2).
Result<> change_directory(CStr path);

// PR_SET_THP_DISABLE, which children and programs that they execute inherit: without huge pages a
// small process stays small where the host has them everywhere. False when they were disabled for
// us already.
Result<bool> disable_huge_pages();
// For a child of ours: what it becomes may have them again.
void allow_huge_pages();

// PR_SCHED_CORE: our process group shares a physical core with nobody else. Code ENODEV where no
// core has two threads, EINVAL where the kernel does not know it.
Result<> isolate_core();

}  // namespace ocirt::sys
