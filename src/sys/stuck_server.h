// For unit tests: a program that listens and is stuck. Its queue of callers is full.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <string>
#include <vector>

#include "src/base/fd.h"
#include "src/sys/socket.h"

namespace ocirt::sys {

class StuckServer {
 public:
  explicit StuckServer(const std::string& path)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_.raw(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.raw(), 0), 0);
    for (;;) {
      Result<UniqueFd> caller = connect_stream_at_once(path);
      if (!caller) {
        EXPECT_EQ(caller.error().code, EAGAIN);
        return;
      }
      callers_.push_back(std::move(*caller));
    }
  }

  // Accepts one caller, so that there is room for one more, whom nobody reads.
  void accept_one() {
    accepted_.emplace_back(::accept4(listener_.raw(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_TRUE(accepted_.back().valid());
  }

 private:
  UniqueFd listener_;
  std::vector<UniqueFd> callers_, accepted_;
};

}  // namespace ocirt::sys
