// Files and directories: thin calls under the kernel's own names, close-on-exec at birth, EINTR
// retried, without policy. Every function that takes a directory resolves `path` from it;
// kCwd stands for the working directory. Errors read "open /path: Permission denied".
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"

namespace ocirt::sys {

inline constexpr Fd kCwd{AT_FDCWD};

// openat(2); O_CLOEXEC is always added.
Result<UniqueFd> open(Fd dir, CStr path, int flags, mode_t mode = 0);

// openat2(2) as if `root` were the root directory, also for symlinks.
Result<UniqueFd> open_in_root(Fd root, CStr path, int flags);

// Another number for the same description (F_DUPFD_CLOEXEC).
Result<UniqueFd> duplicate(Fd fd);

// The whole of a file, at most `limit` bytes; a longer file is an error (code EFBIG). Works for
// files of procfs and cgroupfs, whose size is not known beforehand.
Result<std::string> read_file(Fd dir, CStr path, size_t limit = 1 << 20);
// The same for a regular file that we have written ourselves, where a read that comes back short
// has reached the end: no call is needed to know its size.
Result<std::string> read_own_file(Fd dir, CStr path, size_t limit = 1 << 20);
// The same for a file that somebody else has written and that ends with the character `end` or
// blanks behind it, as a JSON document does: where a read that comes back short ends so, it is all.
// A pipe is read to its end. `plainly`: a symlink anywhere in the path is an error, code ELOOP.
Result<std::string> read_document(Fd dir, CStr path, char end, size_t limit = 1 << 20,
                                  bool plainly = false);
// Whether a path is absolute and without anything that the kernel's own spelling does not have.
bool is_plain_path(std::string_view path);
// The same for a descriptor, from its current offset; `name` is for the error.
Result<std::string> read_all(Fd fd, std::string_view name, size_t limit = 1 << 20);

// Opens an existing file and gives `content` to it in one write(2), as control files of the kernel
// demand. Does not create or truncate.
Result<> write_control(Fd dir, CStr path, std::string_view content);
// The same on an open descriptor.
Result<> write_once(Fd fd, std::string_view name, std::string_view content);
// Writes everything, however many write(2) calls that takes.
Result<> write_all(Fd fd, std::string_view name, std::string_view content);

// Puts a file in place as a whole or not at all: temporary name in the same directory, rename(2).
// An old file of that name is replaced. `temporary` must be a name that no other process uses.
Result<> write_file_atomically(Fd dir, CStr name, CStr temporary, std::string_view content,
                               mode_t mode);
// The same without a name before its own (O_TMPFILE, linkat(2)), so that not even SIGKILL leaves
// anything but an empty place: a file that is there already is removed first. Where the file system
// has no files without names, by `temporary`.
Result<> put_file(CStr path, CStr temporary, std::string_view content, mode_t mode);

Result<> mkdir(Fd dir, CStr path, mode_t mode);
Result<> chmod(Fd dir, CStr path, mode_t mode);  // whatever the umask
// mkdir for each missing component, like `mkdir -p`. Follows symlinks: for trusted paths only.
Result<> mkdir_parents(const std::string& path, mode_t mode);
Result<> rmdir(Fd dir, CStr path);
Result<> unlink(Fd dir, CStr path);
Result<> rename(Fd dir, CStr from, CStr to);

// Waits until all that was written to the file system of this directory is on the disk (syncfs(2)).
Result<> sync_filesystem(CStr directory);
// Removes a file or a whole directory without following symlinks. What is not there is no error,
// nor is what somebody else removes at the same time.
Result<> remove_tree(Fd dir, CStr path);

// Names in a directory without "." and "..", unsorted.
Result<std::vector<std::string>> list_directory(Fd dir, CStr path);

// chown(2) of the owner alone, for a path without symlinks.
Result<> give_to(CStr path, uint32_t uid);
// fchown(2) of what is behind a descriptor.
Result<> give_descriptor_to(Fd fd, std::string_view name, uint32_t uid, uint32_t gid);
// fchown(2) of the group alone, and fchmod(2), which takes no account of the umask.
Result<> give_to_group(Fd fd, std::string_view name, uint32_t gid);
Result<> set_mode(Fd fd, std::string_view name, mode_t mode);

bool exists(Fd dir, CStr path);  // follows symlinks; false for any error
// Certainly not there, where more than a message depends on it: false for any other error too.
bool is_absent(Fd dir, CStr path);
bool is_directory(Fd dir, CStr path);
// access(2) with the effective ids, for making and changing what is in a directory.
bool may_write(CStr directory);
Result<struct stat> stat(Fd dir, CStr path);  // follows the last symlink
Result<struct stat> stat_fd(Fd fd, std::string_view name);
// The magic number of the file system (linux/magic.h).
Result<uint64_t> filesystem_type(CStr path);
// The absolute path, without symlinks, of a directory (code ENOTDIR for anything else): in one call
// when `path` is that path, else in three, however deep it is, where realpath(3) makes one for
// every component.
Result<std::string> real_directory(CStr path);
Result<std::string> read_link(Fd dir, CStr path);

// flock(2), exclusive; waits for other holders. Released when the description is closed.
Result<> lock_exclusive(Fd fd, std::string_view name);
Result<> unlock(Fd fd, std::string_view name);

// An empty anonymous file in memory, close-on-exec, that nobody can execute where the kernel knows
// the difference (MFD_NOEXEC_SEAL, Linux 6.3): vm.memfd_noexec=2 refuses every other.
Result<UniqueFd> memory_file(CStr name);

// A sealed, read-only, anonymous file with this content and offset 0: what it holds can no longer
// be changed by anybody, root included (memfd_create(2), F_ADD_SEALS). `executable` says whether it
// may be executed. Close-on-exec.
Result<UniqueFd> sealed_memory(CStr name, std::initializer_list<std::string_view> pieces,
                               bool executable);

// Opens /dev/null in place of standard streams that our caller has closed: the next files that we
// open would otherwise become somebody's standard input or error.
Result<> ensure_standard_streams();

// Writes to standard output or standard error, ignoring failures: there is nobody left to tell.
void print(std::string_view text);
// The errno of the first print() that failed in this process, 0 when none did: what a caller did
// not get has to be said at the end (a full disk, a quota).
int print_failure();
void print_error(std::string_view text);

}  // namespace ocirt::sys
