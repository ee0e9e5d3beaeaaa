// config.md, "POSIX-platform Hooks", and runtime.md, "Lifecycle": each hook leaves a record of
// when, where and with what it was called.
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <optional>

#include "tests/support/fixture.h"

namespace harness {
namespace {

constexpr const char* kKinds[] = {"prestart",       "createRuntime", "createContainer",
                                  "startContainer", "poststart",     "poststop"};

class Hooks : public ContainerTest {
 protected:
  Hooks() { bundle.shell("echo program >> /tmp/order"); }

  std::string record(const std::string& name) { return bundle.rootfs("/tmp/" + name); }

  // Where a hook of this kind finds the file /tmp/NAME of the rootfs.
  std::string seen_by_hook(const std::string& kind, const std::string& name) {
    return kind == "startContainer" ? "/tmp/" + name : record(name);
  }

  // Adds a hook of a kind that runs a shell script.
  void hook(const std::string& kind, const std::string& script, const std::string& more = "") {
    Json entry;
    entry.set("path", Json::string("/bin/sh"));
    entry.set("args", Json::array({"sh", "-c", script}));
    const Json extra = more.empty() ? Json() : Json::parse(more);
    for (const auto& [name, value] : extra.members()) entry.set(name, value);
    bundle.append("hooks." + kind, entry.print());
  }

