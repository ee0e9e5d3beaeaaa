// Control files of the kernel (cgroupfs): read in as few calls as they allow, and waited on. kernfs
// reports a change of such a file through poll(2) as POLLPRI, so that nobody has to look again and
// again whether a cgroup is frozen or empty.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

// The content of a control file that fits into one read(2) of 4096 bytes, as those with one value
// or a few lines do; what is beyond is an error (code EFBIG). One call less than read_file().
Result<std::string> read_control(Fd dir, CStr path);

// The same from an open descriptor, from the file's beginning: for files that are read repeatedly.
Result<std::string> reread_control(Fd fd, std::string_view name);

// Waits until the kernel reports a change of the file since it was last read, at most `timeout_ms`
// milliseconds. True when the file is to be read again (a signal counts as a reason), false when
// the time is over.
Result<bool> wait_for_change(Fd fd, int timeout_ms);

// Names of the directories in a directory, unsorted. One fstatat(2) when there are none, since the
// link count of a cgroup tells. Code ENOENT when there is no such directory.
Result<std::vector<std::string>> list_subdirectories(Fd dir, CStr path);

// Gives the processor away for some milliseconds: for the few things that the kernel changes
// without reporting it.
void pause_ms(int ms);

// Whether this process is in a user namespace that does not map all ids, that is, whether being
// root here is not being root on the host.
bool in_user_namespace();

}  // namespace ocirt::sys
