// `events`: what a container uses, and what happens to it, for decoders written against runc.
#include <unistd.h>

#include <csignal>
#include <memory>
#include <utility>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class Events : public RunningContainerTest {
 protected:
  Outcome events(const Args& flags) {
    Args args = {"events"};
    args.insert(args.end(), flags.begin(), flags.end());
    args.push_back(container_->id());
    return runtime.run(args);
  }

  // `events` under way.
  std::unique_ptr<Process> follow(const Args& flags) {
    Args args = {"events"};
    args.insert(args.end(), flags.begin(), flags.end());
    args.push_back(container_->id());
    return std::make_unique<Process>(runtime.command(args));
  }
};

size_t lines_of_type(const std::string& text, const std::string& type) {
  size_t count = 0;
  for (const std::string& line : lines(text)) {
    if (Json::parse(line)["type"].text() == type) ++count;
  }
  return count;
}

// Has it opened this file of the group, or on v1 the counter that stands for it?
bool watches(pid_t pid, const std::string& file) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/fd/";
  for (const std::string& name : names_in(directory)) {
    const std::string target = link_target(directory + name);
    if (target.ends_with(file) || target == "anon_inode:[eventfd]") return true;
  }
  return false;
}

// Where systemd makes the groups it removes them when they are empty, and with one goes its count
// of kills: whoever is late finds nothing. While something is mounted on it where systemd works, a
// group stays, as it does without systemd.
class StayingGroup {
 public:
  explicit StayingGroup(std::string directory) : directory_(std::move(directory)) {
    if (!cgroups::by_systemd()) directory_.clear();
    if (directory_.empty()) return;
    EXPECT_OK(on_the_host({"mount", "--bind", directory_, directory_}));
  }
  StayingGroup(const StayingGroup&) = delete;
  StayingGroup& operator=(const StayingGroup&) = delete;
  ~StayingGroup() {
    if (directory_.empty()) return;
    EXPECT_OK(on_the_host({"umount", directory_}));
    rmdir(directory_.c_str());  // systemd does not try again
  }

 private:
  static Outcome on_the_host(const Args& argv) {
    Args args = {"nsenter", "--mount=/proc/1/ns/mnt"};
    args.insert(args.end(), argv.begin(), argv.end());
    return run_command({.argv = args});
  }

  std::string directory_;
};

TEST_F(Events, PrintStatisticsOnce) {
  const std::string id = running().id();
  const Outcome outcome = events({"--stats"});
  ASSERT_OK(outcome);
  ASSERT_EQ(1U, lines(outcome.out).size()) << outcome.out;
  const Json line = Json::parse(outcome.out);
  EXPECT_EQ("stats", line["type"].text());
  EXPECT_EQ(id, line["id"].text());
  const Json& data = line["data"];
  EXPECT_GE(data["pids"]["current"].integer(), 1);
  EXPECT_TRUE(data["cpu"]["usage"].has("kernel"));
  EXPECT_TRUE(data["cpu"]["usage"].has("user"));
  EXPECT_TRUE(data["memory"]["usage"].has("limit"));
  EXPECT_TRUE(data["memory"]["usage"].has("failcnt"));
  for (const char* member : {"cpuset", "blkio", "hugetlb", "intel_rdt", "network_interfaces"})
    EXPECT_TRUE(data.has(member)) << member;
}

