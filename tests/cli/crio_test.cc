// CRI-O's command lines (internal/oci/runtime_oci.go of CRI-O 1.36): what it asks of conmon, what
// conmon asks of the runtime, what CRI-O asks by itself, and what it reads from the answers. The
// namespaces are pinned and config.json is written as CRI-O does it; CRI-O itself is no package of
// Debian 12.
#include <sys/mount.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/conmon.h"
#include "tests/support/fixture.h"

namespace harness {
namespace {

class Crio : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    if (!Conmon::is_installed()) GTEST_SKIP() << "conmon is not installed";
    pin_namespaces();
    write_config();
  }

  void TearDown() override {
    for (const char* type : {"net", "ipc", "uts"}) umount2(pin(type).c_str(), MNT_DETACH);
    ContainerTest::TearDown();
  }

  std::string pin(std::string_view type) const {
    return scratch() + "/" + std::string(type) + "ns";
  }

  // What CRI-O's pinns leaves of a pod.
  void pin_namespaces() {
    Args argv = {"unshare"};
    for (const char* type : {"net", "ipc", "uts"}) {
      write_file(pin(type), "");
      argv.push_back("--" + std::string(type) + "=" + pin(type));
    }
    argv.insert(argv.end(), {"hostname", "pod-a"});
    ASSERT_OK(run_command({.argv = argv}));
  }

  void write_config() {
    bundle.set("hostname", R"("pod-a")")
        .with_namespace("network", pin("net"))
        .with_namespace("ipc", pin("ipc"))
        .with_namespace("uts", pin("uts"))
        .set("process.user", R"({"uid": 0, "gid": 0, "additionalGids": [0, 2000]})")
        .set("process.oomScoreAdj", "999")
        .append("process.env", R"("HOSTNAME=pod-a")")
        .set("linux.resources", R"({"devices": [{"allow": false, "access": "rwm"}]})")
        .set("linux.maskedPaths", R"(["/proc/acpi", "/proc/kcore", "/proc/keys", "/sys/firmware"])")
        .set("linux.readonlyPaths", R"(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"])");
    if (cgroups::is_pure_v2()) bundle.with_namespace("cgroup");
    bundle.without_mount("/dev/shm");
    for (const char* name : {"/shm", "/etc"}) make_directories(scratch() + name);
    write_file(scratch() + "/etc/resolv.conf", "nameserver 10.0.0.10\n");
    write_file(scratch() + "/etc/.containerenv", "");
    bundle.mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"})
        .mount("/sys/fs/cgroup", "cgroup", "cgroup",
               {"nosuid", "noexec", "nodev", "relatime", "ro"})
        .mount("/dev/shm", "bind", scratch() + "/shm", {"rw", "bind"})
        .mount("/etc/resolv.conf", "bind", scratch() + "/etc/resolv.conf",
               {"ro", "bind", "nodev", "nosuid", "noexec"})
        .mount("/run/.containerenv", "bind", scratch() + "/etc/.containerenv",
               {"rw", "bind", "nodev", "nosuid", "noexec"});
    Json annotations;
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
             {"io.container.manager", "cri-o"},
             {"io.kubernetes.cri-o.ContainerType", "container"},
             {"io.kubernetes.cri-o.SandboxID", "5a9d"},
             {"io.kubernetes.cri-o.Annotations", R"({"io.kubernetes.container.hash":"1"})"},
             {"io.kubernetes.cri-o.Labels", R"({"io.kubernetes.pod.name":"pod-a"})"},
             {"io.kubernetes.cri-o.Created", "2026-11-26T09:30:00.000000000Z"},
             {"io.kubernetes.cri-o.LogPath", scratch() + "/log"},
             {"io.kubernetes.cri-o.Volumes", "[]"},
             {"io.kubernetes.cri-o.TTY", "false"},
             {"kubernetes.io/config.source", "api"},
             {"org.opencontainers.image.stopSignal", "15"}})
      annotations = with(annotations, name, value);
    bundle.set("annotations", annotations.print());
  }

  // A member whose name has dots, which paths of Json take for levels.
  static Json with(const Json& object, const std::string& name, const std::string& value) {
    const std::string text = object.is_object() ? object.print() : "{}";
    const std::string before = trim(text).substr(0, trim(text).size() - 1);
    return Json::parse(before + (object.size() ? "," : "") + Json::string(name).print() + ":" +
                       Json::string(value).print() + "}");
  }

  Conmon& conmon() {
    conmon_ = std::make_unique<Conmon>(runtime, bundle, scratch(), "c" + std::to_string(getpid()));
    return *conmon_;
  }
  // Created and started: CreateContainer and StartContainer.
  Conmon& started(const Args& more = {}) {
    Conmon& monitor = conmon();
    pid_ = static_cast<pid_t>(monitor.create(more)["pid"].integer());
    EXPECT_GT(pid_, 0);
    EXPECT_OK(runtime.run({"start", monitor.id()}));
    return monitor;
  }
  // process.args and process.terminal are all that CRI-O changes in it.
  std::string process(const std::string& script, bool terminal = false) {
    Json process = bundle.document()["process"];
    process.set("args", Json::array({"sh", "-c", script}));
    process.set("terminal", Json::parse(terminal ? "true" : "false"));
    return process.print();
  }
  // runtimeCmd() takes these words of standard error for "there is none any more".
  static bool is_not_found(const Outcome& outcome) {
    return !outcome.ok() && (outcome.err.contains("no such process") ||
                             outcome.err.contains("container not running"));
  }

  // The lines of a log that begin so.
  static std::string of(const std::string& log, const std::string& beginning) {
    std::string text;
    for (const std::string& line : lines(log))
      if (line.starts_with(beginning)) text += line.substr(beginning.size()) + "\n";
    return text;
  }

  std::unique_ptr<Conmon> conmon_;
  pid_t pid_ = 0;
};

