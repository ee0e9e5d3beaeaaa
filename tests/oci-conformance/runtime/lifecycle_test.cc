// runtime.md, "Lifecycle" and "Operations": what create, start, kill, delete and state do to the
// status of a container, seen from outside and by the traces that its program leaves.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class Lifecycle : public ContainerTest {
 protected:
  // The program says that it runs by making this file.
  static constexpr char kStarted[] = "echo yes > /tmp/started; exec sleep 100";
  bool has_started() { return exists(bundle.rootfs("/tmp/started")); }
  bool starts() {
    return eventually([this] { return has_started(); });
  }
};

TEST_F(Lifecycle, CreateLeavesTheProgramUnstarted) {
  SPEC("runtime.md#create",
       "The user-specified program (from process) MUST NOT be run at this time.");
  bundle.shell(kStarted);
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_EQ("created", container.status());
  EXPECT_GT(container.pid(), 0);
  EXPECT_EQ(0, ::kill(container.pid(), 0)) << "create should leave a process for the container";
  sleep_ms(50);
  EXPECT_FALSE(has_started());
}

TEST_F(Lifecycle, StartRunsTheProgramInTheProcessThatCreateMade) {
  SPEC("runtime.md#start", "This operation MUST run the user-specified program.");
  bundle.shell(kStarted);
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const pid_t pid = container.pid();
  ASSERT_OK(container.start());
  EXPECT_TRUE(starts());
  EXPECT_EQ("running", container.status());
  EXPECT_EQ(pid, container.pid());
}

TEST_F(Lifecycle, CreateAndStartAreSilentOnSuccess) {
  bundle.shell(kStarted);
  Container container(runtime, bundle);
  const Outcome created = container.create();
  ASSERT_OK(created);
  EXPECT_EQ("", created.out + created.err);
  const Outcome started = container.start();
  ASSERT_OK(started);
  EXPECT_EQ("", started.out + started.err);
}

TEST_F(Lifecycle, TheProcessBelongsToTheCallersSubreaperWhenCreateReturns) {
  bundle.shell(kStarted);
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const std::string status = read_file("/proc/" + std::to_string(container.pid()) + "/status");
  EXPECT_EQ(std::to_string(getpid()), field(status, "PPid:"));
  EXPECT_EQ(1u, living_orphans().size()) << "no helper process may linger beside init";
}

TEST_F(Lifecycle, AProgramThatEndsMakesTheContainerStopped) {
  SPEC("runtime.md#state", "stopped: the container process has exited");
  bundle.shell("exit 7");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const pid_t pid = container.pid();
  ASSERT_OK(container.start());
  ASSERT_TRUE(wait_for_end(pid));
  EXPECT_EQ(7, orphan_status(pid));
  const Json state = container.state();
  EXPECT_EQ("stopped", state["status"].text());
}

TEST_F(Lifecycle, AZombieInitCountsAsStopped) {
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const pid_t pid = container.pid();
  // Not reaped by us until the status was asked for.
  Process starter(runtime.command({"start", container.id()}));
  ASSERT_TRUE(eventually([&] {
    return read_file("/proc/" + std::to_string(pid) + "/stat").find(") Z ") != std::string::npos;
  }));
  Process asks(runtime.command({"state", container.id()}));
  ASSERT_TRUE(eventually([&] { return asks.is_over(); }));
  EXPECT_SAYS(asks.output(), "\"stopped\"");
}

TEST_F(Lifecycle, StateHasTheMembersOfTheSpecification) {
  SPEC("runtime.md#state", "The state of a container includes the following properties.");
  bundle.shell(kStarted);
  bundle.set("annotations", R"({"org.example.key": "a value", "empty": ""})");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const Json state = container.state();
  EXPECT_EQ(container.id(), state["id"].text());
  EXPECT_EQ(bundle.path(), state["bundle"].text());
  EXPECT_EQ("created", state["status"].text());
  EXPECT_GT(state["pid"].integer(), 1);
  EXPECT_TRUE(state["ociVersion"].text().starts_with("1.")) << state.print();
  EXPECT_EQ("a value", state["annotations"]["org.example.key"].text());
  EXPECT_EQ("", state["annotations"]["empty"].text());
}

TEST_F(Lifecycle, StateOfAStoppedContainerHasNoPid) {
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  const Json state = container.state();
  EXPECT_TRUE(!state.has("pid") || state["pid"].integer() == 0) << state.print();
}

