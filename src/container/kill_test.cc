#include "src/container/kill.h"

#include <cerrno>

#include "src/container/stand_in.h"

namespace ocirt::container {
namespace {

using KillTest = StandIn;

TEST_F(KillTest, SignalReachesInit) {
  pid_t init = start_process();
  add("c1", init);
  ASSERT_TRUE(kill(store, "c1", SIGTERM, false));
  int status = reap(init);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), SIGTERM);
}

TEST_F(KillTest, StoppedContainerIsRefusedInTheWordsThatEnginesLookFor) {
  pid_t init = start_process();
  add("c1", init);
  end_process(init, false);
  Result<> killed = kill(store, "c1", SIGTERM, false);
  ASSERT_FALSE(killed);
  EXPECT_EQ(killed.error().text, "container not running");
  EXPECT_TRUE(kill(store, "c1", SIGKILL, true));
}

TEST_F(KillTest, ProcessThatInheritedThePidIsLeftAlone) {
  Record record = record_of("c1", start_process());
  record.start_time += 1;
  write(record);
  EXPECT_FALSE(kill(store, "c1", SIGKILL, false));
  EXPECT_FALSE(has_ended(record.pid, 50));
}

TEST_F(KillTest, ContainerThatIsBeingCreatedIsRefused) {
  add("c1", 0);
  EXPECT_FALSE(kill(store, "c1", SIGKILL, false));
}

TEST_F(KillTest, AllWithoutACgroupTakesAPidNamespaceOfItsOwn) {
  pid_t init = start_process();
  Record record = add("c1", init);
  Result<> some = kill(store, "c1", SIGTERM, true);
  ASSERT_FALSE(some);
  EXPECT_TRUE(some.error().text.starts_with("not supported")) << some.error().text;
  ASSERT_TRUE(kill(store, "c1", SIGKILL, true));
  EXPECT_EQ(WTERMSIG(reap(init)), SIGKILL);
}

TEST_F(KillTest, UnknownContainerDoesNotExist) {
  Result<> killed = kill(store, "nobody", SIGTERM, true);
  ASSERT_FALSE(killed);
  EXPECT_EQ(killed.error().code, ENOENT);
}

}  // namespace
}  // namespace ocirt::container