TEST_F(Crio, CreatesStartsAndHearsOfTheEnd) {
  bundle.shell(
      "echo out; echo err >&2; hostname; cat /proc/self/oom_score_adj; cat /etc/resolv.conf; "
      "read word </dev/shm/go; exit 7");
  ASSERT_OK(run_command({.argv = {"mkfifo", scratch() + "/shm/go"}}));
  {
    Conmon& monitor = conmon();
    const Json answer = monitor.create();
    const pid_t pid = static_cast<pid_t>(answer["pid"].integer());
    ASSERT_GT(pid, 0) << answer.print();
    EXPECT_EQ(std::to_string(pid), read_file(monitor.pid_file()))
        << "strconv.Atoi takes no newline";
    EXPECT_EQ("created", runtime.status(monitor.id()));
    EXPECT_EQ("", monitor.log()) << "the program runs before `start`";
    for (const char* type : {"net", "ipc", "uts"})
      EXPECT_EQ(0, run_command({.argv = {"test", "/proc/" + std::to_string(pid) + "/ns/" + type,
                                         "-ef", pin(type)}})
                       .code)
          << type;

    const Outcome start = runtime.run({"start", monitor.id()});
    EXPECT_OK(start);
    EXPECT_EQ("", start.out + start.err);
    // Its parent is conmon, which hears of its end.
    EXPECT_EQ(trim(read_file(bundle.path() + "/conmon-pidfile")),
              field(read_file("/proc/" + std::to_string(pid) + "/status"), "PPid:"));
    write_file(scratch() + "/shm/go", "on\n");
    EXPECT_EQ(7, monitor.exit_code());
    // Of two pipes, each in its own order.
    EXPECT_EQ("out\npod-a\n999\nnameserver 10.0.0.10\n", of(monitor.log(), "stdout F "));
    EXPECT_EQ("err\n", of(monitor.log(), "stderr F "));
    EXPECT_EQ("stopped", runtime.status(monitor.id()));
    EXPECT_OK(runtime.run({"delete", "--force", monitor.id()}));
    EXPECT_EQ("", runtime.status(monitor.id()));
    const Outcome again = runtime.run({"delete", "--force", monitor.id()});
    EXPECT_OK(again) << "it removes what it does not know any more, too";
  }
  conmon_.reset();
}