TEST_F(Lifecycle, StateOfAnUnknownContainerFails) {
  SPEC("runtime.md#query-state",
       "This operation MUST generate an error if it is not provided the ID of a container.");
  EXPECT_FAILS(runtime.run({"state", "unknown"}), 1, "does not exist");
}

TEST_F(Lifecycle, StateWithoutAnIdFails) {
  const Outcome outcome = runtime.run({"state"});
  EXPECT_EQ(1, outcome.code) << outcome;
  EXPECT_NE("", outcome.err);
}

TEST_F(Lifecycle, EveryOperationWithoutAnIdFails) {
  SPEC("runtime.md#operations",
       "This operation MUST generate an error if it is not provided the container ID.");
  bundle.save("x");
  for (const Args& operation : std::vector<Args>{
           {"create", "--bundle", bundle.path()}, {"start"}, {"state"}, {"kill"}, {"delete"}}) {
    const Outcome outcome = runtime.run(operation);
    EXPECT_EQ(1, outcome.code) << outcome;
    EXPECT_NE("", outcome.err) << operation.front();
  }
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Lifecycle, StartTwiceFails) {
  SPEC("runtime.md#start",
       "Attempting to start a container that is not created MUST have no effect on the container "
       "and MUST generate an error.");
  bundle.shell(kStarted);
  Container container(runtime, bundle);
  container.launch();
  EXPECT_FAILS(container.start(), 1, "cannot start an already running container");
  EXPECT_EQ("running", container.status());
}

TEST_F(Lifecycle, StartOfAStoppedContainerFails) {
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  EXPECT_FAILS(container.start(), 1, "cannot start a container that has stopped");
}

TEST_F(Lifecycle, StartOfAnUnknownContainerFails) {
  EXPECT_FAILS(runtime.run({"start", "unknown"}), 1, "does not exist");
}

TEST_F(Lifecycle, CreateWithATakenIdFailsAndLeavesTheFirstAlone) {
  SPEC("runtime.md#create",
       "If the ID is not unique across all containers within the scope of the runtime, the "
       "implementation MUST generate an error and a new container MUST NOT be created.");
  bundle.shell(kStarted);
  Container container(runtime, bundle);
  container.launch();
  const pid_t pid = container.pid();
  EXPECT_FAILS(runtime.run({"create", "--bundle", bundle.path(), container.id()}), 1,
               "container with given ID already exists");
  EXPECT_EQ("running", container.status());
  EXPECT_EQ(pid, container.pid());
  EXPECT_OK(container.exec({"true"}));
}

TEST_F(Lifecycle, AnIdCanBeUsedAgainAfterDelete) {
  SPEC("runtime.md#delete",
       "Once a container is deleted its ID MAY be used by a subsequent container.");
  bundle.shell("echo again");
  Container container(runtime, bundle);
  for (int round = 0; round < 2; ++round) {
    container.launch();
    ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
    EXPECT_EQ("again\n", container.output());
    ASSERT_OK(container.remove());
  }
}

TEST_F(Lifecycle, EditsOfTheConfigurationAfterCreateHaveNoEffect) {
  SPEC("runtime.md#lifecycle",
       "Any updates to config.json after this step MUST NOT affect the container.");
  bundle.shell("echo first");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  bundle.shell("echo second").set("hostname", R"("other")");
  bundle.save(container.id());
  ASSERT_OK(container.start());
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  EXPECT_EQ("first\n", container.output());
}

TEST_F(Lifecycle, AContainerStartsAfterItsConfigurationWasRemoved) {
  bundle.shell("echo first");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  ASSERT_EQ(0, unlink(bundle.config_path().c_str()));
  ASSERT_OK(container.start());
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  EXPECT_EQ("first\n", container.output());
}

TEST_F(Lifecycle, KillSendsTheSignalToTheProgram) {
  SPEC("runtime.md#kill",
       "This operation MUST send the specified signal to the container process.");
  bundle.shell("trap 'echo got usr1; exit 3' USR1; echo ready; while :; do usleep 5000; done");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.output() == "ready\n"; }));
  const pid_t pid = container.pid();
  EXPECT_OK(container.kill("USR1"));
  ASSERT_TRUE(wait_for_end(pid));
  EXPECT_EQ("ready\ngot usr1\n", container.output());
  EXPECT_EQ(3, orphan_status(pid));
}

TEST_F(Lifecycle, KillTakesNamesNumbersAndLowerCase) {
  bundle.shell("trap 'echo got' HUP; echo ready; while :; do usleep 5000; done");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.output() == "ready\n"; }));
  std::string expected = "ready\n";
  for (const char* name : {"HUP", "SIGHUP", "hup", "sighup", "1"}) {
    ASSERT_OK(container.kill(name));
    expected += "got\n";
    ASSERT_TRUE(eventually([&] { return container.output() == expected; })) << name;
  }
}

