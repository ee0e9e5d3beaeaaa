#include "src/pod/status.h"

#include <gtest/gtest.h>

#include "src/base/text.h"
#include "src/pod/event.h"
#include "src/pod/state.h"

namespace ocirt::pod {
namespace {

constexpr std::string_view kTime = "2026-01-02T03:04:05.000000006Z";

// Every member has a value that is not its default, so that a row that is missing shows.
PodStatus example() {
  const Terminated end{137, 9, EndReason::kOomKilled, "m", std::string(kTime), std::string(kTime)};
  ContainerStatus waits{.name = "a", .role = Role::kInit};
  waits.state.waiting = Waiting{WaitingReason::kCrashLoopBackOff, "restart 10 ms after"};
  waits.last_terminated = end;
  waits.restart_count = 3;
  ContainerStatus runs{.name = "b", .role = Role::kSidecar};
  runs.state.running = Running{std::string(kTime)};
  runs.started = true;
  runs.ready = true;
  runs.stopping = true;
  runs.process = {4711, 18446744073709551615u};
  ContainerStatus ended{.name = "c", .role = Role::kApp};
  ended.state.terminated = end;
  PodStatus status{.name = "p", .uid = "u", .phase = Phase::kRunning, .reason = {}};
  status.reason = StopReason::kInitFailed;
  status.message = "\"m\"\n";
  status.ips = {"10.0.0.1", "fd00::1"};
  status.started_at = kTime;
  status.finished_at = kTime;
  status.conditions = {{"Initialized", true, std::string(kTime)}, {"Ready", false, ""}};
  status.containers = {waits, runs, ended};
  return status;
}

State example_state() {
  SavedContainer saved{.step = Step::kStopping,
                       .attempt = 1,
                       .ever_started = true,
                       .backoff_ms = 2,
                       .again = true,
                       .due_ns = 3,
                       .since_ns = 4,
                       .post_start = true,
                       .kill_at_ns = 5,
                       .condemned = true,
                       .restart_asked = true,
                       .last = Terminated{},
                       .before = Terminated{.exit_code = 1}};
  return {.status = example(),
          .started = true,
          .begun_ns = 6,
          .turn = 7,
          .stop_deadline_ns = 8,
          .containers = {saved, saved, saved}};
}

TEST(PodStatusJson, SurvivesWritingAndReading) {
  Result<PodStatus> back = read_status(write_status(example()));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(*back, example());
  EXPECT_EQ(write_status(example()).find('\n'), std::string::npos) << "one line";
}

TEST(PodStatusJson, HasTheWordsOfKubernetes) {
  const std::string json = write_status(example());
  for (std::string_view part :
       {R"("phase":"Running")", R"("waiting":{"reason":"CrashLoopBackOff")", R"("restartCount":3)",
        R"("running":{"startedAt":"2026-)", R"("terminated":{"exitCode":137)",
        R"("reason":"OOMKilled")", R"("podIPs":["10.0.0.1","fd00::1"])"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << "\n" << json;
  }
}

TEST(PodStatusJson, FindsByName) {
  const PodStatus status = example();
  EXPECT_EQ(status.find("b"), &status.containers[1]);
  EXPECT_EQ(status.find("x"), nullptr);
  EXPECT_TRUE(status.condition("Initialized"));
  EXPECT_FALSE(status.condition("Ready"));
  EXPECT_FALSE(status.condition("Other"));
}

TEST(ExitStatus, IsWhatAShellWouldSay) {
  EXPECT_EQ((Exit{.code = 3}).status(), 3);
  EXPECT_EQ((Exit{.signal = 15}).status(), 143);
  EXPECT_EQ((Exit{.unknown = true}).status(), 137);
}

TEST(PodStateJson, SurvivesWritingAndReading) {
  Result<State> back = read_state(write_state(example_state()));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(*back, example_state());
}

TEST(PodStateJson, ThatIsCutOffOrOfAnotherVersionIsRefused) {
  std::string text = write_state(example_state());
  for (size_t size = 0; size < text.size(); size += 7) {
    EXPECT_FALSE(read_state(std::string_view(text).substr(0, size))) << size;
  }
  const size_t at = text.find("\"version\":1");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 11, "\"version\":2");
  EXPECT_NE(read_state(text).error().text.find("form 2"), std::string::npos);
}

TEST(PodStateJson, MustHaveAsMuchOfEachContainerAsTheStatus) {
  State state = example_state();
  state.containers.pop_back();
  EXPECT_FALSE(read_state(write_state(state)));
}

TEST(EventLine, SurvivesWritingAndReading) {
  const Event event{std::string(kTime), "p", "c", EventType::kExited, "a\nb \"c\"", 3};
  const std::string line = write_event(event);
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "one line, whatever the message holds";
  Result<Event> back = read_event(line);
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(*back, event);
  EXPECT_FALSE(read_event("{\"time\":\"x\"}"));
}

TEST(EventLine, RepairsWhatIsNotUtf8) {
  Event event{std::string(kTime), "p", "c", EventType::kFailed, "a\xff", {}};
  EXPECT_TRUE(read_event(write_event(event)));
}

}  // namespace
}  // namespace ocirt::pod