  std::string order() { return exists(record("order")) ? read_file(record("order")) : ""; }
};

TEST_F(Hooks, AreCalledInTheirOrderAroundTheProgram) {
  SPEC("config.md#posix-platform-hooks",
       "Entries in the array MUST be called in the listed order.");
  for (const char* kind : kKinds)
    for (const char* which : {"first", "second"})
      hook(kind, std::string("echo ") + kind + " " + which + " >> " + seen_by_hook(kind, "order"));
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const std::string created =
      "prestart first\nprestart second\ncreateRuntime first\ncreateRuntime second\n"
      "createContainer first\ncreateContainer second\n";
  EXPECT_EQ(created, order());
  ASSERT_OK(container.start());
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  // The program and the poststart hooks run at the same time.
  std::vector<std::string> started = lines(order().substr(created.size()));
  ASSERT_EQ(5u, started.size()) << order();
  EXPECT_EQ("startContainer first", started[0]);
  EXPECT_EQ("startContainer second", started[1]);
  std::erase(started, "program");
  EXPECT_EQ("poststart first poststart second",
            started.size() == 4 ? started[2] + " " + started[3] : order());
  const size_t before = order().size();
  ASSERT_OK(container.remove());
  EXPECT_EQ("poststop first\npoststop second\n", order().substr(before));
}

TEST_F(Hooks, GetTheStateOnStdin) {
  SPEC("config.md#posix-platform-hooks",
       "The state of the container MUST be passed to hooks over stdin so that they may do work "
       "appropriate to the current state of the container.");
  bundle.set("annotations", R"({"org.example": "noted"})");
  for (const std::string kind : kKinds) hook(kind, "cat > " + seen_by_hook(kind, kind + ".json"));
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const pid_t pid = container.pid();
  ASSERT_OK(container.start());
  ASSERT_OK(container.remove({"--force"}));
  for (const std::string kind : kKinds) {
    ASSERT_TRUE(exists(record(kind + ".json"))) << kind;
    const Json state = Json::parse(read_file(record(kind + ".json")));
    EXPECT_EQ(container.id(), state["id"].text()) << kind;
    EXPECT_EQ(bundle.path(), state["bundle"].text()) << kind;
    EXPECT_EQ("noted", state["annotations"]["org.example"].text()) << kind;
    EXPECT_TRUE(state["ociVersion"].text().starts_with("1.")) << kind;
    const std::string status = state["status"].text();
    if (kind == "poststop") {
      EXPECT_EQ("stopped", status);
      continue;
    }
    // runtime.md#state: hooks in the container's namespaces are told the pid as seen there.
    const bool inside = kind == "createContainer" || kind == "startContainer";
    EXPECT_EQ(inside ? 1 : pid, state["pid"].integer()) << kind;
    EXPECT_EQ(kind == "poststart"        ? "running"
              : kind == "startContainer" ? "created"
                                         : "creating",
              status)
        << kind;
  }
}

TEST_F(Hooks, RunInTheNamespacesOfTheRuntimeOrOfTheContainer) {
  SPEC("config.md#createContainer-hooks",
       "The createContainer hooks' path MUST resolve in the runtime namespace and MUST be "
       "executed in the container namespace.");
  for (const std::string kind : kKinds)
    hook(kind, "readlink /proc/self/ns/mnt > " + seen_by_hook(kind, kind + ".mnt") +
                   "; readlink /proc/self/ns/net > " + seen_by_hook(kind, kind + ".net"));
  bundle.shell("readlink /proc/self/ns/net; exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  const std::string process = "/proc/" + std::to_string(container.pid()) + "/ns/";
  const std::string inner_mnt = link_target(process + "mnt") + "\n";
  const std::string inner_net = link_target(process + "net") + "\n";
  ASSERT_OK(container.remove({"--force"}));
  for (const std::string kind : kKinds) {
    const bool inside = kind == "createContainer" || kind == "startContainer";
    EXPECT_EQ(inside ? inner_mnt : link_target("/proc/self/ns/mnt") + "\n",
              read_file(record(kind + ".mnt")))
        << kind;
    EXPECT_EQ(inside ? inner_net : link_target("/proc/self/ns/net") + "\n",
              read_file(record(kind + ".net")))
        << kind;
  }
}

TEST_F(Hooks, OfCreateContainerSeeTheMountsBeforeThePivot) {
  SPEC("config.md#createContainer-hooks",
       "The createContainer hooks MUST be called after the mounts have been set up, but before "
       "the pivot_root operation.");
  bundle.mount("/x", "tmpfs", "tmpfs", {});
  hook("createContainer",
       "grep -c ' " + bundle.rootfs("/x") + " ' /proc/self/mountinfo > " + record("seen"));
  run_bundle();
  EXPECT_EQ("1\n", read_file(record("seen")));
}

// As hooks for graphics cards do it; before Linux 6.15 readonlyPaths were sealed together.
TEST_F(Hooks, MayMountBelowProcAndItStaysWritable) {
  bundle.set("linux.readonlyPaths",
             R"(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"])");
  hook("createContainer", "mount -t tmpfs tmpfs " + bundle.rootfs("/proc/tty"));
  bundle.shell(
      "echo written > /proc/tty/file; cat /proc/tty/file; echo 0 > /proc/sys/vm/swappiness");
  constexpr unsigned kFlags =
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
  const MissingCall open_tree_attr{467, 2, kFlags, ENOSYS};
  for (const auto& missing : {std::optional<MissingCall>(), std::optional(open_tree_attr)}) {
    Container container(runtime, bundle);
    const Outcome outcome = container.run({}, {.missing = missing});
    EXPECT_EQ("written\n", outcome.out) << outcome;
    EXPECT_SAYS(outcome.err, "Read-only file system");
  }
}

TEST_F(Hooks, OfTheRuntimeSeeTheContainersNamespacesByItsPid) {
  hook("createRuntime",
       "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/'); readlink /proc/$pid/ns/net > " +
           record("net"));
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  EXPECT_EQ(link_target("/proc/" + std::to_string(container.pid()) + "/ns/net") + "\n",
            read_file(record("net")));
}

TEST_F(Hooks, GetTheirArgsAndExactlyTheirEnvironment) {
  SPEC("config.md#posix-platform-hooks",
       "args and env have the same semantics as IEEE Std 1003.1 "
       "execve's argv and environ.");
  bundle.append("hooks.createRuntime",
                R"({"path": "/bin/sh", "args": ["named", "-c", "echo $0 $1 $A $B $HOME > )" +
                    record("seen") + R"(", "zero", "one"], "env": ["A=1", "B=two words"]})");
  run_bundle();
  EXPECT_EQ("zero one 1 two words\n", read_file(record("seen")));
}

// They are programs of the image, like the container's own.
TEST_F(Hooks, OfTheKindStartContainerAreUnderTheContainersFilter) {
  bundle.set("linux.seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                 {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]})");
  hook("startContainer", "mkdir /tmp/made; grep Seccomp: /proc/self/status > /tmp/seen; true");
  for (const char* no_new_privileges : {"true", "false"}) {
    bundle.set("process.noNewPrivileges", no_new_privileges);
    run_bundle();
    EXPECT_FALSE(exists(record("made"))) << no_new_privileges;
    EXPECT_EQ("2", field(read_file(record("seen")), "Seccomp:")) << no_new_privileges;
  }
}

// Profiles of engines do: clone3 hides its flags from filters, so that programs shall use clone.
TEST_F(Hooks, OfTheKindStartContainerRunWhenTheFilterAnswersEnosysToClone3) {
  bundle.set("process.noNewPrivileges", "false");
  bundle.set("linux.seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                 {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]})");
  hook("startContainer", "echo ran > /tmp/seen");
  run_bundle();
  EXPECT_EQ("ran\n", read_file(record("seen")));
}

