#include "src/container/delete.h"

#include <cerrno>

#include "src/container/stand_in.h"

namespace ocirt::container {
namespace {

class DeleteTest : public StandIn {
 protected:
  // A configuration with these hooks (JSON of a list).
  void write_config(const std::string& id, std::string_view poststop) {
    write_file(
        id, "config.json",
        cat("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"hooks\":{\"poststop\":",
            poststop, "}}"));
  }
  std::string hook(std::string_view script) {
    return cat("{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"", script, "\"]}");
  }
  std::string stopped(const std::string& id) {
    pid_t init = start_process();
    add(id, init);
    end_process(init, true);
    return id;
  }
};

TEST_F(DeleteTest, StoppedContainerIsRemoved) {
  stopped("c1");
  Result<Warnings> removed = remove_container(store, "c1", false);
  ASSERT_TRUE(removed) << removed.error().text;
  EXPECT_TRUE(removed->empty());
  EXPECT_FALSE(in_store("c1"));
}

TEST_F(DeleteTest, RunningContainerIsRefusedAndLeftAlone) {
  Record record = add("c1", start_process());
  Result<Warnings> removed = remove_container(store, "c1", false);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().text, "cannot delete container c1 that is not stopped: running");
  EXPECT_TRUE(in_store("c1"));
  EXPECT_FALSE(has_ended(record.pid));
}

TEST_F(DeleteTest, ForceKillsARunningContainer) {
  pid_t init = start_process();
  add("c1", init);
  ASSERT_TRUE(remove_container(store, "c1", true));
  EXPECT_FALSE(in_store("c1"));
  int status = 0;
  EXPECT_EQ(::waitpid(init, &status, WNOHANG), init) << "delete returned before init had ended";
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  std::erase(children, init);
}

// As `start` waits for an init that somebody has stopped.
TEST_F(DeleteTest, ForceEndsTheInitThatAnotherCommandWaitsFor) {
  pid_t init = start_process();
  add("c1", init);
  ASSERT_EQ(::kill(init, SIGSTOP), 0);
  auto [ours, theirs] = *sys::socket_pair();
  const pid_t holder = ::fork();
  if (holder == 0) {
    Result<Directory> held = store.find("c1", Store::Lock::exclusive);
    Result<UniqueFd> waited_for = sys::pidfd_open(init);
    const bool told = held && waited_for && sys::send_message(theirs, "held");
    ::_exit(told && sys::wait_until_ended(*waited_for, -1) ? 0 : 1);
  }
  ASSERT_EQ(sys::receive_message(ours, 10)->bytes, "held");
  Result<Warnings> removed = remove_container(store, "c1", true);
  EXPECT_TRUE(removed) << removed.error().text;
  EXPECT_FALSE(in_store("c1"));
  int status = 0;
  EXPECT_EQ(::waitpid(holder, &status, 0), holder);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(WTERMSIG(reap(init)), SIGKILL);
}

TEST_F(DeleteTest, CreatedContainerIsKilledWithoutForce) {
  pid_t init = start_process();
  add("c1", init);
  UniqueFd gate = *sys::listen_at(find("c1").fd(), "start");
  ASSERT_TRUE(remove_container(store, "c1", false));
  EXPECT_FALSE(in_store("c1"));
  EXPECT_EQ(WTERMSIG(reap(init)), SIGKILL);
}

TEST_F(DeleteTest, UnknownIdIsFineWithForceOnly) {
  Result<Warnings> removed = remove_container(store, "nobody", false);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().text, "container nobody does not exist");
  removed = remove_container(store, "nobody", true);
  ASSERT_TRUE(removed);
  EXPECT_TRUE(removed->empty());
}

TEST_F(DeleteTest, WhatAnInterruptedCreateLeftIsRemovedByForceOnly) {
  store.create("no-record")->commit();
  store.create("bad-record")->commit();
  write_file("bad-record", "state.json", "{\"version\":1,");
  add("no-init", 0);
  for (const char* id : {"no-record", "bad-record", "no-init"}) {
    Result<Warnings> removed = remove_container(store, id, false);
    ASSERT_FALSE(removed) << id;
    EXPECT_TRUE(in_store(id));
    if (std::string_view(id) != "no-init") {
      EXPECT_NE(removed.error().text.find("delete --force"), std::string::npos);
    }
    ASSERT_TRUE(remove_container(store, id, true)) << id;
    EXPECT_FALSE(in_store(id));
  }
}

// As when --root names a directory that is somebody else's.
TEST_F(DeleteTest, ADirectoryThatHoldsWhatNoContainerHasIsNotRemoved) {
  store.create("project")->commit();
  write_file("project", "notes", "of years");
  Result<Warnings> removed = remove_container(store, "project", true);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().text,
            "project: it holds \"notes\", which is nothing of ocirt's, and no record of a "
            "container: not removed (is --root right?)");
  EXPECT_TRUE(in_store("project"));
}

TEST_F(DeleteTest, PoststopHooksRunAfterTheRemovalWithTheStoppedState) {
  stopped("c1");
  std::string seen = root + "/seen";
  write_config("c1",
               cat("[", hook(cat("cat > ", seen, "; ls ", root, " > ", seen, ".names")), "]"));
  Result<Warnings> removed = remove_container(store, "c1", false);
  ASSERT_TRUE(removed) << removed.error().text;
  EXPECT_TRUE(removed->empty()) << removed->front();
  std::string state = *sys::read_file(sys::kCwd, seen);
  EXPECT_NE(state.find("\"status\":\"stopped\""), std::string::npos) << state;
  EXPECT_NE(state.find("\"id\":\"c1\""), std::string::npos) << state;
  EXPECT_NE(state.find("\"bundle\":\"/bundles/c1\""), std::string::npos) << state;
  EXPECT_EQ(sys::read_file(sys::kCwd, seen + ".names")->find("c1"), std::string::npos);
}

TEST_F(DeleteTest, FailingPoststopHookIsAWarningAndTheNextOneRuns) {
  stopped("c1");
  std::string seen = root + "/seen";
  write_config("c1", cat("[", hook("exit 3"), ",", hook(cat("touch ", seen)), "]"));
  Result<Warnings> removed = remove_container(store, "c1", false);
  ASSERT_TRUE(removed) << removed.error().text;
  EXPECT_EQ(removed->size(), 1u);
  EXPECT_TRUE(sys::exists(sys::kCwd, seen));
  EXPECT_FALSE(in_store("c1"));
}

TEST_F(DeleteTest, UnreadableConfigurationDoesNotKeepTheContainer) {
  stopped("c1");
  write_file("c1", "config.json", "{ \"poststop\" ");
  Result<Warnings> removed = remove_container(store, "c1", false);
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->size(), 1u);
  EXPECT_FALSE(in_store("c1"));
}

}  // namespace
}  // namespace ocirt::container
