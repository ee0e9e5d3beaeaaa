// What the commands print for programs to parse: list, ps, state, features, spec, --version and the
// log. Each form has a reader in an engine, which is why they are compared to the letter.
#include <unistd.h>

#include <cstdlib>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class Documents : public ContainerTest {
 protected:
  Documents() { bundle.shell("sleep 100 & exec sleep 100"); }

  // 2006-01-02T15:04:05 with an optional fraction, then Z or an offset.
  static bool is_rfc3339(std::string_view text) {
    constexpr std::string_view kShape = "0000-00-00T00:00:00";
    if (text.size() < kShape.size() + 1) return false;
    for (size_t i = 0; i < kShape.size(); ++i)
      if (kShape[i] == '0' ? (text[i] < '0' || text[i] > '9') : text[i] != kShape[i]) return false;
    text.remove_prefix(kShape.size());
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      while (!text.empty() && text[0] >= '0' && text[0] <= '9') text.remove_prefix(1);
    }
    return text == "Z" ||
           (text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':');
  }
};

// /dev/full answers ENOSPC, as a full disk does.
TEST_F(Documents, ThatCouldNotBeWrittenAreAFailure) {
  for (const Args& args : {Args{"features"}, Args{"--version"}, Args{"list"}, Args{"--help"}}) {
    Command command = runtime.command(args);
    const Args to_full = {"sh", "-c", "exec \"$@\" >/dev/full", "sh"};
    command.argv.insert(command.argv.begin(), to_full.begin(), to_full.end());
    EXPECT_FAILS(run_command(command), 1, "standard output: No space left on device");
  }
}

TEST_F(Documents, ListShowsATableWithAHeader) {
  Container container(runtime, bundle);
  container.launch();
  const Outcome outcome = runtime.run({"list"});
  ASSERT_OK(outcome);
  const std::vector<std::string> all = lines(outcome.out);
  ASSERT_EQ(2u, all.size()) << outcome.out;
  EXPECT_EQ((std::vector<std::string>{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}),
            words(all[0]));
  const std::vector<std::string> row = words(all[1]);
  ASSERT_EQ(6u, row.size()) << all[1];
  EXPECT_EQ(container.id(), row[0]);
  EXPECT_EQ(std::to_string(container.pid()), row[1]);
  EXPECT_EQ("running", row[2]);
  EXPECT_EQ(bundle.path(), row[3]);
  EXPECT_TRUE(is_rfc3339(row[4])) << row[4];
  EXPECT_EQ("root", row[5]);
}

TEST_F(Documents, ListOfNothingIsTheHeaderAlone) {
  const Outcome outcome = runtime.run({"list"});
  ASSERT_OK(outcome);
  EXPECT_EQ(1u, lines(outcome.out).size()) << outcome.out;
  EXPECT_EQ("", runtime.run({"list", "-q"}).out);
}

TEST_F(Documents, ListOfNothingAsJsonIsEmpty) {
  const Outcome outcome = runtime.run({"list", "--format", "json"});
  ASSERT_OK(outcome);
  EXPECT_EQ(0u, Json::parse(outcome.out).size());
}

TEST_F(Documents, ListQuietlyPrintsOneIdALine) {
  Container first(runtime, bundle), second(runtime, bundle);
  ASSERT_OK(first.create());
  ASSERT_OK(second.create());
  std::string ids = first.id() + "\n" + second.id() + "\n";
  EXPECT_EQ(lines(ids).size(), lines(runtime.run({"list", "-q"}).out).size());
  for (const Container* each : {&first, &second})
    EXPECT_TRUE(contains(lines(runtime.run({"list", "--quiet"}).out), each->id()));
}

TEST_F(Documents, ListAsJsonHasTheMembersOfState) {
  bundle.set("annotations", R"({"a": "b"})");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const Json list = Json::parse(runtime.run({"list", "--format=json"}).out);
  ASSERT_EQ(1u, list.size());
  const Json& entry = list.items()[0];
  EXPECT_EQ(container.id(), entry["id"].text());
  EXPECT_EQ(container.pid(), entry["pid"].integer());
  EXPECT_EQ("created", entry["status"].text());
  EXPECT_EQ(bundle.path(), entry["bundle"].text());
  EXPECT_EQ(bundle.rootfs(), entry["rootfs"].text());
  EXPECT_EQ("b", entry["annotations"]["a"].text());
  EXPECT_EQ("root", entry["owner"].text());
  EXPECT_TRUE(is_rfc3339(entry["created"].text()));
}

TEST_F(Documents, ListSkipsABrokenEntry) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  make_directories(runtime.root() + "/broken");
  const Outcome outcome = runtime.run({"list", "-q"});
  remove_tree(runtime.root() + "/broken");
  EXPECT_OK(outcome);
  EXPECT_TRUE(contains(lines(outcome.out), container.id()));
}