TEST_F(Crio, IsToldWhyAContainerCannotBeCreated) {
  bundle.args({"/no/such/program"});
  const Json answer = conmon().create();
  EXPECT_EQ(-1, answer["pid"].integer());
  EXPECT_SAYS(answer["message"].text(), "/no/such/program");
  EXPECT_SAYS(answer["message"].text(), "no such file or directory");
  EXPECT_EQ("", runtime.status(conmon_->id()));
  EXPECT_EQ(cgroups::leftovers(), std::vector<std::string>());
  conmon_.reset();
}

// CRI-O decodes it over a structure of its own, which has these members too: whatever the runtime
// said in them would be believed.
TEST_F(Crio, ReadsTheState) {
  bundle.shell("exec sleep 100");
  Conmon& monitor = started();
  const Outcome outcome = runtime.run({"state", monitor.id()});
  EXPECT_EQ("", outcome.err);
  const Json state = Json::parse(outcome.out);
  EXPECT_EQ("running", state["status"].text());
  EXPECT_EQ(pid_, state["pid"].integer());
  EXPECT_EQ(bundle.path(), state["bundle"].text());
  EXPECT_EQ("5a9d", state["annotations"]["io.kubernetes.cri-o.SandboxID"].text());
  for (const char* member : {"started", "finished", "exitCode", "oomKilled", "error", "initPid",
                             "initStartTime", "checkpointedAt"})
    EXPECT_FALSE(state.has(member)) << member;
  conmon_.reset();
}

TEST_F(Crio, RunsCommandsToTheirEndByExecSync) {
  bundle.shell("exec sleep 100");
  Conmon& monitor = started();
  // No --systemd-cgroup: conmon leaves it out, the runtime remembers it.
  Json answer = monitor.exec_sync(
      process("echo in; test \"$(cat /proc/self/cgroup)\" = \"$(cat /proc/1/cgroup)\" && exit 3"));
  EXPECT_EQ(3, answer["exit_code"].integer());
  EXPECT_EQ("stdout F in\n", monitor.exec_log());

  answer = monitor.exec_sync(process("echo no >&2; printf part"));
  EXPECT_EQ(0, answer["exit_code"].integer());
  EXPECT_SAYS(monitor.exec_log(), "stderr F no\n");
  EXPECT_SAYS(monitor.exec_log(), "stdout P part\n");

  answer = monitor.exec_sync(process("kill -9 $$"));
  EXPECT_EQ(128 + SIGKILL, answer["exit_code"].integer());
  EXPECT_EQ("", monitor.exec_log());
  conmon_.reset();
}

TEST_F(Crio, IsToldWhyACommandCannotBeRun) {
  bundle.shell("exec sleep 100");
  Conmon& monitor = started();
  Json missing = Json::parse(process("true"));
  missing.set("args", Json::array({"nosuch"}));
  const Json answer = monitor.exec_sync(missing.print());
  EXPECT_EQ(-1, answer["exit_code"].integer());
  EXPECT_SAYS(answer["message"].text(), "executable file not found in $PATH");
  EXPECT_EQ("", monitor.exec_log());
  EXPECT_EQ("running", runtime.status(monitor.id()));
  conmon_.reset();
}

TEST_F(Crio, GivesACommandItsTime) {
  bundle.shell("exec sleep 100");
  Conmon& monitor = started();
  const Json answer = monitor.exec_sync(process("exec sleep 54.321"), {"-T", "1"});
  EXPECT_EQ(-1, answer["exit_code"].integer());
  EXPECT_EQ("command timed out", answer["message"].text());
  EXPECT_TRUE(eventually([&] {
    reap_orphans();
    return !runtime.run({"ps", monitor.id()}).out.contains("54.321");
  })) << "the command lives on";
  conmon_.reset();
}

TEST_F(Crio, RunsACommandOnATerminal) {
  bundle.shell("exec sleep 100");
  Conmon& monitor = started();
  const Json answer = monitor.exec_sync(process("tty; exit 4", true), {"-t"});
  EXPECT_EQ(4, answer["exit_code"].integer());
  EXPECT_SAYS(monitor.exec_log(), "stdout F /dev/pts/");
  conmon_.reset();
}

