// The shim's command line as containerd uses it, without a containerd: which shim a container gets,
// what is answered to which daemon, how it ends, and what `delete` takes away. What real daemons do
// with it: tests/engines/shim.py.
#include "tests/pods/containerd_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;

TEST_F(ContainerdShim, StartSaysTheAddressAndLeavesItInTheBundle) {
  const std::string path = bundle_of("c1");
  const std::string address = start("c1", path);
  ASSERT_TRUE(address.starts_with("unix://" + sockets_ + "/s/")) << address;
  EXPECT_EQ(read_file(path + "/address"), address);
  struct stat info{};
  ASSERT_EQ(::stat(path_of(address).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  ASSERT_EQ(::stat((sockets_ + "/s").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
  const pid_t shim = shim_at(address);
  ASSERT_GT(shim, 0);
  EXPECT_EQ(::getpgid(shim), shim);
  EXPECT_EQ(link_target(cat("/proc/", shim, "/cwd")), path);
  EXPECT_EQ(std::stoi(read_file(cat("/proc/", shim, "/oom_score_adj"))),
            std::stoi(read_file("/proc/self/oom_score_adj")) + 1);
  EXPECT_EQ(shutdown(address), "");
  EXPECT_TRUE(eventually([&] { return shim_at(address) == 0; }));
  EXPECT_FALSE(exists(path_of(address)));
}

TEST_F(ContainerdShim, OlderDaemonsAreAnsweredInTextOrJson) {
  const std::string path = bundle_of("old");
  auto options = wire::blank<wire::RuncOptions>();
  options.root = wire::lend(root_);
  const wire::AnyValue value = wire::any_of(options);
  Command start = command("old", path, "start");
  start.input = wire::pack(value.lend());
  const Outcome text = run_command(start);
  ASSERT_OK(text);
  EXPECT_TRUE(text.out.starts_with("unix:///run/containerd/s/")) << text.out;
  EXPECT_EQ(text.out.size(), std::string("unix:///run/containerd/s/").size() + 64);
  addresses_.insert(text.out);
  start.env = {{"MAX_SHIM_VERSION", "2"}};
  EXPECT_EQ(run_command(start).out,
            cat(R"({"version":2,"address":")", text.out, R"(","protocol":"ttrpc"})"));
}

TEST_F(ContainerdShim, ContainersOfAGroupHaveOneShim) {
  const std::string address = start("pod", bundle_of("pod", "pod"));
  const std::string path = bundle_of("app", "pod");
  EXPECT_EQ(start("app", path), address);
  EXPECT_EQ(read_file(path + "/address"), address);
  EXPECT_NE(start("other", bundle_of("other", "elsewhere")), address);
}

TEST_F(ContainerdShim, StartedAtOnceTheyStillHaveOneShim) {
  std::vector<std::unique_ptr<Process>> all;
  for (int i = 0; i < 8; ++i) {
    const std::string id = cat("c", i);
    all.push_back(std::make_unique<Process>(start_command(id, bundle_of(id, "pod"))));
  }
  std::set<std::string> addresses;
  for (const auto& process : all) addresses.insert(address_in(process->wait()));
  EXPECT_EQ(addresses.size(), 1U);
  int shims = 0;
  for (const auto& [pid, line] : living_orphans())
    shims += line.find("containerd-shim-ocirt-v2") != std::string::npos ? 1 : 0;
  EXPECT_EQ(shims, 1);
}

TEST_F(ContainerdShim, SocketOfADeadShimIsReplaced) {
  const std::string path = bundle_of("c1");
  const std::string address = start("c1", path);
  const pid_t first = shim_at(address);
  ASSERT_GT(first, 0);
  ::kill(first, SIGKILL);
  ASSERT_TRUE(wait_for_end(first));
  EXPECT_TRUE(exists(path_of(address)));
  EXPECT_EQ(start("c1", path), address);
  const pid_t second = shim_at(address);
  EXPECT_GT(second, 0);
  EXPECT_NE(second, first);
}

TEST_F(ContainerdShim, ShutdownWhileContainersAreThereIsPassedOver) {
  const std::string path = bundle_of("c1");
  const std::string address = start("c1", path);
  ASSERT_EQ(create(address, "c1", path), "");
  EXPECT_EQ(shutdown(address), "");
  EXPECT_GT(shim_at(address), 0);
  EXPECT_EQ(remove(address, "c1"), "");
  EXPECT_EQ(shutdown(address), "");
  EXPECT_TRUE(eventually([&] { return shim_at(address) == 0; }));
}

TEST_F(ContainerdShim, EndsByItselfAfterTheLastContainerOnceItWasToldTo) {
  const std::string path = bundle_of("c1", "pod");
  const std::string address = start("c1", path);
  ASSERT_EQ(create(address, "c1", path), "");
  EXPECT_EQ(shutdown(address), "");
  EXPECT_EQ(remove(address, "c1"), "");
  // After the time in which containerd would say it once more.
  EXPECT_TRUE(eventually([&] { return shim_at(address) == 0; }));
  EXPECT_FALSE(exists(path_of(address)));
}

TEST_F(ContainerdShim, DeleteTakesAwayWhatAKilledShimHasLeft) {
  const std::string path = bundle_of("c1");
  const std::string address = start("c1", path);
  ASSERT_EQ(create(address, "c1", path), "");
  EXPECT_EQ(names_in(root_ + "/test"), std::vector<std::string>{"c1"});
  EXPECT_EQ(read_file(path + "/ocirt.root"), root_ + "/test");
  const pid_t shim = shim_at(address);
  ::kill(shim, SIGKILL);
  ASSERT_TRUE(wait_for_end(shim));
  const Outcome outcome = run_command(command("c1", path, "delete"));
  ASSERT_OK(outcome);
  auto answer = wire::parse<wire::DeleteResponse>(outcome.out);
  ASSERT_TRUE(answer);
  EXPECT_EQ((*answer)->exit_status, 137U);
  EXPECT_GT((*answer)->pid, 0U);
  EXPECT_GT((*answer)->exited_at->seconds, 0);
  EXPECT_EQ(names_in(root_ + "/test"), std::vector<std::string>());
  EXPECT_EQ(cgroups::leftovers(), std::vector<std::string>());
  EXPECT_FALSE(exists(path_of(address)));
  // And once more, as containerd may.
  EXPECT_OK(run_command(command("c1", path, "delete")));
}

// `start` was killed before it had said where the shim is.
TEST_F(ContainerdShim, DeleteFindsTheSocketOfADeadShimThatTheBundleDoesNotName) {
  const std::string path = bundle_of("c1");
  Command start = command("c1", path, "start");
  const Outcome started = run_command(start);
  ASSERT_OK(started);
  addresses_.insert(started.out);
  const pid_t shim = shim_at(started.out);
  ::kill(shim, SIGKILL);
  ASSERT_TRUE(wait_for_end(shim));
  ASSERT_TRUE(exists(path_of(started.out)));
  ASSERT_EQ(::unlink((path + "/address").c_str()), 0);
  EXPECT_OK(run_command(command("c1", path, "delete")));
  EXPECT_FALSE(exists(path_of(started.out)));
}

// A daemon that was killed between `start` and Create; its successor may stay connected.
TEST_F(ContainerdShim, DeleteOfAContainerThatWasNeverMadeEndsItsShim) {
  const std::string path = bundle_of("pod", "pod");
  const std::string other = bundle_of("app", "pod");
  const std::string address = start("pod", path);
  EXPECT_EQ(start("app", other), address);
  wire::Client idle = client(address);
  EXPECT_OK(run_command(command("pod", path, "delete")));
  ASSERT_EQ(create(address, "app", other), "") << "another container was awaited";
  EXPECT_EQ(remove(address, "app"), "");
  EXPECT_GT(shim_at(address), 0);
  EXPECT_OK(run_command(command("app", other, "delete")));
  EXPECT_TRUE(eventually([&] { return shim_at(address) == 0; }, 15000));
  EXPECT_FALSE(exists(path_of(address)));
}

TEST_F(ContainerdShim, DeleteOfAContainerOfALivingShimTakesItsRow) {
  const std::string path = bundle_of("c1");
  const std::string address = start("c1", path);
  ASSERT_EQ(create(address, "c1", path), "");
  wire::Client idle = client(address);
  EXPECT_OK(run_command(command("c1", path, "delete")));
  EXPECT_TRUE(eventually([&] { return shim_at(address) == 0; }, 15000));
  EXPECT_EQ(cgroups::leftovers(), std::vector<std::string>());
}

TEST_F(ContainerdShim, FailureOfStartIsTheReasonAndLeavesNoShim) {
  const std::string path = bundle_of("c1");
  Command start = command("c1", path, "start");
  const wire::AnyValue value{"some.Other", "x"};
  start.input = wire::pack(value.lend());
  const Outcome outcome = run_command(start);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_SAYS(outcome.err, "ocirt-shim: options: not supported: options of type \"some.Other\"");
  auto options = wire::blank<wire::RuncOptions>();
  options.shim_cgroup = wire::lend("/no-such-cgroup");
  const wire::AnyValue cgroup = wire::any_of(options);
  start.input = wire::pack(cgroup.lend());
  const Outcome second = run_command(start);
  EXPECT_EQ(second.code, 1);
  EXPECT_SAYS(second.err, "ocirt-shim: ShimCgroup: ");
  EXPECT_TRUE(eventually([] { return living_orphans().empty(); }));
}

TEST_F(ContainerdShim, SigtermTakesItsContainersWithIt) {
  const std::string path = bundle_of("c1");
  const std::string address = start("c1", path);
  ASSERT_EQ(create(address, "c1", path), "");
  ::kill(shim_at(address), SIGTERM);
  EXPECT_TRUE(eventually([&] { return shim_at(address) == 0; }));
  EXPECT_EQ(names_in(root_ + "/test"), std::vector<std::string>());
  EXPECT_EQ(cgroups::leftovers(), std::vector<std::string>());
}

}  // namespace
}  // namespace harness
