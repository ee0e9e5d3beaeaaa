// System calls without a libc, for code that runs in a container's init (src/init/) and for what it
// shares with ocirt (src/bare/). Each returns what the kernel returns: a value, or -errno. EINTR is
// retried where the call had no effect yet. Names are the kernel's.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace ocirt::bare {

namespace detail {
#if defined(__x86_64__)
inline long raw(long n, long a, long b, long c, long d, long e, long f) {
  long result = 0;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long raw(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 asm("x8") = n;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc #0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory", "cc");
  return x0;
}
#else
#error "system calls are written for x86_64 and aarch64 only"
#endif
inline long word(long value) { return value; }
inline long word(unsigned long value) { return static_cast<long>(value); }
inline long word(int value) { return value; }
inline long word(unsigned value) { return static_cast<long>(value); }
inline long word(decltype(nullptr)) { return 0; }
template <class T>
long word(T* value) {
  return reinterpret_cast<long>(value);
}
}  // namespace detail

// Any system call; up to six arguments.
template <class... Args>
long call(long number, Args... args) {
  long words[6] = {detail::word(args)...};
  return detail::raw(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

template <class... Args>
long call_again(long number, Args... args) {
  for (;;) {
    long result = call(number, args...);
    if (result != -EINTR) return result;
  }
}

inline long close(int fd) { return call(SYS_close, fd); }
inline long read(int fd, void* to, size_t size) { return call_again(SYS_read, fd, to, size); }
inline long write(int fd, const void* from, size_t size) {
  return call_again(SYS_write, fd, from, size);
}
inline long openat(int dir, const char* path, int flags, unsigned mode = 0) {
  return call_again(SYS_openat, dir, path, flags | O_CLOEXEC, mode);
}
inline long openat2(int dir, const char* path, const open_how& how) {
  return call_again(SYS_openat2, dir, path, &how, sizeof how);
}
inline long mkdirat(int dir, const char* path, unsigned mode) {
  return call(SYS_mkdirat, dir, path, mode);
}
inline long mknodat(int dir, const char* path, unsigned mode, unsigned long device) {
  return call(SYS_mknodat, dir, path, mode, device);
}
inline long symlinkat(const char* target, int dir, const char* path) {
  return call(SYS_symlinkat, target, dir, path);
}
inline long unlinkat(int dir, const char* path, int flags) {
  return call(SYS_unlinkat, dir, path, flags);
}
inline long fchownat(int dir, const char* path, unsigned uid, unsigned gid, int flags) {
  return call(SYS_fchownat, dir, path, uid, gid, flags);
}
inline long mount(const char* source, const char* target, const char* type, unsigned long flags,
                  const char* data) {
  return call(SYS_mount, source, target, type, flags, data);
}
inline long prctl(int option, unsigned long a = 0, unsigned long b = 0, unsigned long c = 0,
                  unsigned long d = 0) {
  return call(SYS_prctl, option, a, b, c, d);
}

// makedev(3): how the kernel's stat and mknod pack a device number.
constexpr unsigned long device_number(unsigned long major, unsigned long minor) {
  return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffUL) << 12 | (major & ~0xfffUL) << 32;
}

[[noreturn]] inline void exit_now(int code) {
  for (;;) call(SYS_exit_group, code);
}

}  // namespace ocirt::bare