// ExecContainer: the runtime's own streams and exit code are the command's.
TEST_F(Crio, RunsACommandWithItsOwnStreams) {
  bundle.shell("exec sleep 100");
  Conmon& monitor = started();
  const std::string document = scratch() + "/exec-process-1";
  const auto exec = [&](const std::string& text, Command base = {}) {
    write_file(document, text);
    return runtime.run({"exec", "--process", document, monitor.id()}, std::move(base));
  };
  const Outcome said =
      exec(process("cat; echo no >&2; exit 5"), {.input = "typed\n", .use_pipes = true});
  EXPECT_EQ(5, said.code);
  EXPECT_EQ("typed\n", said.out);
  EXPECT_EQ("no\n", said.err);
  Json other = Json::parse(process("id -u; id -G; pwd; echo $A"));
  other.set("user", Json::parse(R"({"uid": 1000, "gid": 1000, "additionalGids": [2000]})"));
  other.set("cwd", Json::string("/tmp"));
  other.append("env", Json::string("A=b c"));
  EXPECT_EQ("1000\n1000 2000\n/tmp\nb c\n", exec(other.print()).out);
  Json missing = other;
  missing.set("args", Json::array({"nosuch"}));
  // 1 would be taken for the command's own.
  EXPECT_FAILS(exec(missing.print()), 255, "executable file not found in $PATH");
  conmon_.reset();
}

TEST_F(Crio, HasContainersWithATerminal) {
  bundle.set("process.terminal", "true")
      .shell(
          "tty; read word; echo got $word; until test \"$(stty size)\" = '33 77'; do usleep 5000; "
          "done; stty size; exit 6");
  Conmon& monitor = started({"-t"});
  EXPECT_TRUE(eventually([&] { return monitor.log().contains("/dev/pts/0"); })) << monitor.log();
  monitor.type("this\n");
  EXPECT_TRUE(eventually([&] { return monitor.log().contains("got this"); })) << monitor.log();
  monitor.control("1 33 77\n");
  EXPECT_EQ(6, monitor.exit_code());
  EXPECT_SAYS(monitor.log(), "33 77");
  conmon_.reset();
}

// StopContainer: the stop signal, and KILL when the time is over, until there is none any more.
TEST_F(Crio, StopsAContainer) {
  bundle.shell("trap 'echo asked' TERM; echo ready; while :; do usleep 10000; done");
  Conmon& monitor = started();
  ASSERT_TRUE(eventually([&] { return monitor.log().contains("ready"); }));
  EXPECT_OK(runtime.run({"kill", monitor.id(), "15"}));
  EXPECT_TRUE(eventually([&] { return monitor.log().contains("asked"); })) << monitor.log();
  const Outcome killed = runtime.run({"kill", monitor.id(), "KILL"});
  EXPECT_OK(killed);
  EXPECT_EQ("", killed.out + killed.err);
  EXPECT_EQ(137, monitor.exit_code());
  EXPECT_TRUE(is_not_found(runtime.run({"kill", monitor.id(), "KILL"})));
  EXPECT_TRUE(is_not_found(runtime.run({"kill", monitor.id(), "15"})));
  conmon_.reset();
}

TEST_F(Crio, StopsAContainerThatIsPaused) {
  bundle.shell("trap 'exit 9' TERM; echo ready; while :; do usleep 10000; done");
  Conmon& monitor = started();
  ASSERT_TRUE(eventually([&] { return monitor.log().contains("ready"); }));
  EXPECT_OK(runtime.run({"pause", monitor.id()}));
  EXPECT_EQ("paused", runtime.status(monitor.id()));
  EXPECT_OK(runtime.run({"resume", monitor.id()}));
  EXPECT_OK(runtime.run({"kill", monitor.id(), "15"}));
  EXPECT_EQ(9, monitor.exit_code());
  conmon_.reset();
}

