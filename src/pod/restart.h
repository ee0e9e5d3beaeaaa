// Is a container started again, and when?
//
// The wait is Kubernetes': the first restart comes at once, since most containers that fail once do
// not fail twice; the second after restart_backoff_ms, and each further one after double the time,
// up to a limit. A container that ran for restart_backoff_reset_ms is forgiven.
#pragma once

#include <algorithm>
#include <cstdint>

#include "src/pod/pod.h"

namespace ocirt::pod {

// `condemned`: a probe or a postStart handler has ended it, so that its exit code says nothing.
constexpr bool is_restarted(Role role, RestartPolicy policy, bool success, bool condemned) {
  switch (role) {
    case Role::kSidecar:
      return true;
    case Role::kInit:
      return !success && policy != RestartPolicy::kNever;
    case Role::kApp:
      break;
  }
  if (policy == RestartPolicy::kOnFailure) return !success || condemned;
  return policy == RestartPolicy::kAlways;
}

// The wait before the next restart of one container.
struct Backoff {
  uint32_t next_ms = 0;

  // The wait after an instance that ran for `ran_ms`; the next one will be longer.
  constexpr uint32_t take(const Pod& pod, uint64_t ran_ms) {
    if (ran_ms >= pod.restart_backoff_reset_ms) next_ms = 0;
    const uint32_t wait = next_ms;
    next_ms = static_cast<uint32_t>(
        wait == 0 ? pod.restart_backoff_ms
                  : std::min<uint64_t>(uint64_t{wait} * 2, pod.restart_backoff_max_ms));
    return wait;
  }

  // The wait after a failure to create: trying again at once would fail again.
  constexpr uint32_t take_after_error(const Pod& pod) {
    next_ms = std::max(next_ms, pod.restart_backoff_ms);
    return take(pod, 0);
  }
};

}  // namespace ocirt::pod
