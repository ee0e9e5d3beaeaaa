// config-linux.md, "Namespaces": which of them the program is in, compared by inode.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/fixture.h"

namespace harness {
namespace {

// The kind in config.json, and the name below /proc/PID/ns.
struct Kind {
  const char* type;
  const char* file;
  int flag;
};
constexpr Kind kKinds[] = {{"pid", "pid", CLONE_NEWPID},  {"network", "net", CLONE_NEWNET},
                           {"mount", "mnt", CLONE_NEWNS}, {"ipc", "ipc", CLONE_NEWIPC},
                           {"uts", "uts", CLONE_NEWUTS},  {"cgroup", "cgroup", CLONE_NEWCGROUP}};

class Namespaces : public ContainerTest {
 protected:
  // The container's namespace, as its init is in it.
  std::string inside(const Container& container, const char* file) {
    return link_target("/proc/" + std::to_string(container.pid()) + "/ns/" + file);
  }
  static std::string ours(const char* file) {
    return link_target(std::string("/proc/self/ns/") + file);
  }
};

// A process of ours in new namespaces, to be joined by path.
class Holder {
 public:
  explicit Holder(int flags, const char* command = "exec sleep 100")
      : process_({.argv = {"/usr/bin/unshare", flag_words(flags), "sh", "-c", command}}) {}

  std::string path(const char* file) const {
    return "/proc/" + std::to_string(process_.pid()) + "/ns/" + file;
  }
  bool ready(const char* file) const {
    return eventually([&] {
      const std::string link = link_target(path(file));
      return !link.empty() && link != link_target(std::string("/proc/self/ns/") + file);
    });
  }

 private:
  static std::string flag_words(int flags) {
    std::string word = "-";
    if (flags & CLONE_NEWNET) word += "n";
    if (flags & CLONE_NEWIPC) word += "i";
    if (flags & CLONE_NEWUTS) word += "u";
    if (flags & CLONE_NEWCGROUP) word += "C";
    if (flags & CLONE_NEWNS) word += "m";
    return word;
  }

