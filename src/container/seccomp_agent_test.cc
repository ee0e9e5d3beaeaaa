#include "src/container/seccomp_agent.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/stuck_server.h"
#include "src/sys/test_directory.h"

namespace ocirt::container {
namespace {

using testing::StartsWith;

class StuckAgent : public sys::TestDirectory {
 protected:
  // What is said when it gets 30 ms for a document of about `size` bytes.
  Error error_of(size_t size) {
    oci::State state;
    state.annotations.set("large", std::string(size, 'x'));
    Result<> handed = hand_to_agent({socket, std::nullopt}, dir, 1, state, 30);
    return handed ? Error{} : handed.error();
  }
  const std::string socket = path + "/agent.sock";
  sys::StuckServer agent{socket};
};

TEST_F(StuckAgent, ThatDoesNotAcceptIsGivenUpWithinTheLimit) {
  const Error error = error_of(0);
  EXPECT_EQ(error.code, ETIMEDOUT);
  EXPECT_THAT(error.text,
              StartsWith(cat("linux.seccomp.listenerPath: failed to connect with seccomp agent: "
                             "connect to ",
                             socket, ": not accepted within 30 ms")));
}

TEST_F(StuckAgent, ThatDoesNotReadIsGivenUpWithinTheLimit) {
  agent.accept_one();
  const Error error = error_of(4 << 20);
  EXPECT_EQ(error.code, ETIMEDOUT);
  EXPECT_EQ(error.text,
            cat("linux.seccomp.listenerPath: send to ", socket,
                ": not read within 30 ms: the seccomp agent has to read, or to be restarted"));
}

TEST_F(StuckAgent, ThatHasRoomIsNotWaitedFor) {
  agent.accept_one();
  EXPECT_EQ(error_of(0).text, "");
}

}  // namespace
}  // namespace ocirt::container
