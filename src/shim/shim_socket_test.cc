#include "src/shim/shim_socket.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

#include "src/base/text.h"
#include "src/sys/stream.h"
#include "src/sys/test_directory.h"

namespace ocirt::shim {
namespace {

class ShimSocket : public sys::TestDirectory {
 protected:
  std::string socket() const { return cat(path, "/s"); }
  bool is_there() const { return sys::exists(sys::kCwd, socket()); }
};

TEST_F(ShimSocket, OfADeadShimIsTakenAway) {
  sys::listen_stream_at(dir, "s")->reset();
  ASSERT_TRUE(is_there());
  tell_gone(socket(), "c");
  EXPECT_FALSE(is_there());
}

// The kernel closes the descriptors of who is killed one after the other: its daemon has heard of
// the end, and asks for what is left, while the socket still takes connections.
TEST_F(ShimSocket, OfAShimThatIsBeingKilledIsTakenAway) {
  UniqueFd listener = *sys::listen_stream_at(dir, "s");
  std::thread dying([&] {
    pollfd waiting{listener.raw(), POLLIN, 0};
    ::poll(&waiting, 1, 10000);
    listener.reset();
  });
  tell_gone(socket(), "c");
  dying.join();
  EXPECT_FALSE(is_there());
}

TEST_F(ShimSocket, OfALivingShimIsLeftAlone) {
  const UniqueFd listener = *sys::listen_stream_at(dir, "s");
  tell_gone(socket(), "c");  // it does not answer in time
  EXPECT_TRUE(is_there());
}

// Nobody may wait for it: whoever looks has the lock of the sockets of all shims.
TEST_F(ShimSocket, OfAShimThatTakesNoConnectionsHoldsNobodyUp) {
  const UniqueFd listener = *sys::listen_stream_at(dir, "s");
  std::vector<UniqueFd> queue;
  for (Result<Found> found = find_or_take(socket());; found = find_or_take(socket())) {
    if (!found) break;
    ASSERT_LT(queue.size(), 5000U);
    queue.push_back(std::move(found->connection));
  }
  EXPECT_TRUE(is_there());
}

}  // namespace
}  // namespace ocirt::shim
