// Everything that users, engines and the file system get wrong. Each case must end with an exit
// code, one line that names the step, field or path, and nothing left behind (the fixture checks
// that).
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class BadInput : public ContainerTest {
 protected:
  // What must hold after any create that failed.
  void expect_nothing_left() {
    EXPECT_EQ(names_in(runtime.root()), std::vector<std::string>());
    EXPECT_EQ(cgroups::leftovers(), std::vector<std::string>());
    EXPECT_TRUE(eventually([] { return living_orphans().empty(); }));
  }

  // `create` and `run` of the bundle fail with one line that contains `part`.
  void expect_refused(std::string_view part) {
    for (const char* command : {"create", "run"}) {
      bundle.save("refused");
      const Outcome outcome = runtime.run({command, "--bundle", bundle.path(), "refused"});
      EXPECT_FAILS(outcome, 1, part);
      EXPECT_EQ("", outcome.out) << command;
      expect_nothing_left();
      runtime.run({"delete", "--force", "refused"});
    }
  }
};

// --- config.json itself

TEST_F(BadInput, NoConfigJson) {
  bundle.raw("");
  expect_refused("config.json");
}

TEST_F(BadInput, NoBundle) {
  const Outcome outcome =
      runtime.run({"create", "--bundle", scratch() + "/absent-bundle", "refused"});
  EXPECT_FAILS(outcome, 1, "absent-bundle");
}

TEST_F(BadInput, ADirectoryInPlaceOfConfigJson) {
  bundle.raw("");
  make_directories(bundle.config_path());
  expect_refused("");
  rmdir(bundle.config_path().c_str());
}

TEST_F(BadInput, AnEmptyConfigJson) {
  bundle.raw(" ");
  expect_refused("");
}

TEST_F(BadInput, ATruncatedConfigJson) {
  bundle.save("whole");
  const std::string whole = read_file(bundle.config_path());
  for (const size_t size : {1u, 20u, 300u}) {
    bundle.raw(whole.substr(0, size));
    expect_refused("");
  }
  bundle.raw(whole.substr(0, whole.size() - 1));
  expect_refused("");
}

struct Hostile {
  const char* name;
  std::string text;

  friend void PrintTo(const Hostile& hostile, std::ostream* stream) { *stream << hostile.name; }
};

class HostileDocument : public BadInput, public ::testing::WithParamInterface<Hostile> {};

TEST_P(HostileDocument, IsRefused) {
  bundle.raw(GetParam().text);
  expect_refused("");
}

