// The options that `create` and `run` share.
#pragma once

#include <array>
#include <span>

#include "src/cli/options.h"
#include "src/container/options.h"

namespace ocirt::cli {

inline constexpr std::array kCreateOptions = {
    option<&container::CreateOptions::bundle>("bundle", 'b', "DIR",
                                              "the bundle (default: the working directory)"),
    option<&container::CreateOptions::config_file>(
        "config", 'f', "FILE", "configuration instead of the bundle's config.json"),
    option<&container::CreateOptions::console_socket>(
        "console-socket", 0, "SOCKET", "send the terminal's descriptor to this UNIX socket"),
    option<&container::CreateOptions::pidfd_socket>(
        "pidfd-socket", 0, "SOCKET", "send a pidfd of the container's process to this UNIX socket"),
    option<&container::CreateOptions::pid_file>("pid-file", 0, "FILE",
                                                "write the pid of the container's process here"),
    toggle<&container::CreateOptions::no_pivot>(
        "no-pivot", 0, "do not use pivot_root (for a rootfs on a ramdisk)"),
    toggle<&container::CreateOptions::no_new_keyring>("no-new-keyring", 0,
                                                      "keep the session keyring of the caller"),
    option<&container::CreateOptions::preserve_fds>("preserve-fds", 0, "N",
                                                    "leave N more descriptors open, from 3 on"),
};

// The rows of kCreateOptions and then `more`.
template <size_t N>
consteval auto with_create_options(const std::array<Option, N>& more) {
  std::array<Option, kCreateOptions.size() + N> all{};
  for (size_t i = 0; i < kCreateOptions.size(); ++i) all[i] = kCreateOptions[i];
  for (size_t i = 0; i < N; ++i) all[kCreateOptions.size() + i] = more[i];
  return all;
}

}  // namespace ocirt::cli
