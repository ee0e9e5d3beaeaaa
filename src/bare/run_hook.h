// Runs one hook (config.md, "POSIX-platform Hooks"): the state document on its standard input, a
// time limit, and the end of what it printed kept for the error message. Used by ocirt for hooks of
// the runtime's namespaces and by a container's init for those of the container's, hence without a
// libc and without allocation.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>

#include "src/bare/text.h"

namespace ocirt::bare {

struct HookRequest {
  const char* path = nullptr;
  const char* const* argv = nullptr;
  const char* const* envp = nullptr;
  uint32_t timeout_s = 0;  // 0: none. Finding and reading the program counts
  int state = -1;          // file with the state document, needed; becomes standard input, offset 0
  int out = -1, err = -1;  // files for what it prints; -1: the end of it is kept for the message
  // A seccomp filter for the hook, unless null, and the flags to load it with. The caller needs
  // no_new_privs or CAP_SYS_ADMIN for it (seccomp(2)).
  const sock_fprog* filter = nullptr;
  uint32_t filter_flags = 0;
};

enum class HookEnd {
  success,
  not_started,  // detail: errno, of clone3 or of the hook's execve
  exited,       // detail: status other than 0
  killed,       // detail: signal
  timed_out,    // detail: the limit in seconds; the hook has got SIGKILL
};

struct HookResult {
  HookEnd end = HookEnd::success;
  int detail = 0;
  bool remains = false;  // timed_out: it waits in the kernel, where SIGKILL does not reach it
  // The last that it wrote to standard error or output, without line ends; at most 500 bytes.
  Buffer<512> output;
};

// A hook that never reads its input does not fail for that: the input is a file, not a pipe. What
// it prints never reaches our own output, which callers parse.
HookResult run_hook(const HookRequest& request);

// "hooks.createRuntime[2] (/usr/bin/x): exited with status 3; its last output: ...". For
// not_started the errno's sentence is still to be added.
void describe_hook_failure(Buffer<1024>& out, const char* kind, uint32_t index, const char* path,
                           const HookResult& result);

}  // namespace ocirt::bare
