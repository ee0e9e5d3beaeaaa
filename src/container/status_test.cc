#include "src/container/status.h"

#include <sys/socket.h>

#include "src/container/stand_in.h"

namespace ocirt::container {
namespace {

class StatusTest : public StandIn {
 protected:
  oci::Status status(const std::string& id) {
    Directory directory = find(id);
    Result<oci::Status> found = status_of(directory, *directory.read());
    EXPECT_TRUE(found) << found.error().text;
    return found ? *found : oci::Status::kCreating;
  }
};

TEST_F(StatusTest, WithoutInitIsCreating) {
  add("c1", 0);
  EXPECT_EQ(status("c1"), oci::Status::kCreating);
}

TEST_F(StatusTest, IsCreatedWhileInitListensAndRunningAfterwards) {
  add("c1", start_process());
  {
    UniqueFd gate = *sys::listen_at(find("c1").fd(), "start");
    // The question does not wait for an answer, however often it is asked.
    for (int i = 0; i < 3; ++i) EXPECT_EQ(status("c1"), oci::Status::kCreated);
  }
  EXPECT_EQ(status("c1"), oci::Status::kRunning);  // the name is still there, nobody listens
  ASSERT_TRUE(sys::unlink(find("c1").fd(), "start"));
  EXPECT_EQ(status("c1"), oci::Status::kRunning);
}

TEST_F(StatusTest, GivesTheConnectionThatToldThatInitWaits) {
  add("c1", start_process());
  Directory directory = find("c1");
  const Record record = *directory.read();
  UniqueFd gate = *sys::listen_at(directory.fd(), kGate);
  UniqueFd connection;
  ASSERT_EQ(standing_of(directory, record, &connection)->status, oci::Status::kCreated);
  ASSERT_TRUE(sys::send_message(connection, "start"));
  UniqueFd accepted(::accept(gate.raw(), nullptr, nullptr));
  EXPECT_EQ(sys::receive_message(accepted)->bytes, "start");
  connection.reset();
  gate.reset();
  EXPECT_EQ(standing_of(directory, record, &connection)->status, oci::Status::kRunning);
  EXPECT_FALSE(connection.valid());
  ASSERT_TRUE(sys::unlink(directory.fd(), kGate));
  EXPECT_EQ(standing_of(directory, record, &connection)->status, oci::Status::kRunning);
}

TEST_F(StatusTest, IsStoppedWhenInitIsAZombieOrGone) {
  pid_t init = start_process();
  Record record = add("c1", init);
  EXPECT_TRUE(open_init(record)->valid());
  end_process(init, false);
  EXPECT_EQ(status("c1"), oci::Status::kStopped);
  EXPECT_FALSE(open_init(record)->valid());
  reap(init);
  EXPECT_EQ(status("c1"), oci::Status::kStopped);
  EXPECT_FALSE(open_init(record)->valid());
}

TEST_F(StatusTest, IsStoppedWhenThePidBelongsToAnotherProcess) {
  Record record = record_of("c1", start_process());
  record.start_time += 1;
  write(record);
  EXPECT_EQ(status("c1"), oci::Status::kStopped);
  EXPECT_FALSE(open_init(record)->valid());
}

TEST_F(StatusTest, StateDocumentHasNoPidWhenStopped) {
  Record record = record_of("c1", start_process());
  record.annotations.set("a", "b");
  oci::State state = state_of(record, oci::Status::kRunning);
  EXPECT_EQ(state.pid, record.pid);
  EXPECT_EQ(state.oci_version, record.oci_version);
  EXPECT_EQ(state.id, "c1");
  EXPECT_EQ(state.bundle, record.bundle);
  EXPECT_EQ(state.annotations, record.annotations);
  EXPECT_EQ(state_of(record, oci::Status::kStopped).pid, 0);
}

}  // namespace
}  // namespace ocirt::container