std::string repeated(const char* text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

INSTANTIATE_TEST_SUITE_P(
    Case, HostileDocument,
    ::testing::Values(
        Hostile{"null", "null"}, Hostile{"array", "[]"}, Hostile{"string", "\"x\""},
        Hostile{"deep_arrays", repeated("[", 200000)},
        Hostile{"deep_objects", repeated("{\"a\":", 100000)}, Hostile{"text_after_it", "{} {}"},
        Hostile{"nul_bytes", std::string(1000, '\0')},
        Hostile{"not_utf8", "{\"ociVersion\": \"\xff\xfe\"}"}, Hostile{"nothing_in_it", "{}"},
        Hostile{"huge_number",
                R"({"ociVersion":"1.0.2","process":{"user":{"uid":1e999,"gid":0}}})"}),
    [](const auto& test) { return std::string(test.param.name); });

struct WrongField {
  const char* name;
  const char* path;
  const char* json;
  const char* said;  // part of the message

  friend void PrintTo(const WrongField& wrong, std::ostream* stream) { *stream << wrong.name; }
};

class WrongFields : public BadInput, public ::testing::WithParamInterface<WrongField> {};

TEST_P(WrongFields, AreNamed) {
  bundle.set(GetParam().path, GetParam().json);
  expect_refused(GetParam().said);
}

INSTANTIATE_TEST_SUITE_P(
    Case, WrongFields,
    ::testing::Values(
        WrongField{"args_is_a_string", "process.args", "\"sh\"", "args"},
        WrongField{"args_is_empty", "process.args", "[]", "args"},
        WrongField{"uid_is_a_string", "process.user.uid", "\"root\"", "uid"},
        WrongField{"uid_is_negative", "process.user.uid", "-1", "uid"},
        WrongField{"uid_is_too_large", "process.user.uid", "4294967296", "uid"},
        WrongField{"cwd_is_missing", "process.cwd", "\"\"", "wd"},
        WrongField{"mounts_is_an_object", "mounts", "{}", "mounts"},
        WrongField{"namespace_is_unknown", "linux.namespaces.0.type", "\"astral\"", "astral"},
        WrongField{"terminal_is_a_number", "process.terminal", "1", "terminal"},
        WrongField{"rlimit_is_unknown", "process.rlimits",
                   R"([{"type": "RLIMIT_JOY", "soft": 1, "hard": 1}])", "RLIMIT_JOY"},
        WrongField{"propagation_is_unknown", "linux.rootfsPropagation", "\"viral\"", "viral"},
        WrongField{"device_type_is_unknown", "linux.devices",
                   R"([{"path": "/dev/x", "type": "q", "major": 1, "minor": 1}])", ""},
        WrongField{"memory_limit_is_a_string", "linux.resources.memory", R"({"limit": "1m"})",
                   "limit"},
        WrongField{"major_version_is_another", "ociVersion", "\"2.0.0\"", "2.0.0"},
        WrongField{"version_is_no_version", "ociVersion", "\"new\"", "new"},
        WrongField{"mount_without_destination", "mounts",
                   R"([{"type": "tmpfs", "source": "tmpfs"}])", "destination"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(BadInput, NoRoot) {
  bundle.remove("root");
  expect_refused("root");
}

TEST_F(BadInput, NoProcess) {
  bundle.remove("process");
  bundle.save("refused");
  // create may allow it (runtime.md wants process at start only); run and start may not.
  EXPECT_EQ(1, runtime.run({"run", "--bundle", bundle.path(), "refused"}).code);
  runtime.run({"delete", "--force", "refused"});
}

TEST_F(BadInput, UnknownMembersAreIgnored) {
  SPEC("config.md#extensibility",
       "Runtimes MUST NOT generate an error if an unknown property is encountered.");
  bundle.set("x-unknown", "{\"a\": [1, 2]}").set("process.unknown", "true");
  EXPECT_EQ("ran\n", run_shell("echo ran"));
}

// --- the root file system and the program

TEST_F(BadInput, ARootfsThatIsAFile) {
  write_file(scratch() + "/file", "");
  bundle.set("root.path", "\"" + scratch() + "/file\"");
  expect_refused("");
}

TEST_F(BadInput, AProgramThatIsNotThere) {
  bundle.args({"absent-program"});
  expect_refused("absent-program");
  expect_refused("executable file not found in $PATH");
}

TEST_F(BadInput, AnAbsoluteProgramThatIsNotThere) {
  // Engines turn this text into exit code 127.
  bundle.args({"/bin/absent-program"});
  expect_refused("no such file or directory");
}

TEST_F(BadInput, AProgramThatIsNotExecutable) {
  bundle.args({"/etc/passwd"});
  bundle.save("refused");
  const Outcome outcome = runtime.run({"create", "--bundle", bundle.path(), "refused"});
  EXPECT_FAILS(outcome, 1, "ermission denied");
  expect_nothing_left();
}

TEST_F(BadInput, AProgramThatIsADirectory) {
  bundle.args({"/etc"});
  expect_refused("/etc");
}

TEST_F(BadInput, ACwdThatIsAFile) {
  bundle.set("process.cwd", R"("/etc/passwd")");
  expect_refused("/etc/passwd");
}

TEST_F(BadInput, AnInterpreterThatIsNotThere) {
  // Only execve finds out, at start: the container must end, and be deletable.
  bundle.file("/script", "#!/absent/interpreter\n", 0755).args({"/script"});
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  container.start();
  EXPECT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  EXPECT_OK(container.remove());
  expect_nothing_left();
}

// --- identifiers

class BadIds : public BadInput, public ::testing::WithParamInterface<const char*> {};

TEST_P(BadIds, AreRefused) {
  bundle.save("bad");
  const std::string id = GetParam();
  for (const char* command : {"create", "run"}) {
    const Outcome outcome = runtime.run({command, "--bundle", bundle.path(), id});
    EXPECT_EQ(1, outcome.code) << outcome;
    EXPECT_NE("", outcome.err);
  }
  for (const char* command : {"state", "start", "kill", "delete"})
    EXPECT_EQ(1, runtime.run({command, id}).code) << command;
  expect_nothing_left();
  EXPECT_TRUE(exists(bundle.config_path()));
}

INSTANTIATE_TEST_SUITE_P(Id, BadIds,
                         ::testing::Values("", ".", "..", "a/b", "../escape", "a b", "a\nb", "a:b",
                                           "\xc3\xa9"));

TEST_F(BadInput, AnIdOfMoreThan1024Characters) {
  bundle.save("bad");
  const Outcome outcome =
      runtime.run({"create", "--bundle", bundle.path(), std::string(1025, 'x')});
  EXPECT_EQ(1, outcome.code) << outcome;
  EXPECT_LE(lines(outcome.err).size(), 1u);
  expect_nothing_left();
}

TEST_F(BadInput, EveryOtherCharacterOfAnIdIsFine) {
  bundle.shell("echo ran");
  for (const char* id : {"a", "A-b_c.d+9", "0", "...", "-x"}) {
    if (*id == '-') continue;  // taken for a flag
    Container container(runtime, bundle, id);
    const Outcome outcome = container.run();
    EXPECT_OK(outcome);
  }
}

TEST_F(BadInput, MoreThanOneId) {
  bundle.save("bad");
  EXPECT_EQ(1, runtime.run({"create", "--bundle", bundle.path(), "one", "two"}).code);
  expect_nothing_left();
}

// --- the state directory

TEST_F(BadInput, ARootThatCannotBeMade) {
  write_file(scratch() + "/file", "");
  bundle.save("bad");
  const Runtime blocked(scratch() + "/file/below");
  EXPECT_FAILS(blocked.run({"create", "--bundle", bundle.path(), "bad"}), 1, "/file");
  expect_nothing_left();
}

TEST_F(BadInput, ARootThatIsReadonly) {
  const std::string where = scratch() + "/readonly";
  make_directories(where);
  ASSERT_EQ(0, mount("tmpfs", where.c_str(), "tmpfs", MS_RDONLY, nullptr));
  bundle.save("bad");
  const Runtime blocked(where);
  const Outcome outcome = blocked.run({"create", "--bundle", bundle.path(), "bad"});
  EXPECT_EQ(0, umount2(where.c_str(), MNT_DETACH));
  EXPECT_FAILS(outcome, 1, where);
  expect_nothing_left();
}

TEST_F(BadInput, ADiskThatIsFull) {
  const std::string where = scratch() + "/full";
  make_directories(where);
  ASSERT_EQ(0, mount("tmpfs", where.c_str(), "tmpfs", 0, "size=4k,nr_inodes=20"));
  write_file(where + "/ballast", std::string(4096, 'x'));
  bundle.save("bad");
  const Runtime blocked(where);
  const Outcome outcome = blocked.run({"create", "--bundle", bundle.path(), "bad"});
  EXPECT_EQ(std::vector<std::string>{"ballast"}, names_in(where));
  EXPECT_EQ(0, umount2(where.c_str(), MNT_DETACH));
  EXPECT_EQ(1, outcome.code) << outcome;
  expect_nothing_left();
}

TEST_F(BadInput, AStateThatIsBroken) {
  // A crash or a full disk can leave half a record; delete --force must get rid of it.
  for (const char* text : {"", "{", "[]", "\xff"}) {
    bundle.shell("exec sleep 100");
    Container container(runtime, bundle);
    container.launch();
    const pid_t pid = container.pid();
    const std::string directory = runtime.root() + "/" + container.id();
    for (const std::string& name : names_in(directory)) {
      struct stat status;
      if (stat((directory + "/" + name).c_str(), &status) == 0 && S_ISREG(status.st_mode))
        write_file(directory + "/" + name, text);
    }
    EXPECT_EQ(1, runtime.run({"state", container.id()}).code);
    EXPECT_EQ(1, runtime.run({"start", container.id()}).code);
    EXPECT_EQ(255, container.exec({"true"}).code);
    EXPECT_OK(container.remove({"--force"}));
    EXPECT_FALSE(exists(directory)) << "a broken record must not need manual work";
    ::kill(pid, SIGKILL);
    wait_for_end(pid);
    remove_tree(directory);
    cgroups::remove_leftovers();
  }
}

TEST_F(BadInput, AStateDirectoryWithNothingInIt) {
  make_directories(runtime.root() + "/hollow");
  for (const char* command : {"state", "start", "kill", "delete", "pause", "ps"})
    EXPECT_EQ(1, runtime.run({command, "hollow"}).code) << command;
  EXPECT_OK(runtime.run({"delete", "--force", "hollow"}));
  EXPECT_FALSE(exists(runtime.root() + "/hollow"));
  remove_tree(runtime.root() + "/hollow");
}

TEST_F(BadInput, AControlGroupThatSomebodyElseRemoved) {
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  cgroups::remove_leftovers();
  EXPECT_EQ("stopped", container.status());
  EXPECT_OK(container.remove());
  EXPECT_FALSE(exists(runtime.root() + "/" + container.id()));
}

// --- commands on containers that cannot take them

TEST_F(BadInput, CommandsOnAnUnknownContainer) {
  for (const char* command : {"start", "state", "kill", "delete", "pause", "resume", "ps"})
    EXPECT_FAILS(runtime.run({command, "unknown"}), 1, "does not exist");
  EXPECT_FAILS(runtime.run({"exec", "unknown", "true"}), 255, "does not exist");
  EXPECT_FAILS(runtime.run({"update", "--pids-limit", "9", "unknown"}), 1, "does not exist");
}

TEST_F(BadInput, CommandsOnAStoppedContainer) {
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  for (const char* command : {"start", "kill", "pause", "resume"}) {
    const Outcome outcome = runtime.run({command, container.id()});
    EXPECT_EQ(1, outcome.code) << outcome;
    EXPECT_EQ(1u, lines(outcome.err).size()) << outcome;
  }
  EXPECT_EQ("stopped", container.status());
  EXPECT_OK(container.remove());
}

TEST_F(BadInput, UnknownSignals) {
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  for (const char* signal : {"NOSUCH", "SIGNOSUCH", "", "KILL9", "-1x"}) {
    if (*signal == '\0') continue;  // kill without a signal is TERM
    const Outcome outcome = container.kill(signal);
    EXPECT_EQ(1, outcome.code) << outcome;
  }
  EXPECT_FAILS(container.kill("NOSUCH"), 1, "NOSUCH");
  EXPECT_EQ("running", container.status());
}

TEST_F(BadInput, FewDescriptorsAreEnoughOrAnError) {
  // A limit of very few descriptors must not crash or leave half a container.
  bundle.shell("echo ran");
  bundle.save("few");
  for (const int limit : {4, 6, 8, 10, 16, 64}) {
    const Outcome outcome =
        run_command({.argv = {"sh", "-c", "ulimit -n " + std::to_string(limit) + "; exec \"$@\"",
                              "sh", runtime.program(), "--root", runtime.root(), "run", "--bundle",
                              bundle.path(), "few"}});
    // Go's runtime aborts by itself with a code of its own when it cannot begin at all.
    EXPECT_TRUE(outcome.ok() ? outcome.out == "ran\n" : outcome.err != "") << outcome;
    runtime.run({"delete", "--force", "few"});
    expect_nothing_left();
  }
}

TEST_F(BadInput, StandardStreamsThatAreClosed) {
  bundle.shell("true");
  bundle.save("closed");
  const Outcome outcome =
      run_command({.argv = {"sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh", runtime.program(),
                            "--root", runtime.root(), "run", "--bundle", bundle.path(), "closed"}});
  EXPECT_LE(outcome.code, 1) << outcome;
  runtime.run({"delete", "--force", "closed"});
  expect_nothing_left();
}

TEST_F(BadInput, PreservedDescriptorsThatAreNotOpen) {
  bundle.shell("echo ran");
  Container container(runtime, bundle);
  const Outcome outcome = container.run({"--preserve-fds", "3"});
  // crun passes those that are there, runc refuses.
  EXPECT_LE(outcome.code, 1) << outcome;
  expect_nothing_left();
}

TEST_F(BadInput, ARuntimeThatIsKilledInTheMiddleCanBeCleanedUp) {
  // A hook holds create still while it is killed, as the OOM killer would.
  bundle.append("hooks.createRuntime", R"({"path": "/bin/sh", "args": ["sh", "-c", "echo > )" +
                                           scratch() + R"(/reached; exec sleep 100"]})");
  bundle.save("killed");
  Process create(runtime.command({"create", "--bundle", bundle.path(), "killed"}));
  ASSERT_TRUE(eventually([&] { return exists(scratch() + "/reached"); })) << create.errors();
  create.signal(SIGKILL);
  create.wait();
  const Outcome outcome = runtime.run({"delete", "--force", "killed"});
  EXPECT_OK(outcome);
  // The hook itself was the runtime's child; nobody but us knows it now.
  for (const auto& [pid, line] : living_orphans())
    if (line.find("sleep") != std::string::npos) ::kill(pid, SIGKILL);
  EXPECT_TRUE(eventually([] { return living_orphans().empty(); }))
      << "init must not outlive the runtime that made it, or delete must find it";
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

}  // namespace
}  // namespace harness