TEST_F(Events, CountTheProcessorTimeOfTheContainer) {
  running();
  const auto used = [&] {
    const Json line = Json::parse(events({"--stats"}).out);
    const Json* total = line.find("data.cpu.usage.total");
    return total == nullptr ? 0 : total->integer();
  };
  const long long before = used();
  ASSERT_OK(container_->exec_shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"));
  EXPECT_GT(used(), before + 10'000'000);  // nanoseconds
}

TEST_F(Events, SayTheLimitsInForce) {
  NEEDS_CONTROLLER("pids");
  NEEDS_CONTROLLER("memory");
  bundle.set("linux.resources.pids.limit", "77");
  bundle.set("linux.resources.memory.limit", "67108864");
  running();
  const Json data = Json::parse(events({"--stats"}).out)["data"];
  EXPECT_EQ(77, data["pids"]["limit"].integer());
  EXPECT_EQ(67108864, data["memory"]["usage"]["limit"].integer());
  EXPECT_GT(data["memory"]["usage"]["usage"].integer(), 0);
  EXPECT_TRUE(data["memory"]["raw"].is_object());
}

TEST_F(Events, ComeAtTheIntervalUntilTheContainerEnds) {
  running();
  std::unique_ptr<Process> stream = follow({"--interval", "50ms"});
  EXPECT_TRUE(eventually([&] { return lines(stream->output()).size() >= 3; }));
  EXPECT_FALSE(stream->is_over());
  EXPECT_OK(container_->kill("KILL"));
  const Outcome outcome = stream->wait();
  EXPECT_OK(outcome);
  EXPECT_EQ(lines(outcome.out).size(), lines_of_type(outcome.out, "stats"));
}

TEST_F(Events, EndWithTheLastProcessOfTheCgroup) {
  // Without a pid namespace its first process may be ended by any signal, and alone.
  bundle.without_namespace("pid").shell("sleep 100 & sleep 100 & touch /tmp/up; wait");
  running();
  ASSERT_TRUE(eventually([&] { return exists(bundle.rootfs("/tmp/up")); }));
  std::unique_ptr<Process> stream = follow({"--interval=1h"});
  EXPECT_TRUE(eventually([&] { return watches(stream->pid(), "/cgroup.events"); }));
  const pid_t init = container_->pid();
  EXPECT_OK(container_->kill("USR1"));
  EXPECT_TRUE(wait_for_end(init));
  sleep_ms(100);
  // Where only the first process's end can be seen (v1 alone), it stands for all.
  EXPECT_TRUE(!stream->is_over() || !cgroups::is_pure_v2());
  EXPECT_OK(container_->kill("KILL", {"--all"}));
  EXPECT_OK(stream->wait());
}

TEST_F(Events, TellThatMemoryRanOut) {
  NEEDS_CONTROLLER("memory");
  bundle.set("linux.resources.memory.limit", "20971520");
  running();
  std::unique_ptr<Process> stream = follow({"--interval", "20ms"});
  ASSERT_TRUE(eventually([&] { return !lines(stream->output()).empty(); }));
  EXPECT_EQ(128 + SIGKILL, container_->exec_shell("x=a; while :; do x=$x$x; done").code);
  EXPECT_TRUE(eventually([&] { return lines_of_type(stream->output(), "oom") >= 1; }));
  EXPECT_FALSE(stream->is_over());
}

TEST_F(Events, TellOfTheKillThatEndsTheContainer) {
  NEEDS_CONTROLLER("memory");
  bundle.set("linux.resources.memory.limit", "20971520")
      .shell(
          "grow() { x=a; while :; do x=$x$x; done; }; trap grow USR1; touch /tmp/up; "
          "sleep 100 & wait");
  running();
  ASSERT_TRUE(eventually([&] { return exists(bundle.rootfs("/tmp/up")); }));
  const StayingGroup group(cgroups::directory("memory", cgroups::group_of(container_->id())));
  std::unique_ptr<Process> stream = follow({"--interval", "1h"});
  ASSERT_TRUE(eventually([&] { return watches(stream->pid(), "/memory.events"); }));
  EXPECT_OK(container_->kill("USR1"));
  const Outcome outcome = stream->wait();
  EXPECT_OK(outcome);
  EXPECT_GE(lines_of_type(outcome.out, "oom"), 1U) << outcome.out;
}

TEST_F(Events, TakeAnIntervalAsGoWritesOneOrInSeconds) {
  running();
  for (const char* bad : {"0", "-1s", "5 s", "soon"}) {
    EXPECT_EQ(1, events({"--interval", bad}).code) << bad;
  }
  std::unique_ptr<Process> stream = follow({"--interval", "1"});
  EXPECT_TRUE(eventually([&] { return !lines(stream->output()).empty(); }));
}

TEST_F(Events, OfAContainerThatIsNotThereFail) {
  running();
  EXPECT_OK(container_->kill("KILL"));
  container_->wait_for_exit();
  EXPECT_FAILS(events({"--stats"}), 1, "container not running");
  EXPECT_FAILS(events({}), 1, "container not running");
  EXPECT_FAILS(runtime.run({"events", "--stats", "nobody"}), 1, "does not exist");
}

}  // namespace
}  // namespace harness
