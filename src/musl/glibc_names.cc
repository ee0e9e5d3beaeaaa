// What objects that were compiled with glibc's headers ask for by names that musl does not have.
//
// Ours are compiled once, for the tests with glibc and for the programs with musl: both follow the
// kernel's and the processor's ABI in what we call (tests/tools/abi compares them), and Debian's
// archives of libseccomp, yajl and libcap are such objects too. Here are the functions behind
// glibc's macros, those that -D_FORTIFY_SOURCE puts in place of others, and system calls that are
// newer than musl 1.2.3.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "src/base/terminate.h"

extern "C" {

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): names of the C library

// std::shared_ptr counts without atomic operations then. None of these programs has a thread.
char __libc_single_threaded = 1;
void* __dso_handle = nullptr;  // crtbegin.o's, which is for unwinding

// ---- fortified: the last parameter is what the compiler knows of the target's size

void* __memcpy_chk(void* to, const void* from, size_t size, size_t room) {
  if (size > room) ocirt::end_with("memcpy beyond its target");
  return memcpy(to, from, size);
}
int __snprintf_chk(char* to, size_t size, int, size_t room, const char* format, ...) {
  if (size > room) ocirt::end_with("snprintf beyond its target");
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(to, size, format, arguments);
  va_end(arguments);
  return length;
}
int __sprintf_chk(char* to, int, size_t room, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(to, room, format, arguments);
  va_end(arguments);
  if (length < 0 || static_cast<size_t>(length) >= room)
    ocirt::end_with("sprintf beyond its target");
  return length;
}
int __fprintf_chk(FILE* to, int, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = vfprintf(to, format, arguments);
  va_end(arguments);
  return length;
}
int __asprintf_chk(char** made, int, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = vasprintf(made, format, arguments);
  va_end(arguments);
  return length;
}

// ---- behind macros: CMSG_NXTHDR(3), makedev(3)

cmsghdr* __cmsg_nxthdr(msghdr* message, cmsghdr* header) noexcept {
  auto* const begin = reinterpret_cast<char*>(header);
  const char* const end = static_cast<char*>(message->msg_control) + message->msg_controllen;
  const auto left = static_cast<size_t>(end - begin);
  if (header->cmsg_len < sizeof(cmsghdr) || header->cmsg_len > left) return nullptr;
  const size_t step = CMSG_ALIGN(header->cmsg_len);
  if (step > left || left - step < sizeof(cmsghdr)) return nullptr;
  auto* const next = reinterpret_cast<cmsghdr*>(begin + step);
  return CMSG_ALIGN(next->cmsg_len) > left - step ? nullptr : next;
}
dev_t gnu_dev_makedev(unsigned major, unsigned minor) noexcept {
  return (dev_t{major & 0xfffff000} << 32) | (dev_t{major & 0xfff} << 8) |
         (dev_t{minor & 0xffffff00} << 12) | (minor & 0xff);
}
unsigned gnu_dev_major(dev_t device) noexcept {
  return static_cast<unsigned>(((device >> 32) & 0xfffff000) | ((device >> 8) & 0xfff));
}
unsigned gnu_dev_minor(dev_t device) noexcept {
  return static_cast<unsigned>(((device >> 12) & 0xffffff00) | (device & 0xff));
}

// ---- system calls

int close_range(unsigned first, unsigned last, int flags) noexcept {
  return static_cast<int>(syscall(SYS_close_range, first, last, flags));
}
int statx(int dir, const char* path, int flags, unsigned mask, struct statx* status) noexcept {
  return static_cast<int>(syscall(SYS_statx, dir, path, flags, mask, status));
}
int fsopen(const char* type, unsigned flags) noexcept {
  return static_cast<int>(syscall(SYS_fsopen, type, flags));
}
int fsconfig(int fs, unsigned command, const char* key, const void* value, int aux) noexcept {
  return static_cast<int>(syscall(SYS_fsconfig, fs, command, key, value, aux));
}
int fsmount(int fs, unsigned flags, unsigned attributes) noexcept {
  return static_cast<int>(syscall(SYS_fsmount, fs, flags, attributes));
}
// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)
}