// A pod with the node's pids: processes outlive the first one, and CRI-O has them killed.
TEST_F(Crio, KillsWhatIsLeftInAContainerWithoutPidNamespace) {
  bundle.without_namespace("pid").shell("sleep 54.322 >/dev/null 2>&1 & echo ready; exit 0");
  Conmon& monitor = started();
  EXPECT_EQ(0, monitor.exit_code());
  const auto processes = [&] {
    return cgroups::pids_in(cgroups::directory(cgroups::is_pure_v2() ? "" : "freezer",
                                               cgroups::group_of(monitor.id())));
  };
  EXPECT_EQ(1u, processes().size());
  EXPECT_OK(runtime.run({"kill", "-a", monitor.id(), "9"}));
  EXPECT_TRUE(eventually([&] {
    reap_orphans();
    return processes().empty();
  }));
  conmon_.reset();
}

TEST_F(Crio, UpdatesLimits) {
  NEEDS_CONTROLLER("memory");
  bundle.shell("exec sleep 100").set("linux.resources.memory", R"({"limit": 67108864})");
  Conmon& monitor = started();
  // Without --systemd-cgroup, whoever manages the group.
  const Outcome outcome = run_command(
      {.argv = {runtime.program(), "--root", runtime.root(), "update", "--resources", "-",
                monitor.id()},
       .input =
           R"({"memory":{"limit":134217728},"cpu":{"shares":512,"quota":50000,"period":100000})" +
           std::string(cgroups::is_pure_v2() ? R"(,"unified":{}})" : "}")});
  EXPECT_OK(outcome);
  EXPECT_EQ("", outcome.out + outcome.err);
  const std::string group = cgroups::directory("memory", cgroups::group_of(monitor.id()));
  EXPECT_EQ(
      "134217728",
      trim(read_file(group + (cgroups::is_pure_v2() ? "/memory.max" : "/memory.limit_in_bytes"))));
  conmon_.reset();
}

TEST_F(Crio, GoesOnInANewLogFile) {
  bundle.shell("echo first; read word </dev/shm/go; echo second; read word </dev/shm/go");
  ASSERT_OK(run_command({.argv = {"mkfifo", scratch() + "/shm/go"}}));
  Conmon& monitor = started();
  ASSERT_TRUE(eventually([&] { return monitor.log() == "stdout F first\n"; }));
  ASSERT_EQ(0, rename(monitor.log_path().c_str(), (monitor.log_path() + ".1").c_str()));
  monitor.control("2 0 0\n");
  ASSERT_TRUE(eventually([&] { return exists(monitor.log_path()); }));
  write_file(scratch() + "/shm/go", "on\n");
  EXPECT_TRUE(eventually([&] { return monitor.log() == "stdout F second\n"; })) << monitor.log();
  conmon_.reset();
}

// Both streams are read as one.
TEST_F(Crio, ReadsFeaturesAndVersion) {
  const Outcome outcome = run_command({.argv = {runtime.program(), "features"}});
  EXPECT_OK(outcome);
  EXPECT_EQ("", outcome.err);
  const Json features = Json::parse(outcome.out);
  EXPECT_NE("", features["ociVersionMin"].text());
  EXPECT_NE("", features["ociVersionMax"].text());
  EXPECT_TRUE(contains(features["mountOptions"].strings(), "rro"));
  EXPECT_TRUE(contains(features["linux"]["namespaces"].strings(), "user"));
  const Outcome version = run_command({.argv = {runtime.program(), "--version"}});
  EXPECT_OK(version);
  EXPECT_SAYS(version.out, runtime.name() + " version ");
}

// The probe of crutils: 0 would say that there is one.
TEST_F(Crio, DoesNotTakeItForARuntimeWithCheckpoints) {
  const Json features = this->features();
  for (const auto& [name, value] : features["annotations"].members())
    if (name.ends_with(".checkpoint.enabled") && value.text() == "true")
      GTEST_SKIP() << "it has them";
  EXPECT_NE(0, run_command({.argv = {runtime.program(), "checkpoint", "--help"}}).code);
}

}  // namespace
}  // namespace harness
