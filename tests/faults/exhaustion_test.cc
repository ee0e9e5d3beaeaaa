// What there is not enough of: room, inodes, descriptors, processes, memory. A command that cannot
// do without says so in one line, leaves nothing behind (the fixture looks), and what was there
// before can still be asked for and removed.
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "src/base/text.h"
#include "tests/support/fixture.h"

namespace harness {
namespace {

using ocirt::cat;

class Exhaustion : public ContainerTest {
 protected:
  void TearDown() override {
    for (const std::string& path : mounted_) ::umount2(path.c_str(), MNT_DETACH);
    ContainerTest::TearDown();
  }

  void mount_small(const std::string& path, const std::string& options) {
    make_directories(path);
    ASSERT_EQ(0, ::mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()));
    mounted_.push_back(path);
  }
  // Files until there is room for no further one, or for none with something in it.
  static void fill(const std::string& directory, bool with_bytes) {
    for (int i = 0;; ++i) {
      const int file =
          ::open(cat(directory, "/filler-", i).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
      if (file < 0) return;
      const std::string block(4096, 'x');
      int blocks = 0;
      while (with_bytes && ::write(file, block.data(), block.size()) > 0) ++blocks;
      ::close(file);
      if (with_bytes && blocks == 0) return;
    }
  }
  static void empty(const std::string& directory) {
    for (const std::string& name : names_in(directory))
      if (name.starts_with("filler-")) ::unlink(cat(directory, "/", name).c_str());
  }
  // A run of `echo ran` under limits of its own: either it works, or it says why not.
  void runs_or_says_why(const Args& before) {
    Container container(runtime, bundle);
    bundle.save(container.id());
    Command command = runtime.command({"run", "--bundle", bundle.path(), container.id()});
    command.argv.insert(command.argv.begin(), before.begin(), before.end());
    const Outcome outcome = run_command(command);
    EXPECT_FALSE(outcome.timed_out) << outcome;
    if (outcome.ok()) {
      EXPECT_EQ("ran\n", outcome.out) << outcome;
    } else {
      EXPECT_TRUE(outcome.err.starts_with("ocirt: ")) << outcome;
      EXPECT_EQ(1u, lines(outcome.err).size()) << outcome;
    }
    EXPECT_OK(container.remove({"--force"}));
    EXPECT_EQ(std::vector<std::string>(), names_in(runtime.root())) << outcome;
  }

  std::vector<std::string> mounted_;
};

// Room for a few directories and records, and then for none.
TEST_F(Exhaustion, OfTheDiskOfTheStateIsSaidAndWhatRunsIsStillRemoved) {
  for (const bool by_bytes : {true, false}) {
    mount_small(runtime.root(), by_bytes ? "size=64k" : "size=1m,nr_inodes=24");
    bundle.shell("exec sleep 100");
    {
      Container container(runtime, bundle), further(runtime, bundle);
      ASSERT_OK(container.create());
      ASSERT_OK(container.start());
      fill(runtime.root(), by_bytes);
      EXPECT_FAILS(further.create(), 1, "No space left on device");
      EXPECT_EQ("", further.status());
      EXPECT_EQ("running", container.status());
      EXPECT_OK(container.exec({"true"}));
      EXPECT_OK(container.kill("KILL"));
      container.wait_for_exit();
      EXPECT_OK(container.remove());
      empty(runtime.root());
      ASSERT_OK(further.create());
    }
    EXPECT_EQ(std::vector<std::string>(), names_in(runtime.root()));
    ASSERT_EQ(0, ::umount2(runtime.root().c_str(), MNT_DETACH));
  }
}

TEST_F(Exhaustion, OfInodesOfTheRootFileSystemIsSaidWithTheMountThatNeedsOne) {
  const std::string small = scratch() + "/small";
  mount_small(small, "size=16m,nr_inodes=1000");
  ASSERT_OK(run_command({.argv = {"cp", "-a", bundle.rootfs(), small + "/rootfs"}}));
  fill(small, false);
  bundle.set("root.path", cat("\"", small, "/rootfs\"")).shell("echo ran");
  bundle.mount("/no/such/place", "tmpfs", "tmpfs", {});
  Container container(runtime, bundle);
  EXPECT_FAILS(container.run(), 1, "No space left on device");
  empty(small);
  EXPECT_OK(Container(runtime, bundle).run());
}

TEST_F(Exhaustion, OfDescriptorsIsSaidAtEveryNumberFromThreeOn) {
  bundle.shell("echo ran");
  int worked = 0;
  for (int limit = 3; limit < 32; ++limit) {
    const std::string word = cat("--nofile=", limit, ":", limit);
    runs_or_says_why({"prlimit", word});
    worked += HasFailure() ? 0 : 1;
  }
  EXPECT_EQ(29, worked);
}

TEST_F(Exhaustion, OfTheProcessesOfAUserIsSaidOrLeftToTheProgram) {
  bundle.set("process.user", R"({"uid": 54321, "gid": 54321})").shell("exec sleep 100");
  Container first(runtime, bundle);
  first.launch();
  bundle.shell("echo ran");
  for (int limit = 0; limit < 4; ++limit) {
    bundle.set("process.rlimits",
               cat(R"([{"type": "RLIMIT_NPROC", "soft": )", limit, R"(, "hard": )", limit, "}]"));
    Container second(runtime, bundle);
    const Outcome outcome = second.run();
    EXPECT_TRUE(outcome.ok() || outcome.err.starts_with("ocirt: ")) << outcome;
  }
  EXPECT_EQ("running", first.status());
}

// The kernel counts when exec's program becomes that user's, when it is born and when it begins.
TEST_F(Exhaustion, OfTheProcessesOfAUserIsSaidByExecAtItsEdge) {
  bundle.set("process.user", R"({"uid": 54321, "gid": 54321})").shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  const std::string document = scratch() + "/process.json";
  std::string worked;
  for (int limit = 0; limit < 5; ++limit) {
    write_file(document,
               cat(R"({"args": ["sh", "-c", "echo ran"], "env": ["PATH=/bin"], "cwd": "/",)",
                   R"( "user": {"uid": 54321, "gid": 54321}, "rlimits": [{"type":)",
                   R"( "RLIMIT_NPROC", "soft": )", limit, R"(, "hard": )", limit, "}]}"));
    const Outcome outcome = container.exec({}, {"--process", document});
    EXPECT_FALSE(outcome.timed_out) << outcome;
    worked += outcome.ok() ? '+' : '-';
    if (outcome.ok()) {
      EXPECT_EQ("ran\n", outcome.out) << outcome;
    } else {
      EXPECT_EQ(1u, lines(outcome.err).size()) << outcome;
      EXPECT_SAYS(outcome.err, "a limit of processes is reached: RLIMIT_NPROC of the user");
    }
  }
  EXPECT_EQ('-', worked.front()) << worked;
  EXPECT_EQ('+', worked.back()) << worked;
  EXPECT_EQ("running", container.status());
}

// A process that is born in a cgroup counts (v2), one that comes from outside does not (v1).
TEST_F(Exhaustion, OfTheProcessesOfAContainerIsSaidByExec) {
  NEEDS_CONTROLLER("pids");
  bundle.set("linux.resources", R"({"pids": {"limit": 1}})").shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  const Outcome outcome = container.exec({"true"});
  EXPECT_TRUE(outcome.ok() || outcome.err.starts_with("ocirt: exec ")) << outcome;
  EXPECT_EQ("running", container.status());
}

TEST_F(Exhaustion, OfMemoryIsSaidAtEveryLimitDownToNone) {
  NEEDS_CONTROLLER("memory");
  bundle.shell("echo ran");
  for (const long limit : {4096l, 65536l, 262144l, 524288l, 1048576l, 2097152l, 4194304l}) {
    bundle.set("linux.resources", cat(R"({"memory": {"limit": )", limit, "}}"));
    runs_or_says_why({});
  }
}

TEST_F(Exhaustion, OfRightsToWriteTheStateIsSaid) {
  const std::string place = scratch() + "/read-only";
  make_directories(place);
  ASSERT_EQ(0, ::mount("tmpfs", place.c_str(), "tmpfs", MS_RDONLY, nullptr));
  mounted_.push_back(place);
  const Runtime there(place + "/run/ocirt");
  bundle.shell("echo ran").save("c");
  EXPECT_FAILS(there.run({"run", "--bundle", bundle.path(), "c"}), 1, "Read-only file system");
  EXPECT_FAILS(Runtime(place).run({"run", "--bundle", bundle.path(), "c"}), 1,
               "Read-only file system");
}

}  // namespace
}  // namespace harness