TEST_F(Lifecycle, KillWithoutASignalSendsTerm) {
  bundle.shell("trap 'echo got term; exit 0' TERM; echo ready; while :; do usleep 5000; done");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.output() == "ready\n"; }));
  EXPECT_OK(container.kill(""));
  EXPECT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  EXPECT_EQ("ready\ngot term\n", container.output());
}

TEST_F(Lifecycle, KillWorksOnACreatedContainer) {
  SPEC("runtime.md#kill",
       "Attempting to send a signal to a container that is neither created nor running MUST have "
       "no effect on the container and MUST generate an error.");
  bundle.shell(kStarted);
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const pid_t pid = container.pid();
  EXPECT_OK(container.kill("KILL"));
  ASSERT_TRUE(wait_for_end(pid));
  EXPECT_EQ(128 + SIGKILL, orphan_status(pid));
  EXPECT_EQ("stopped", container.status());
  EXPECT_FALSE(has_started());
}

TEST_F(Lifecycle, KillOfAStoppedContainerFails) {
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  EXPECT_FAILS(container.kill("KILL"), 1, "container not running");
}

TEST_F(Lifecycle, KillAllOfAStoppedContainerWorks) {
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  EXPECT_OK(container.kill("KILL", {"--all"}));
}

TEST_F(Lifecycle, KillOfAnUnknownContainerFails) {
  EXPECT_FAILS(runtime.run({"kill", "unknown", "KILL"}), 1, "does not exist");
}

TEST_F(Lifecycle, DeleteOfARunningContainerFailsAndLeavesItAlone) {
  SPEC("runtime.md#delete",
       "Attempting to delete a container that is not stopped MUST have no effect on the container "
       "and MUST generate an error.");
  bundle.shell(kStarted);
  Container container(runtime, bundle);
  container.launch();
  EXPECT_FAILS(container.remove(), 1,
               "cannot delete container " + container.id() + " that is not stopped");
  EXPECT_EQ("running", container.status());
}

TEST_F(Lifecycle, DeleteRemovesEverything) {
  SPEC("runtime.md#delete",
       "Deleting a container MUST delete the resources that were created during the create step.");
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  // systemd takes an empty scope away by itself.
  EXPECT_EQ(cgroups::leftovers().empty(), cgroups::by_systemd());
  ASSERT_OK(container.remove());
  EXPECT_TRUE(names_in(runtime.root()).empty());
  EXPECT_TRUE(cgroups::leftovers().empty());
  EXPECT_FAILS(runtime.run({"state", container.id()}), 1, "does not exist");
}

TEST_F(Lifecycle, DeleteLeavesTheBundleAlone) {
  SPEC("runtime.md#delete",
       "Resources associated with the container, but not created by this container, MUST NOT be "
       "deleted.");
  bundle.shell("echo kept > /tmp/kept");
  const std::vector<std::string> before = names_in(bundle.rootfs());
  Container container(runtime, bundle);
  ASSERT_OK(container.run());
  EXPECT_EQ("kept\n", read_file(bundle.rootfs("/tmp/kept")));
  EXPECT_EQ(before, names_in(bundle.rootfs()));
  EXPECT_TRUE(exists(bundle.config_path()));
}

TEST_F(Lifecycle, DeleteForceEndsARunningContainer) {
  bundle.shell(kStarted);
  Container container(runtime, bundle);
  container.launch();
  const pid_t pid = container.pid();
  EXPECT_OK(container.remove({"--force"}));
  EXPECT_TRUE(wait_for_end(pid, 0)) << "the process must be gone when delete returns";
  EXPECT_TRUE(cgroups::leftovers().empty());
}

TEST_F(Lifecycle, DeleteForceOfAnUnknownContainerIsSilentAndWorks) {
  const Outcome outcome = runtime.run({"delete", "--force", "unknown"});
  EXPECT_OK(outcome);
  EXPECT_EQ("", outcome.out + outcome.err);
}

TEST_F(Lifecycle, DeleteOfAnUnknownContainerFails) {
  EXPECT_FAILS(runtime.run({"delete", "unknown"}), 1, "does not exist");
}