TEST_F(Hooks, WithoutAnEnvironmentHaveTheRuntimesOrTheContainers) {
  bundle.set("process.env", R"(["PATH=/bin", "OF=container"])");
  for (const std::string kind : {"createRuntime", "startContainer"}) {
    hook(kind, "echo ${PATH:+a path} $OF > " + seen_by_hook(kind, kind));
  }
  run_bundle();
  EXPECT_EQ("a path\n", read_file(record("createRuntime")));
  EXPECT_EQ("a path container\n", read_file(record("startContainer")));
}

TEST_F(Hooks, FindTheBundleAsTheirDirectoryOrWhateverTheRuntimesIs) {
  // Callers agree on nothing but that hooks of the runtime start in an existing directory.
  hook("createRuntime", "pwd > " + record("seen"));
  run_bundle();
  EXPECT_TRUE(read_file(record("seen")).starts_with("/"));
}

TEST_F(Hooks, NeedNotReadTheirStdin) {
  // A long state fills a pipe that nobody reads; that must neither block nor fail.
  Json annotations = Json::parse("{}");
  annotations.set("long", Json::string(std::string(200000, 'x')));
  bundle.set("annotations", annotations.print());
  hook("createRuntime", "exec <&-; exit 0");
  run_bundle();
  EXPECT_EQ("program\n", order());
}

class FailingHooks : public Hooks, public ::testing::WithParamInterface<const char*> {};

TEST_P(FailingHooks, AbortTheContainer) {
  SPEC("runtime.md#lifecycle",
       "If any hook of create fails, the runtime MUST generate an error, stop the container, and "
       "continue the lifecycle at step 12.");
  const std::string kind = GetParam();
  hook(kind, "echo because >&2; exit 3");
  hook("poststop", "echo poststop >> " + record("order"));
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  EXPECT_EQ(1, outcome.code) << outcome;
  EXPECT_SAYS(outcome.err, "hook");
  EXPECT_TRUE(names_in(runtime.root()).empty());
  EXPECT_TRUE(cgroups::leftovers().empty());
  if (kind != "poststart") {
    EXPECT_EQ(std::string::npos, order().find("program")) << "the program must not run";
  }
}

INSTANTIATE_TEST_SUITE_P(Kind, FailingHooks,
                         ::testing::Values("prestart", "createRuntime", "createContainer",
                                           "startContainer", "poststart"),
                         [](const auto& test) { return std::string(test.param); });

TEST_F(Hooks, SayWhyTheyFailed) {
  hook("createRuntime", "echo because of the weather >&2; exit 3");
  Container container(runtime, bundle);
  const Outcome outcome = container.create();
  EXPECT_EQ(1, outcome.code);
  EXPECT_SAYS(outcome.err, "because of the weather");
  EXPECT_SAYS(outcome.err, "3");
}

TEST_F(Hooks, OfPoststartThatFailEndTheContainer) {
  hook("poststart", "exit 3");
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  ASSERT_OK(container.create());
  const pid_t pid = container.pid();
  EXPECT_EQ(1, container.start().code);
  EXPECT_TRUE(wait_for_end(pid));
}

TEST_F(Hooks, OfPoststopThatFailAreOnlyLogged) {
  SPEC("runtime.md#lifecycle",
       "If any poststop hook fails, the runtime MUST log a warning, but the remaining hooks and "
       "lifecycle continue as if the hook had succeeded.");
  hook("poststop", "echo one >> " + record("order") + "; exit 3");
  hook("poststop", "echo two >> " + record("order"));
  bundle.shell("exit 0");
  Container container(runtime, bundle);
  container.launch();
  ASSERT_TRUE(eventually([&] { return container.status() == "stopped"; }));
  EXPECT_OK(container.remove());
  EXPECT_EQ("one\ntwo\n", order());
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Hooks, AreEndedAfterTheirTimeout) {
  SPEC("config.md#posix-platform-hooks",
       "timeout is the number of seconds before aborting the hook.");
  hook("createRuntime", "exec sleep 60", R"({"timeout": 1})");
  Container container(runtime, bundle);
  const Outcome outcome = container.run({}, {.time_limit_ms = 40000});
  EXPECT_EQ(1, outcome.code) << outcome;
  EXPECT_FALSE(outcome.timed_out);
}

TEST_F(Hooks, WithAMissingProgramFailAndNameIt) {
  bundle.append("hooks.createRuntime", R"({"path": "/absent/hook"})");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "/absent/hook");
}

TEST_F(Hooks, WithARelativePathAreRefused) {
  SPEC("config.md#posix-platform-hooks", "path: this value MUST be an absolute path.");
  bundle.append("hooks.createRuntime", R"({"path": "bin/true"})");
  Container container(runtime, bundle);
  EXPECT_EQ(1, container.create().code);
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

}  // namespace
}  // namespace harness