  Process process_;
};

TEST_F(Namespaces, EachThatIsListedIsNew) {
  SPEC("config-linux.md#namespaces",
       "path: if not specified, the runtime MUST create a new container namespace of type type.");
  bundle.with_namespace("cgroup").shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  for (const Kind& kind : kKinds) EXPECT_NE(ours(kind.file), inside(container, kind.file));
}

TEST_F(Namespaces, EachThatIsNotListedIsInherited) {
  SPEC("config-linux.md#namespaces",
       "If a namespace type is not specified in the namespaces array, the container MUST inherit "
       "the runtime namespace of that type.");
  bundle.set("linux.namespaces", R"([{"type": "mount"}])").remove("hostname");
  // A sysfs of a network namespace that is not new cannot be told apart; a bind works everywhere.
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  for (const Kind& kind : kKinds) {
    if (kind.flag == CLONE_NEWNS) continue;
    EXPECT_EQ(ours(kind.file), inside(container, kind.file));
  }
  EXPECT_NE(ours("mnt"), inside(container, "mnt"));
}

TEST_F(Namespaces, EachIsJoinedByPath) {
  SPEC("config-linux.md#namespaces",
       "The runtime MUST place the container process in the namespace associated with that path.");
  for (const Kind& kind : kKinds) {
    if (kind.flag == CLONE_NEWPID || kind.flag == CLONE_NEWNS) continue;  // below
    const Holder holder(kind.flag);
    ASSERT_TRUE(holder.ready(kind.file)) << kind.type;
    Bundle joining(scratch() + "/joining-" + kind.type);
    joining.with_namespace(kind.type, holder.path(kind.file)).shell("exec sleep 100");
    if (kind.flag == CLONE_NEWUTS) joining.remove("hostname");
    Container container(runtime, joining);
    ASSERT_OK(container.create()) << kind.type;
    EXPECT_EQ(link_target(holder.path(kind.file)), inside(container, kind.file)) << kind.type;
  }
}

TEST_F(Namespaces, APidNamespaceIsJoinedByPath) {
  bundle.shell("exec sleep 100");
  Container first(runtime, bundle);
  first.launch();
  const std::string path = "/proc/" + std::to_string(first.pid()) + "/ns/pid";
  Bundle joining(scratch() + "/joining");
  joining.with_namespace("pid", path).shell("echo $$; exec sleep 100");
  Container second(runtime, joining);
  second.launch();
  EXPECT_EQ(link_target(path), inside(second, "pid"));
  ASSERT_TRUE(eventually([&] { return !second.output().empty(); }));
  EXPECT_NE("1\n", second.output());
}

TEST_F(Namespaces, ProcfsShowsTheJoinedPidNamespace) {
  bundle.shell("exec sleep 4321");
  Container first(runtime, bundle);
  first.launch();
  Bundle joining(scratch() + "/joining");
  joining.with_namespace("pid", "/proc/" + std::to_string(first.pid()) + "/ns/pid")
      .shell("tr '\\0' ' ' </proc/1/cmdline; readlink /proc/self");
  Container second(runtime, joining);
  const Outcome outcome = second.run();
  EXPECT_OK(outcome);
  EXPECT_SAYS(outcome.out, "sleep 4321");
}

TEST_F(Namespaces, SeveralAreJoinedAtOnce) {
  const Holder holder(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
  ASSERT_TRUE(holder.ready("net"));
  for (const char* type : {"network", "ipc", "uts"})
    bundle.with_namespace(type, holder.path(std::string(type) == "network" ? "net" : type));
  bundle.remove("hostname").shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  for (const char* file : {"net", "ipc", "uts"})
    EXPECT_EQ(link_target(holder.path(file)), inside(container, file));
}

TEST_F(Namespaces, AJoinedPathMayBeABindMount) {
  // This is how network plug-ins keep a namespace without a process.
  const Holder holder(CLONE_NEWNET);
  ASSERT_TRUE(holder.ready("net"));
  const std::string pinned = scratch() + "/netns";
  write_file(pinned, "");
  ASSERT_EQ(0, mount(holder.path("net").c_str(), pinned.c_str(), nullptr, MS_BIND, nullptr));
  bundle.with_namespace("network", pinned).shell("exec sleep 100");
  {
    Container container(runtime, bundle);
    EXPECT_OK(container.create());
    EXPECT_EQ(link_target(holder.path("net")), inside(container, "net"));
  }
  EXPECT_EQ(0, umount2(pinned.c_str(), MNT_DETACH));
}

TEST_F(Namespaces, APathOfTheWrongKindIsAnError) {
  SPEC("config-linux.md#namespaces",
       "The runtime MUST generate an error if path is not associated with a namespace of type "
       "type.");
  bundle.with_namespace("network", "/proc/self/ns/uts");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "/proc/self/ns/uts");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Namespaces, APathThatIsNoNamespaceIsAnErrorThatNamesIt) {
  bundle.with_namespace("ipc", "/etc/passwd");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "/etc/passwd");
  EXPECT_TRUE(names_in(runtime.root()).empty());
}

TEST_F(Namespaces, AnAbsentPathIsAnErrorThatNamesIt) {
  bundle.with_namespace("ipc", "/proc/self/ns/absent");
  Container container(runtime, bundle);
  EXPECT_FAILS(container.create(), 1, "/proc/self/ns/absent");
}

TEST_F(Namespaces, TheSameKindTwiceIsAnError) {
  SPEC("config-linux.md#namespaces",
       "If a namespaces field contains duplicated namespaces with same type, the runtime MUST "
       "generate an error.");
  bundle.append("linux.namespaces", R"({"type": "pid"})");
  Container container(runtime, bundle);
  const Outcome outcome = container.create();
  EXPECT_EQ(1, outcome.code) << outcome;
}

TEST_F(Namespaces, InANewPidNamespaceTheProgramIsProcessOne) {
  EXPECT_EQ("1\n", run_shell("echo $$"));
}

TEST_F(Namespaces, TheHostnameIsSet) {
  SPEC("config.md#hostname", "hostname specifies the container's hostname.");
  bundle.set("hostname", R"("some-name")");
  EXPECT_EQ("some-name\n", run_shell("hostname"));
}

TEST_F(Namespaces, WithoutAUtsNamespaceAHostnameIsRefused) {
  const std::string before = read_file("/proc/sys/kernel/hostname");
  bundle.without_namespace("uts").set("hostname", R"("some-name")");
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  EXPECT_EQ(1, outcome.code) << outcome;
  EXPECT_EQ(before, read_file("/proc/sys/kernel/hostname"));
}

TEST_F(Namespaces, TheDomainnameIsSet) {
  SPEC("config.md#domainname", "domainname specifies the container's domainname.");
  NEEDS_VERSION("1.1");
  bundle.set("domainname", R"("example.test")");
  EXPECT_EQ("example.test\n", run_shell("cat /proc/sys/kernel/domainname"));
}

TEST_F(Namespaces, TheLoopbackDeviceOfANewNetworkNamespaceIsUp) {
  const std::string seen = run_shell("ip -o link show lo; ip -o addr show lo");
  EXPECT_SAYS(seen, "LOOPBACK,UP");
  EXPECT_SAYS(seen, "127.0.0.1");
}

TEST_F(Namespaces, AJoinedNetworkNamespaceIsLeftAsItIs) {
  const Holder holder(CLONE_NEWNET);
  ASSERT_TRUE(holder.ready("net"));
  bundle.with_namespace("network", holder.path("net"));
  EXPECT_EQ(std::string::npos, run_shell("ip -o link show lo").find("LOOPBACK,UP"));
}

TEST_F(Namespaces, TheCgroupNamespaceIsRootedAtTheContainersGroup) {
  bundle.with_namespace("cgroup");
  for (const std::string& line : lines(run_shell("cat /proc/self/cgroup")))
    if (cgroups::is_pure_v2() || line.find(":memory:") != std::string::npos) {
      EXPECT_TRUE(line.ends_with(":/")) << line;
    }
}

}  // namespace
}  // namespace harness