TEST_F(Lifecycle, DeleteEndsACreatedContainer) {
  bundle.shell(kStarted);
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const pid_t pid = container.pid();
  EXPECT_OK(container.remove());
  EXPECT_TRUE(wait_for_end(pid));
  EXPECT_FALSE(has_started());
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Lifecycle, TwoContainersLiveSideBySide) {
  Bundle other(scratch() + "/other");
  bundle.shell("echo one; exec sleep 100");
  other.shell("echo two; exec sleep 100");
  Container first(runtime, bundle), second(runtime, other);
  first.launch();
  second.launch();
  ASSERT_TRUE(eventually([&] { return first.output() + second.output() == "one\ntwo\n"; }));
  EXPECT_NE(first.pid(), second.pid());
  ASSERT_OK(first.remove({"--force"}));
  EXPECT_EQ("running", second.status());
  EXPECT_OK(second.exec({"true"}));
}

TEST_F(Lifecycle, TwoContainersShareOneBundle) {
  bundle.shell("exec sleep 100");
  Container first(runtime, bundle), second(runtime, bundle);
  first.launch();
  second.launch();
  EXPECT_EQ("running", first.status());
  EXPECT_EQ("running", second.status());
}

TEST_F(Lifecycle, OfManyThatRaceForOneIdExactlyOneWins) {
  bundle.shell("exec sleep 100");
  bundle.save("race");
  std::vector<std::unique_ptr<Process>> all;
  for (int i = 0; i < 8; ++i)
    all.push_back(
        std::make_unique<Process>(runtime.command({"create", "--bundle", bundle.path(), "race"})));
  int winners = 0;
  for (auto& each : all) {
    const Outcome outcome = each->wait();
    winners += outcome.ok();
    EXPECT_TRUE(outcome.ok() || says(outcome.err, "already exists")) << outcome;
  }
  EXPECT_EQ(1, winners);
  EXPECT_EQ("created", runtime.status("race"));
  EXPECT_OK(runtime.run({"start", "race"}));
  EXPECT_OK(runtime.run({"delete", "--force", "race"}));
}

TEST_F(Lifecycle, ManyContainersAtOnceWork) {
  std::vector<std::unique_ptr<Bundle>> bundles;
  std::vector<std::unique_ptr<Process>> all;
  for (int i = 0; i < 10; ++i) {
    const std::string id = "many-" + std::to_string(i);
    bundles.push_back(std::make_unique<Bundle>(scratch() + "/" + id));
    bundles.back()->shell("echo " + id).save(id);
    all.push_back(std::make_unique<Process>(
        runtime.command({"run", "--bundle", bundles.back()->path(), id})));
  }
  for (size_t i = 0; i < all.size(); ++i) {
    const Outcome outcome = all[i]->wait();
    EXPECT_OK(outcome);
    EXPECT_EQ("many-" + std::to_string(i) + "\n", outcome.out);
  }
}

TEST_F(Lifecycle, StateKeepsWorkingWhenTheBundleIsGone) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_EQ(0, rename(bundle.path().c_str(), (bundle.path() + "-moved").c_str()));
  EXPECT_EQ("running", container.status());
  EXPECT_OK(container.exec({"true"}));
  EXPECT_OK(container.remove({"--force"}));
}

TEST_F(Lifecycle, TheBundleIsTheCurrentDirectoryUnlessGiven) {
  bundle.shell("echo here");
  bundle.save("here");
  const Outcome outcome = runtime.run({"run", "here"}, {.directory = bundle.path()});
  EXPECT_OK(outcome);
  EXPECT_EQ("here\n", outcome.out);
}

TEST_F(Lifecycle, TheStateSaysTheBundleAsAnAbsolutePath) {
  SPEC("runtime.md#state", "bundle: the absolute path to the container's bundle directory.");
  bundle.shell("exec sleep 100");
  bundle.save("relative");
  Outcome outcome =
      runtime.run({"create", "--bundle", "bundle", "relative"}, {.directory = scratch()});
  EXPECT_OK(outcome);
  EXPECT_EQ(bundle.path(), runtime.state("relative")["bundle"].text());
  EXPECT_OK(runtime.run({"delete", "--force", "relative"}));
}

// As a `state` that has been stopped between its question and its end.
TEST_F(Lifecycle, StartDoesNotWaitForOneWhoAskedAndWasStopped) {
  bundle.shell("echo started");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const std::string gate = runtime.root() + "/" + container.id() + "/start";
  if (!exists(gate)) GTEST_SKIP() << "this runtime's containers wait in another way";
  const int asker = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  gate.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(0, connect(asker, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  EXPECT_OK(container.start());
  EXPECT_TRUE(eventually([&] { return container.output() == "started\n"; })) << container.output();
  close(asker);
}

}  // namespace
}  // namespace harness
