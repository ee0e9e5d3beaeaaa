// Retries a system call that a signal interrupted before it did anything. Not for close(2) and not
// for calls with a timeout. Private to src/sys/.
#pragma once

#include <cerrno>

namespace ocirt::sys {

template <class Call>
auto retry(Call call) {
  for (;;) {
    auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace ocirt::sys
