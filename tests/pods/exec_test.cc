// Processes that `Exec` adds to a pod's containers, and what the Task service answers of them.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/wire/any.h"
#include "src/wire/service.h"
#include "tests/pods/pod_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::pod::PodStatus;
using ocirt::pod::Role;

struct Streams {
  std::string in, out;
  int keyboard = -1, screen = -1;
};

class PodExec : public PodTest {
 protected:
  // A pod with a container "c" that waits.
  std::unique_ptr<TestPod> waiting_pod() {
    auto pod = std::make_unique<TestPod>(pods_root(), new_name());
    pod->add("c", "exec sleep 60");
    pod->launch();
    return pod;
  }
  // Fifos as a client has them.
  Streams streams() {
    Streams made;
    const std::string base = scratch() + "/fifo" + std::to_string(++fifos_);
    made.in = base + ".in";
    made.out = base + ".out";
    ::mkfifo(made.in.c_str(), 0600);
    ::mkfifo(made.out.c_str(), 0600);
    made.screen = ::open(made.out.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    made.keyboard = ::open(made.in.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return made;
  }
  std::string read_all(int fd) {
    std::string text;
    char room[4096];
    for (ssize_t got; (got = ::read(fd, room, sizeof room)) > 0;)
      text.append(room, static_cast<size_t>(got));
    return text;
  }
  std::string add(TestPod& pod, const std::string& id, const std::vector<std::string>& args,
                  const Streams& io = {}, bool terminal = false) {
    Json process = pod.bundle("c").document()["process"];
    process.set("args", Json::array(args));
    const wire::AnyValue value{std::string(wire::kProcessUrl), process.print()};
    wire::Any any = value.lend();
    auto request = wire::blank<wire::ExecProcessRequest>();
    request.id = wire::lend("c");
    request.exec_id = wire::lend(id);
    request.terminal = terminal ? 1 : 0;
    request.stdin = wire::lend(io.in);
    request.stdout = wire::lend(io.out);
    request.spec = &any;
    return text_of(pod.call<wire::Empty>(wire::kTaskV2, "Exec", request));
  }
  template <wire::Message Response, wire::Message Request>
  ocirt::Result<wire::Owned<Response>> ask(TestPod& pod, const char* method,
                                           const std::string& id) {
    auto request = wire::blank<Request>();
    request.id = wire::lend("c");
    request.exec_id = wire::lend(id);
    return pod.call<Response>(wire::kTaskV3, method, request);
  }
  std::string start(TestPod& pod, const std::string& id) {
    return text_of(ask<wire::StartResponse, wire::StartRequest>(pod, "Start", id));
  }
  std::string remove(TestPod& pod, const std::string& id) {
    return text_of(ask<wire::DeleteResponse, wire::DeleteRequest>(pod, "Delete", id));
  }
  int wait(TestPod& pod, const std::string& id) {
    auto answer = ask<wire::WaitResponse, wire::WaitRequest>(pod, "Wait", id);
    return answer ? static_cast<int>((*answer)->exit_status) : -1;
  }
  std::string kill(TestPod& pod, const std::string& id, int signal) {
    auto request = wire::blank<wire::KillRequest>();
    request.id = wire::lend("c");
    request.exec_id = wire::lend(id);
    request.signal = static_cast<uint32_t>(signal);
    return text_of(pod.call<wire::Empty>(wire::kTaskV3, "Kill", request));
  }
  template <class T>
  static std::string text_of(const ocirt::Result<T>& result) {
    return result ? "" : result.error().text;
  }

 private:
  int fifos_ = 0;
};

TEST_F(PodExec, RunsInTheContainerAndItsExitCodeComesBack) {
  auto pod = waiting_pod();
  const Outcome outcome = pod->exec("c", {"sh", "-c", "hostname; echo oops >&2; exit 5"});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(outcome.out, "pod-host\n");
  EXPECT_EQ(outcome.err, "oops\n");
}

TEST_F(PodExec, SignalIsItsExitCodeFrom128On) {
  auto pod = waiting_pod();
  ASSERT_EQ(add(*pod, "e", {"sleep", "60"}), "");
  ASSERT_EQ(start(*pod, "e"), "");
  EXPECT_EQ(kill(*pod, "e", SIGKILL), "");
  EXPECT_EQ(wait(*pod, "e"), 128 + SIGKILL);
}

TEST_F(PodExec, ShortOnesHaveStartedBeforeTheyHaveEnded) {
  auto pod = waiting_pod();
  for (int i = 0; i < 20; ++i) {
    const std::string id = "e" + std::to_string(i);
    ASSERT_EQ(add(*pod, id, {"true"}), "");
    ASSERT_EQ(start(*pod, id), "");
    EXPECT_EQ(wait(*pod, id), 0);
    EXPECT_EQ(remove(*pod, id), "");
  }
}

TEST_F(PodExec, InputEndsWhenItIsClosed) {
  auto pod = waiting_pod();
  Streams io = streams();
  ASSERT_EQ(add(*pod, "e", {"cat"}, io), "");
  ASSERT_EQ(start(*pod, "e"), "");
  ASSERT_EQ(::write(io.keyboard, "some text\n", 10), 10);
  ::close(io.keyboard);  // another client could come
  std::string out;
  EXPECT_TRUE(eventually([&] { return (out += read_all(io.screen)) == "some text\n"; })) << out;
  auto close = wire::blank<wire::CloseIORequest>();
  close.id = wire::lend("c");
  const std::string id = "e";
  close.exec_id = wire::lend(id);
  close.stdin = 1;
  EXPECT_TRUE(pod->call<wire::Empty>(wire::kTaskV3, "CloseIO", close));
  EXPECT_EQ(wait(*pod, "e"), 0);
  ::close(io.screen);
}

TEST_F(PodExec, TerminalIsCopiedBothWaysAndHasItsSize) {
  auto pod = waiting_pod();
  Streams io = streams();
  ASSERT_EQ(add(*pod, "e", {"sh", "-c", "tty; read line; stty size; echo got $line"}, io, true),
            "");
  ASSERT_EQ(start(*pod, "e"), "");
  std::string out;
  EXPECT_TRUE(eventually(
      [&] { return (out += read_all(io.screen)).find("/dev/pts/") != std::string::npos; }));
  auto size = wire::blank<wire::ResizePtyRequest>();
  const std::string id = "e";
  size.id = wire::lend("c");
  size.exec_id = wire::lend(id);
  size.width = 99;
  size.height = 33;
  EXPECT_TRUE(pod->call<wire::Empty>(wire::kTaskV3, "ResizePty", size));
  ASSERT_EQ(::write(io.keyboard, "hello\n", 6), 6);
  EXPECT_EQ(wait(*pod, "e"), 0);
  EXPECT_TRUE(eventually([&] {
    return (out += read_all(io.screen)).find("got hello") != std::string::npos;
  })) << out;
  EXPECT_SAYS(out, "33 99");
  ::close(io.screen);
  ::close(io.keyboard);
}

TEST_F(PodExec, StatesAndRefusalsAreThoseOfContainerd) {
  auto pod = waiting_pod();
  EXPECT_SAYS(start(*pod, "e"), "not found");
  ASSERT_EQ(add(*pod, "e", {"sleep", "60"}), "");
  EXPECT_SAYS(add(*pod, "e", {"true"}), "already exists");
  EXPECT_SAYS(kill(*pod, "e", SIGKILL), "has not been started");
  ASSERT_EQ(start(*pod, "e"), "");
  EXPECT_SAYS(start(*pod, "e"), "cannot start a running process");
  EXPECT_SAYS(remove(*pod, "e"), "cannot delete a running process");
  EXPECT_EQ(kill(*pod, "e", SIGTERM), "");
  EXPECT_EQ(wait(*pod, "e"), 128 + SIGTERM);
  EXPECT_SAYS(kill(*pod, "e", SIGTERM), "process already finished");
  EXPECT_EQ(remove(*pod, "e"), "");
  EXPECT_SAYS(remove(*pod, "e"), "not found");
}

TEST_F(PodExec, ProgramThatIsMissingIsTheAnswerOfStart) {
  auto pod = waiting_pod();
  ASSERT_EQ(add(*pod, "e", {"/no/such/program"}), "");
  EXPECT_SAYS(start(*pod, "e"), "/no/such/program");
  EXPECT_EQ(wait(*pod, "e"), 255);
  EXPECT_EQ(remove(*pod, "e"), "");
}

TEST_F(PodExec, EndsWithItsContainer) {
  auto pod = waiting_pod();
  ASSERT_EQ(add(*pod, "e", {"sleep", "60"}), "");
  ASSERT_EQ(start(*pod, "e"), "");
  EXPECT_EQ(kill(*pod, "", SIGKILL), "");
  ASSERT_TRUE(pod->becomes([](const PodStatus& status) { return !status.finished_at.empty(); }));
}

TEST_F(PodExec, PausedContainerTakesNoneAndGoesOnAfterResume) {
  auto pod = waiting_pod();
  auto pause = wire::blank<wire::PauseRequest>();
  pause.id = wire::lend("c");
  ASSERT_TRUE(pod->call<wire::Empty>(wire::kTaskV3, "Pause", pause));
  EXPECT_SAYS(add(*pod, "e", {"true"}), "cannot exec in a paused container");
  auto resume = wire::blank<wire::ResumeRequest>();
  resume.id = wire::lend("c");
  ASSERT_TRUE(pod->call<wire::Empty>(wire::kTaskV3, "Resume", resume));
  EXPECT_EQ(pod->exec_shell("c", "echo fine"), "fine");
}

TEST_F(PodExec, PidsNameTheProcessesAndStatsCount) {
  auto pod = waiting_pod();
  ASSERT_EQ(add(*pod, "e", {"sleep", "60"}), "");
  ASSERT_EQ(start(*pod, "e"), "");
  auto pids = wire::blank<wire::PidsRequest>();
  pids.id = wire::lend("c");
  auto listed = pod->call<wire::PidsResponse>(wire::kTaskV3, "Pids", pids);
  ASSERT_TRUE(listed) << listed.error().text;
  ASSERT_EQ((*listed)->n_processes, 2u);
  EXPECT_EQ(((*listed)->processes[0]->info != nullptr) + ((*listed)->processes[1]->info != nullptr),
            1);
  auto stats = wire::blank<wire::StatsRequest>();
  stats.id = wire::lend("c");
  auto counted = pod->call<wire::StatsResponse>(wire::kTaskV3, "Stats", stats);
  ASSERT_TRUE(counted) << counted.error().text;
  const bool v2 = cgroups::is_pure_v2();
  ASSERT_STREQ((*counted)->stats->type_url,
               v2 ? "io.containerd.cgroups.v2.Metrics" : "io.containerd.cgroups.v1.Metrics");
  const auto bytes = wire::view((*counted)->stats->value);
  EXPECT_EQ(v2 ? (*wire::parse<wire::v2::Metrics>(bytes))->pids->current
               : (*wire::parse<wire::v1::Metrics>(bytes))->pids->current,
            2u);
  auto of_pod = wire::blank<wire::SandboxMetricsRequest>();
  of_pod.sandbox_id = wire::lend(pod->name());
  auto whole = pod->call<wire::SandboxMetricsResponse>(wire::kSandboxV1, "SandboxMetrics", of_pod);
  ASSERT_TRUE(whole) << whole.error().text;
  ASSERT_NE((*whole)->metrics, nullptr);
  EXPECT_STREQ((*whole)->metrics->data->type_url, (*counted)->stats->type_url);
  EXPECT_GT((*whole)->metrics->timestamp->seconds, 1'600'000'000);
}

}  // namespace
}  // namespace harness
