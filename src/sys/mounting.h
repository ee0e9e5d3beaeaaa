// Mounts and namespaces that a pod has on the host: made by path, for trusted paths only (a pod's
// own directory, into which nobody but its owner can look). Those of containers are made by their
// init.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

// mount(2); errors name type and target.
Result<> mount(CStr source, CStr target, CStr type, uint64_t flags, CStr data);
// Binds a file or directory; `flags` (MS_RDONLY, MS_NOSUID, ...) are of the new mount.
Result<> bind(CStr source, CStr target, bool recursive, uint64_t flags);
// mount(2) with `directory` as the working directory meanwhile, from which relative paths in `data`
// lead: the kernel takes no more than a page of options.
Result<> mount_from(CStr directory, CStr source, CStr target, CStr type, uint64_t flags, CStr data);
// Takes the topmost mount away, also while it is in use (MNT_DETACH). None there: code EINVAL.
Result<> unmount(CStr target);
// Takes away everything that is mounted at `target` or below it. What is not in use has been
// written back when this returns; what is in use goes when its last user has. Nothing there is no
// error, nor is a target that is not there.
Result<> unmount_everything(const std::string& target);
// The targets of all mounts below `directory` (not on it), the last one first.
Result<std::vector<std::string>> mounts_below(const std::string& directory);

// unshare(2).
Result<> unshare(uint64_t flags);
Result<> set_hostname(std::string_view name);
// Keeps a namespace of this process ("ipc", "uts", "pid_for_children") alive by a file.
Result<> pin_namespace(std::string_view kind, const std::string& path);

// openat2(2) that does not leave `root` and follows no symbolic links.
Result<UniqueFd> open_beneath(Fd root, CStr path, int flags);

}  // namespace ocirt::sys
