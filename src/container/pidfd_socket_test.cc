#include "src/container/pidfd_socket.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/stuck_server.h"
#include "src/sys/test_directory.h"

namespace ocirt::container {
namespace {

using testing::StartsWith;

using PidfdReceiver = sys::TestDirectory;

TEST_F(PidfdReceiver, ThatIsStuckIsGivenUpWithinTheLimit) {
  const std::string socket = path + "/pidfd.sock";
  sys::StuckServer server(socket);
  Result<std::vector<UniqueFd>> of_option = connect_pidfd_sockets(socket, {}, 30);
  ASSERT_FALSE(of_option);
  EXPECT_EQ(of_option.error().code, ETIMEDOUT);
  EXPECT_THAT(of_option.error().text, StartsWith(cat("--pidfd-socket: connect to ", socket,
                                                     ": not accepted within 30 ms")));
  EXPECT_THAT(connect_pidfd_sockets({}, socket, 30).error().text,
              StartsWith(cat("annotations: run.oci.pidfd_receiver: connect to ", socket,
                             ": not accepted within 30 ms")));
}

}  // namespace
}  // namespace ocirt::container
