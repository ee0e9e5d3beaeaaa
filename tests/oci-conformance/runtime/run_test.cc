// What `run` adds to create and start: it stays, passes the streams, forwards signals, ends with
// the program's code and deletes the container.
#include <csignal>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class Run : public ContainerTest {};

TEST_F(Run, ExitsWithTheCodeOfTheProgram) {
  for (const int code : {0, 1, 42, 255}) {
    bundle.shell("exit " + std::to_string(code));
    Container container(runtime, bundle);
    const Outcome outcome = container.run();
    EXPECT_EQ(code, outcome.code) << outcome;
    EXPECT_EQ("", outcome.err);
  }
}

TEST_F(Run, ExitsWith128PlusTheSignalThatEndedTheProgram) {
  // The kernel drops signals that pid 1 sends to itself, so init needs no pid namespace here.
  bundle.without_namespace("pid").shell("kill -ABRT $$");
  Container container(runtime, bundle);
  EXPECT_EQ(128 + SIGABRT, container.run().code);
}

TEST_F(Run, DeletesTheContainerAfterwards) {
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  ASSERT_OK(container.run());
  EXPECT_TRUE(names_in(runtime.root()).empty());
  EXPECT_TRUE(cgroups::leftovers().empty());
  EXPECT_EQ("", container.status());
}

TEST_F(Run, PassesStdoutAndStderrApart) {
  bundle.shell("echo out; echo err >&2");
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  EXPECT_EQ("out\n", outcome.out);
  EXPECT_EQ("err\n", outcome.err);
}

TEST_F(Run, PassesStdinToItsEnd) {
  bundle.shell("wc -c; echo done");
  Container container(runtime, bundle);
  const Outcome outcome = container.run({}, {.input = std::string(200000, 'x'), .use_pipes = true});
  EXPECT_OK(outcome);
  EXPECT_EQ("200000\ndone\n", outcome.out);
}

TEST_F(Run, PassesTenMegabytesThroughStdout) {
  bundle.shell("yes 0123456789abcde | head -c 10485760");
  Container container(runtime, bundle);
  const Outcome outcome = container.run({}, {.use_pipes = true});
  EXPECT_OK(outcome);
  EXPECT_EQ(10485760u, outcome.out.size());
  EXPECT_TRUE(outcome.out.ends_with("0123456789abcde\n"));
}

TEST_F(Run, ForwardsSignalsToTheProgram) {
  bundle.shell("trap 'echo term; exit 9' TERM; echo ready; while :; do usleep 5000; done");
  Container container(runtime, bundle);
  Process run = container.run_in_background();
  ASSERT_TRUE(eventually([&] { return run.output() == "ready\n"; })) << run.errors();
  run.signal(SIGTERM);
  const Outcome outcome = run.wait();
  EXPECT_EQ(9, outcome.code) << outcome;
  EXPECT_EQ("ready\nterm\n", outcome.out);
}

TEST_F(Run, EndsWhenTheContainerIsKilledFromOutside) {
  bundle.shell("echo ready; exec sleep 100");
  Container container(runtime, bundle);
  Process run = container.run_in_background();
  ASSERT_TRUE(eventually([&] { return run.output() == "ready\n"; })) << run.errors();
  EXPECT_OK(container.kill("KILL"));
  EXPECT_EQ(128 + SIGKILL, run.wait().code);
}

TEST_F(Run, DetachedReturnsWhileTheProgramRuns) {
  bundle.shell("echo ready; exec sleep 100");
  Container container(runtime, bundle);
  const Outcome outcome = container.run({"--detach"});
  ASSERT_OK(outcome);
  EXPECT_EQ("running", container.status());
  EXPECT_TRUE(eventually([&] { return container.output() == "ready\n"; }));
}

TEST_F(Run, WritesThePidFileWithoutANewline) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  const std::string file = scratch() + "/pid";
  ASSERT_OK(container.run({"--detach", "--pid-file", file}));
  EXPECT_EQ(std::to_string(container.pid()), read_file(file));
}

TEST_F(Run, CreateWritesThePidFileToo) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  const std::string file = scratch() + "/pid";
  write_file(file, "stale content that is longer than any pid");
  ASSERT_OK(container.create({"--pid-file", file}));
  EXPECT_EQ(std::to_string(container.pid()), read_file(file));
}

TEST_F(Run, APidFileThatCannotBeWrittenFailsAndLeavesNothing) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create({"--pid-file", scratch() + "/absent/pid"}), 1, "/absent/");
  EXPECT_TRUE(names_in(runtime.root()).empty());
  EXPECT_TRUE(cgroups::leftovers().empty());
}

TEST_F(Run, TakesOptionsWithAnEqualsSignAndASingleDash) {
  bundle.shell("exit 5");
  bundle.save("equals");
  EXPECT_EQ(5, runtime.run({"run", "--bundle=" + bundle.path(), "equals"}).code);
  EXPECT_EQ(5, runtime.run({"run", "-b", bundle.path(), "equals"}).code);
  EXPECT_EQ(5, runtime.run({"run", "-no-subreaper", "-bundle", bundle.path(), "equals"}).code);
}

TEST_F(Run, ZombiesOfTheContainerDoNotKeepItAlive) {
  bundle.shell("(sleep 100 &) ; exit 4");
  Container container(runtime, bundle);
  EXPECT_EQ(4, container.run().code);
}

TEST_F(Run, HasTheStatusOfItsProgramThoughItsCallerIgnoresTheEndOfChildren) {
  bundle.shell("exit 7");
  Container container(runtime, bundle);
  bundle.save(container.id());
  Command ignoring = runtime.command({"run", "--bundle", bundle.path(), container.id()});
  ignoring.argv.insert(ignoring.argv.begin(), {"env", "--ignore-signal=CHLD"});
  EXPECT_EQ(7, run_command(std::move(ignoring)).code);
  EXPECT_EQ("", container.status());
}

}  // namespace
}  // namespace harness