TEST_F(Documents, StateHasNoMembersThatOthersDecode) {
  Container container(runtime, bundle);
  container.launch();
  const Json state = container.state();
  for (const char* name : {"started", "finished", "exitCode", "oomKilled", "error", "initPid"})
    EXPECT_FALSE(state.has(name)) << name;
  EXPECT_EQ(bundle.rootfs(), state["rootfs"].text());
  EXPECT_TRUE(is_rfc3339(state["created"].text()));
}

TEST_F(Documents, PsAsJsonIsAnArrayOfHostPids) {
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] {
    return Json::parse(runtime.run({"ps", "--format", "json", container.id()}).out).size() == 2;
  }));
  const Outcome outcome = runtime.run({"ps", "--format", "json", container.id()});
  bool has_init = false;
  const Json pids = Json::parse(outcome.out);
  for (const Json& pid : pids.items()) {
    has_init = has_init || pid.integer() == container.pid();
    EXPECT_EQ(link_target("/proc/" + std::to_string(container.pid()) + "/ns/pid"),
              link_target("/proc/" + pid.text() + "/ns/pid"));
  }
  EXPECT_TRUE(has_init);
}

TEST_F(Documents, PsShowsATable) {
  Container container(runtime, bundle);
  container.launch();
  const Outcome outcome = runtime.run({"ps", container.id()});
  ASSERT_OK(outcome);
  const std::vector<std::string> all = lines(outcome.out);
  ASSERT_GE(all.size(), 2u);
  EXPECT_SAYS(all[0], "PID");
  EXPECT_SAYS(outcome.out, std::to_string(container.pid()));
}

TEST_F(Documents, PsPassesOptionsToPs) {
  Container container(runtime, bundle);
  container.launch();
  const Outcome outcome = runtime.run({"ps", container.id(), "-e", "-o", "pid,comm"});
  ASSERT_OK(outcome);
  EXPECT_EQ((std::vector<std::string>{"PID", "COMMAND"}), words(lines(outcome.out)[0]));
  EXPECT_SAYS(outcome.out, std::to_string(container.pid()));
}

TEST_F(Documents, PsOfAnUnknownContainerFails) {
  EXPECT_FAILS(runtime.run({"ps", "unknown"}), 1, "does not exist");
}

TEST_F(Documents, TheVersionBeginsWithTheName) {
  const Outcome outcome = runtime.run({"--version"});
  EXPECT_OK(outcome);
  const std::vector<std::string> all = lines(outcome.out);
  ASSERT_GE(all.size(), 2u);
  EXPECT_TRUE(all[0].starts_with(runtime.name() + " version ")) << all[0];
  EXPECT_SAYS(outcome.out, "spec: 1.");
  EXPECT_EQ(outcome.out, runtime.run({"-v"}).out);
}

