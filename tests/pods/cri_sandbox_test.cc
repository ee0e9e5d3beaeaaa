// The Sandbox service of the shim under containerd, as its CRI plugin uses it with `sandboxer =
// "shim"`. What a real daemon does with it: tests/engines/sandboxed.py.
#include <sys/mount.h>

#include "tests/pods/cri_sandbox_fixture.h"

namespace harness {
namespace {

TEST_F(CriSandbox, HoldsNamespacesWithoutAProcess) {
  ASSERT_EQ(create_sandbox(), "");
  const pid_t shim = shim_at(address_);
  const pid_t id = start_sandbox();
  ASSERT_GT(id, 0);
  EXPECT_TRUE(exists(cat("/proc/", shim, "/task/", id))) << "a thread of the shim";
  EXPECT_EQ(read_file(cat("/proc/", shim, "/task/", shim, "/children")), "");
  const std::string ipc = link_target(cat("/proc/", id, "/ns/ipc"));
  EXPECT_NE(ipc, link_target(cat("/proc/", shim, "/ns/ipc")));
  EXPECT_EQ(read_file(files() + "/hostname"), "box\n");
  EXPECT_EQ(read_file(files() + "/hosts"), read_file("/etc/hosts"));
  EXPECT_EQ(mount_at(parse_mountinfo(own_mounts()), shared_memory()).type, "tmpfs");
  EXPECT_EQ(state(), "SANDBOX_READY");

  EXPECT_EQ(stop_sandbox(), "");
  EXPECT_EQ(state(), "SANDBOX_NOTREADY");
  EXPECT_FALSE(exists(cat("/proc/", id))) << "the namespaces are let go";
  EXPECT_EQ((sandbox<wire::WaitSandboxResponse, wire::WaitSandboxRequest>("WaitSandbox")), "");
  EXPECT_EQ(shut_down(), "");
  EXPECT_TRUE(eventually([&] { return shim_at(address_) == 0; }));
  EXPECT_FALSE(exists(files()));
  EXPECT_FALSE(exists(shared_memory()));
}

TEST_F(CriSandbox, SharedPidsTakeAFirstProcess) {
  ASSERT_EQ(create_sandbox({.pids = 0}), "");
  const pid_t shim = shim_at(address_);
  const pid_t first = start_sandbox();
  EXPECT_EQ(trim(read_file(cat("/proc/", shim, "/task/", shim, "/children"))),
            std::to_string(first));
  EXPECT_EQ(names_in(cat("/proc/", shim, "/task")).size(), 1U) << "and no thread";
  EXPECT_NE(link_target(cat("/proc/", first, "/ns/ipc")),
            link_target(cat("/proc/", shim, "/ns/ipc")));
  EXPECT_EQ(stop_sandbox(), "");
  EXPECT_TRUE(eventually([&] { return !exists(cat("/proc/", first)); }));
  EXPECT_EQ(shut_down(), "");
}

TEST_F(CriSandbox, StopOfAFirstProcessThatDoesNotEndIsNoSuccessTheSecondTimeEither) {
  ASSERT_EQ(create_sandbox({.pids = 0}), "");
  const pid_t first = start_sandbox();
  const std::string record = path_ + "/first-process";
  const std::string said = read_file(record);
  write_file(record, "damaged");
  EXPECT_SAYS(stop_sandbox(), "is damaged");
  EXPECT_SAYS(stop_sandbox(), "is damaged");
  EXPECT_SAYS(shut_down(), "is damaged");
  EXPECT_TRUE(exists(cat("/proc/", first)));
  write_file(record, said);
  EXPECT_EQ(stop_sandbox(), "");
  EXPECT_TRUE(eventually([&] { return !exists(cat("/proc/", first)); }));
  EXPECT_EQ(shut_down(), "");
}

TEST_F(CriSandbox, ShutdownOfTasksDoesNotEndIt) {
  ASSERT_EQ(create_sandbox(), "");
  EXPECT_EQ(shutdown(address_), "");
  EXPECT_EQ(state(), "SANDBOX_READY");
  EXPECT_EQ(shut_down(), "");
  EXPECT_TRUE(eventually([&] { return shim_at(address_) == 0; }));
}

TEST_F(CriSandbox, StaysWhileItHasContainers) {
  ASSERT_EQ(create_sandbox(), "");
  const std::string bundle_path = bundle_of("app", "pod");
  ASSERT_EQ(create(address_, "app", bundle_path), "");
  EXPECT_SAYS(shut_down(), "sandbox pod has the container app still");
  EXPECT_EQ(remove(address_, "app"), "");
  EXPECT_EQ(shut_down(), "");
}

TEST_F(CriSandbox, MakesItsFilesAgainWhenTheyWereTakenAway) {
  ASSERT_EQ(create_sandbox(), "");
  write_file(shared_memory() + "/kept", "word");
  ASSERT_EQ(::umount2(shared_memory().c_str(), 0), 0);
  remove_tree(files());
  remove_tree(scratch() + "/run/io.containerd.grpc.v1.cri");
  EXPECT_EQ(state(), "SANDBOX_READY");
  EXPECT_EQ(read_file(files() + "/hostname"), "box\n");
  EXPECT_EQ(read_file(shared_memory() + "/kept"), "word");
}

TEST_F(CriSandbox, WhatFailsIsUndoneAndTheShimEnds) {
  EXPECT_SAYS(create_sandbox({.sysctl = "kernel.panic"}), "sysctls: sysctl \"kernel.panic\"");
  EXPECT_TRUE(eventually([&] { return shim_at(address_) == 0; }));
  EXPECT_FALSE(exists(files()));
  EXPECT_FALSE(exists(shared_memory()));
}

TEST_F(CriSandbox, DeleteOfOneWhoseShimWasKilledTakesItsContainersToo) {
  ASSERT_EQ(create_sandbox({.pids = 0}), "");
  const pid_t first = start_sandbox();
  ASSERT_EQ(create(address_, "app", bundle_of("app", "pod")), "");
  const pid_t shim = shim_at(address_);
  ::kill(shim, SIGKILL);
  ASSERT_TRUE(wait_for_end(shim));
  EXPECT_OK(run_command(command("pod", path_, "delete")));
  reap_orphans();
  EXPECT_FALSE(exists(cat("/proc/", first)));
  EXPECT_FALSE(exists(files()));
  EXPECT_FALSE(exists(shared_memory()));
  EXPECT_EQ(names_in(root_ + "/test"), std::vector<std::string>());
}

TEST_F(CriSandbox, SigtermTakesItAway) {
  ASSERT_EQ(create_sandbox(), "");
  ::kill(shim_at(address_), SIGTERM);
  EXPECT_TRUE(eventually([&] { return shim_at(address_) == 0; }));
  EXPECT_FALSE(exists(files()));
  EXPECT_FALSE(exists(shared_memory()));
}

TEST_F(CriSandbox, OthersAreNotKnown) {
  EXPECT_SAYS((sandbox<wire::PingResponse, wire::PingRequest>("PingSandbox")), "not found");
  ASSERT_EQ(create_sandbox(), "");
  EXPECT_SAYS(create_sandbox(), "is there already");
  EXPECT_SAYS((sandbox<wire::PingResponse, wire::PingRequest>("PingSandbox", "x")), "not found");
  EXPECT_EQ((sandbox<wire::PingResponse, wire::PingRequest>("PingSandbox")), "");
}

}  // namespace
}  // namespace harness