TEST_F(Documents, FeaturesListWhatCallersAskFor) {
  // Without a root, a container or any other flag.
  const Outcome outcome = run_command({.argv = {runtime.program(), "features"}});
  ASSERT_OK(outcome);
  EXPECT_EQ("", outcome.err);
  const Json features = Json::parse(outcome.out);
  EXPECT_TRUE(features["ociVersionMin"].text().starts_with("1."));
  EXPECT_TRUE(features["ociVersionMax"].text().starts_with("1."));
  for (const char* option : {"ro", "bind", "rbind", "nosuid", "rro", "tmpcopyup"})
    EXPECT_TRUE(contains(features["mountOptions"].strings(), option)) << option;
  for (const char* hook :
       {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"})
    EXPECT_TRUE(contains(features["hooks"].strings(), hook)) << hook;
  for (const char* kind : {"pid", "network", "mount", "ipc", "uts", "cgroup"})
    EXPECT_TRUE(contains(features["linux"]["namespaces"].strings(), kind)) << kind;
  EXPECT_TRUE(contains(features["linux"]["capabilities"].strings(), "CAP_SYS_ADMIN"));
  EXPECT_TRUE(features["linux"]["cgroup"]["v1"].is_true());
  EXPECT_TRUE(features["linux"]["cgroup"]["v2"].is_true());
  EXPECT_TRUE(features["linux"]["seccomp"]["enabled"].is_true());
  EXPECT_TRUE(contains(features["linux"]["seccomp"]["actions"].strings(), "SCMP_ACT_ERRNO"));
}

TEST_F(Documents, SpecWritesABundleThatRuns) {
  ASSERT_OK(runtime.run({"spec", "--bundle", bundle.path()}));
  Json document = Json::parse(read_file(bundle.config_path()));
  document.set("process.terminal", Json::parse("false"));
  document.set("process.args", Json::array({"echo", "it runs"}));
  document.set("linux.cgroupsPath", Json::string(cgroups::cgroups_path("from-spec")));
  // Raising a limit takes a capability that a test machine may lack.
  if (document.find("process.rlimits")) document.remove("process.rlimits");
  bundle.raw(document.print());
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  EXPECT_OK(outcome);
  EXPECT_EQ("it runs\n", outcome.out);
}

TEST_F(Documents, SpecDoesNotOverwrite) {
  write_file(bundle.config_path(), "mine");
  EXPECT_EQ(1, runtime.run({"spec", "--bundle", bundle.path()}).code);
  EXPECT_EQ("mine", read_file(bundle.config_path()));
}

class Log : public Documents {
 protected:
  Log() { runtime.global = {"--log", file(), "--log-format", "json"}; }
  std::string file() const { return scratch() + "/log.json"; }
};

TEST_F(Log, HasExactlyOneErrorLineAfterAFailure) {
  const Outcome outcome = runtime.run({"state", "unknown"});
  EXPECT_EQ(1, outcome.code);
  const std::vector<std::string> all = lines(read_file(file()));
  ASSERT_EQ(1u, all.size()) << read_file(file());
  const Json line = Json::parse(all[0]);
  EXPECT_EQ("error", line["level"].text());
  EXPECT_SAYS(line["msg"].text(), "does not exist");
  EXPECT_TRUE(is_rfc3339(line["time"].text())) << line["time"].text();
  EXPECT_EQ(1u, lines(outcome.err).size()) << outcome;
  EXPECT_SAYS(outcome.err, "does not exist");
  EXPECT_EQ("", outcome.out);
}

TEST_F(Log, IsEmptyAfterSuccess) {
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  ASSERT_OK(container.start());
  ASSERT_OK(container.remove({"--force"}));
  EXPECT_EQ("", exists(file()) ? read_file(file()) : "");
}

TEST_F(Log, IsAppendedTo) {
  runtime.run({"state", "first"});
  runtime.run({"state", "second"});
  EXPECT_EQ(2u, lines(read_file(file())).size());
}

TEST_F(Log, MayBeNamedWithItsKind) {
  runtime.global = {"--log", "file:" + file(), "--log-level", "error"};
  runtime.run({"state", "unknown"});
  EXPECT_EQ(1u, lines(read_file(file())).size());
}

TEST_F(Log, OfTheSystemIsAnErrorWhereThereIsNone) {
  if (exists("/dev/log")) GTEST_SKIP() << "this machine has a system log";
  runtime.global = {"--log", "syslog:box"};
  EXPECT_FAILS(runtime.run({"list"}), 1, "/dev/log");
}

TEST_F(Log, LevelIsOneOfThree) {
  for (const char* level : {"error", "warning", "debug"}) {
    runtime.global = {"--log-level", level};
    EXPECT_OK(runtime.run({"features"}));
  }
  runtime.global = {"--log-level", "trace"};
  EXPECT_EQ(1, runtime.run({"features"}).code);
}

TEST_F(Log, EscapesWhatTheErrorQuotes) {
  bundle.args({"absent\"\\\n\tprogram"});
  Container container(runtime, bundle);
  EXPECT_EQ(1, container.create().code);
  const std::vector<std::string> all = lines(read_file(file()));
  ASSERT_EQ(1u, all.size());
  EXPECT_SAYS(Json::parse(all[0])["msg"].text(), "executable file not found");
}

TEST_F(Log, SaysWhyCreateFailed) {
  bundle.args({"absent-program"});
  Container container(runtime, bundle);
  EXPECT_EQ(1, container.create().code);
  EXPECT_SAYS(read_file(file()), "absent-program");
}

TEST_F(Documents, SpecWritesToTheFileThatIsNamed) {
  ASSERT_OK(runtime.run({"spec", "--bundle", bundle.path(), "-f", "other.json"}));
  EXPECT_TRUE(exists(bundle.path() + "/other.json"));
  ASSERT_OK(runtime.run({"spec", "--bundle=" + bundle.path(), "--file=" + scratch() + "/x.json"}));
  EXPECT_TRUE(exists(scratch() + "/x.json"));
  EXPECT_FAILS(runtime.run({"spec", "-f", scratch() + "/none/x.json"}), 1, "directory");
}

TEST_F(Documents, HelpWorksForEveryCommand) {
  EXPECT_OK(runtime.run({"--help"}));
  for (const char* command : {"create", "start", "run", "exec", "state", "list", "ps", "kill",
                              "delete", "pause", "resume", "update", "spec", "features"}) {
    const Outcome outcome = runtime.run({command, "--help"});
    EXPECT_OK(outcome);
    EXPECT_SAYS(outcome.out, command);
  }
}

TEST_F(Documents, AnUnknownCommandOrFlagIsRefused) {
  EXPECT_NE(0, runtime.run({"frobnicate"}).code);
  EXPECT_EQ(1, runtime.run({"create", "--frobnicate", "x"}).code);
  EXPECT_EQ(1, runtime.run({"kill"}).code);
}

}  // namespace
}  // namespace harness
