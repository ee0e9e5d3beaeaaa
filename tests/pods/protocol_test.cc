// The shim as a server: every method of its services, every code that callers decide by, and
// clients that do not keep to the protocol. Whatever one client does, the pod and the other clients
// go on.
#include <signal.h>

#include "src/wire/any.h"
#include "src/wire/service.h"
#include "tests/pods/pod_fixture.h"
#include "tests/pods/raw_client.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::Code;

constexpr const char* kTaskMethods[] = {
    "State", "Create",    "Start",   "Delete", "Pids", "Pause", "Resume",  "Checkpoint", "Kill",
    "Exec",  "ResizePty", "CloseIO", "Update", "Wait", "Stats", "Connect", "Shutdown"};
constexpr const char* kSandboxMethods[] = {"CreateSandbox", "StartSandbox",    "Platform",
                                           "StopSandbox",   "WaitSandbox",     "SandboxStatus",
                                           "PingSandbox",   "ShutdownSandbox", "SandboxMetrics"};

class PodProtocol : public PodTest {
 protected:
  void SetUp() override {
    PodTest::SetUp();
    made.emplace(pods_root(), new_name());
    pod().add("c", "sleep 60");
    pod().launch();
    shim = pod().shim_pid();
  }
  // Before it is looked at what is left behind.
  void TearDown() override {
    made.reset();
    PodTest::TearDown();
  }
  TestPod& pod() { return *made; }
  std::string socket() { return pod().layout().socket(); }
  // The request of most methods has the same two fields.
  static std::string of(const std::string& id, const std::string& exec_id = {}) {
    auto request = wire::blank<wire::StateRequest>();
    request.id = wire::lend(id);
    request.exec_id = wire::lend(exec_id);
    return wire::pack(request);
  }
  std::string kill_request(uint32_t signal, const std::string& exec_id = {}) {
    auto request = wire::blank<wire::KillRequest>();
    request.id = wire::lend("c");
    request.exec_id = wire::lend(exec_id);
    request.signal = signal;
    return wire::pack(request);
  }
  std::string exec_request(const std::string& exec_id, const std::vector<std::string>& args) {
    Json process = pod().bundle("c").document()["process"];
    process.set("args", Json::array(args));
    const wire::AnyValue value{std::string(wire::kProcessUrl), process.print()};
    wire::Any spec = value.lend();
    auto request = wire::blank<wire::ExecProcessRequest>();
    request.id = wire::lend("c");
    request.exec_id = wire::lend(exec_id);
    request.spec = &spec;
    return wire::pack(request);
  }
  // The pod is as it was, and the same shim answers.
  void expect_well() {
    RawClient client(socket());
    const wire::Answer answer = client.call(wire::kTaskV2, "State", of("c"));
    ASSERT_EQ(answer.code, Code::kOk) << answer.text;
    EXPECT_EQ((*wire::parse<wire::StateResponse>(answer.payload))->status, TYPES__STATUS__RUNNING);
    EXPECT_EQ(pod().shim_pid(), shim);
  }
  size_t descriptors() const { return names_in(cat("/proc/", shim, "/fd")).size(); }
  long private_kilobytes() const {
    long sum = 0;
    for (const std::string& line : lines(read_file(cat("/proc/", shim, "/smaps_rollup")))) {
      if (line.starts_with("Private_Dirty:")) sum += std::stol(words(line)[1]);
    }
    return sum;
  }

  std::optional<TestPod> made;
  pid_t shim = 0;
};

TEST_F(PodProtocol, EveryMethodIsServedAndNothingElse) {
  RawClient client(socket());
  for (std::string_view service : {wire::kTaskV2, wire::kTaskV3}) {
    for (const char* method : kTaskMethods) {
      if (std::string_view(method) == "Shutdown") continue;
      const wire::Answer answer = client.call(service, method);
      EXPECT_NE(answer.code, Code::kOk) << method;
      EXPECT_EQ(answer.text.find("no method"), std::string::npos) << method;
    }
    EXPECT_EQ(client.call(service, "Events").code, Code::kUnimplemented);
    EXPECT_EQ(client.call(service, "state").code, Code::kUnimplemented);
  }
  for (const char* method : kSandboxMethods) {
    const wire::Answer answer = client.call(wire::kSandboxV1, method);
    EXPECT_EQ(answer.text.find("no method"), std::string::npos) << method;
    EXPECT_EQ(answer.code == Code::kOk, std::string_view(method) == "Platform") << method;
  }
  EXPECT_EQ(client.call("containerd.task.v1.Task", "State").code, Code::kUnimplemented);
  EXPECT_EQ(client.call("", "").code, Code::kUnimplemented);
  expect_well();
}

TEST_F(PodProtocol, BothVersionsAnswerTheSame) {
  RawClient client(socket());
  const wire::Answer v2 = client.call(wire::kTaskV2, "State", of("c"));
  const wire::Answer v3 = client.call(wire::kTaskV3, "State", of("c"));
  EXPECT_EQ(v2.payload, v3.payload);
  auto state = *wire::parse<wire::StateResponse>(v2.payload);
  EXPECT_STREQ(state->id, "c");
  EXPECT_EQ(state->pid, static_cast<uint32_t>(pod().container("c").process.pid));
  EXPECT_STREQ(state->exec_id, "");
  EXPECT_EQ(state->exit_status, 0u);
  EXPECT_EQ(state->exited_at, nullptr);
}

TEST_F(PodProtocol, WhatIsNotThereIsNotFound) {
  RawClient client(socket());
  for (const char* method : kTaskMethods) {
    const std::string_view name = method;
    if (name == "Create" || name == "Shutdown" || name == "Checkpoint") continue;
    EXPECT_EQ(client.call(wire::kTaskV3, method, of("other")).code, Code::kNotFound) << method;
  }
  for (const char* method : {"State", "Start", "Delete", "Kill", "ResizePty", "CloseIO", "Wait"}) {
    std::string request = of("c", "no-exec");
    EXPECT_EQ(client.call(wire::kTaskV3, method, request).code, Code::kNotFound) << method;
  }
  expect_well();
}

TEST_F(PodProtocol, RefusalsHaveTheCodesThatCallersDecideBy) {
  RawClient client(socket());
  auto code = [&](const char* method, const std::string& request) {
    return client.call(wire::kTaskV3, method, request).code;
  };
  EXPECT_EQ(code("Checkpoint", of("c")), Code::kUnimplemented);
  EXPECT_EQ(code("Exec", of("c", "e")), Code::kInvalidArgument);  // without a process
  EXPECT_EQ(code("Update", of("c")), Code::kInvalidArgument);     // without resources
  ASSERT_EQ(code("Exec", exec_request("e", {"sleep", "60"})), Code::kOk);
  EXPECT_EQ(code("Exec", exec_request("e", {"true"})), Code::kAlreadyExists);
  EXPECT_EQ(code("Kill", kill_request(SIGTERM, "e")), Code::kFailedPrecondition);
  ASSERT_EQ(code("Start", of("c", "e")), Code::kOk);
  EXPECT_EQ(code("Start", of("c", "e")), Code::kFailedPrecondition);
  EXPECT_EQ(code("Delete", of("c", "e")), Code::kFailedPrecondition);
  EXPECT_EQ(code("Kill", kill_request(SIGKILL, "e")), Code::kOk);
  EXPECT_EQ(code("Wait", of("c", "e")), Code::kOk);
  EXPECT_EQ(code("Kill", kill_request(SIGKILL, "e")), Code::kNotFound);
  // Until it is deleted, every Wait is answered at once.
  for (int i = 0; i < 3; ++i) {
    const wire::Answer answer = client.call(wire::kTaskV3, "Wait", of("c", "e"));
    auto ended = *wire::parse<wire::WaitResponse>(answer.payload);
    EXPECT_EQ(ended->exit_status, 128u + SIGKILL);
    ASSERT_NE(ended->exited_at, nullptr);
    EXPECT_GT(ended->exited_at->seconds, 1'600'000'000);
  }
  EXPECT_EQ(code("Delete", of("c", "e")), Code::kOk);
  EXPECT_EQ(code("Delete", of("c", "e")), Code::kNotFound);
  EXPECT_EQ(code("Wait", of("c", "e")), Code::kNotFound);
}

TEST_F(PodProtocol, AnExecIsNotStartedAfterItsContainerHasEnded) {
  RawClient client(socket());
  ASSERT_EQ(client.call(wire::kTaskV3, "Exec", exec_request("e", {"true"})).code, Code::kOk);
  ASSERT_EQ(client.call(wire::kTaskV3, "Kill", kill_request(SIGKILL)).code, Code::kOk);
  ASSERT_TRUE(pod().becomes([](const auto& status) { return !status.finished_at.empty(); }));
  const wire::Answer answer = client.call(wire::kTaskV3, "Start", of("c", "e"));
  EXPECT_TRUE(answer.code == Code::kFailedPrecondition || answer.code == Code::kNotFound)
      << answer.text;
}

TEST_F(PodProtocol, EveryoneWhoWaitsHearsOfTheEnd) {
  RawClient one(socket()), two(socket());
  ASSERT_EQ(one.call(wire::kTaskV3, "Exec", exec_request("e", {"sleep", "60"})).code, Code::kOk);
  ASSERT_EQ(one.call(wire::kTaskV3, "Start", of("c", "e")).code, Code::kOk);
  ASSERT_TRUE(one.send(RawClient::request(101, wire::kTaskV3, "Wait", of("c", "e")) +
                       RawClient::request(103, wire::kTaskV2, "Wait", of("c", "e"))));
  ASSERT_TRUE(two.send(RawClient::request(1, wire::kTaskV3, "Wait", of("c", "e"))));
  // Other calls on the same connection do not wait with them.
  ASSERT_TRUE(one.send(RawClient::request(105, wire::kTaskV3, "Kill", kill_request(SIGTERM, "e"))));
  for (RawClient* client : {&one, &one, &one, &two}) {
    const RawClient::Got got = client->next();
    EXPECT_EQ(got.answer.code, Code::kOk) << got.answer.text;
    if (got.stream == 105) continue;
    EXPECT_EQ((*wire::parse<wire::WaitResponse>(got.answer.payload))->exit_status, 128u + SIGTERM);
  }
}

TEST_F(PodProtocol, AWaitEndsInItsTime) {
  RawClient client(socket());
  ASSERT_TRUE(client.send(RawClient::request(1, wire::kTaskV3, "Wait", of("c"), milliseconds(30))));
  EXPECT_EQ(client.next().answer.code, Code::kDeadlineExceeded);
  ASSERT_TRUE(client.send(RawClient::request(3, wire::kTaskV3, "Wait", of("c"))));
  EXPECT_TRUE(client.is_quiet_for(milliseconds(50)));
  expect_well();
}

// As containerd does with each of its restarts.
TEST_F(PodProtocol, WhoWaitsAndGoesAwayLeavesNothing) {
  const size_t before = descriptors();
  auto round = [&] {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 50; ++i) {
      clients.push_back(std::make_unique<RawClient>(socket()));
      ASSERT_TRUE(clients.back()->send(
          RawClient::request(1, wire::kTaskV3, "Wait", of("c")) +
          RawClient::request(3, wire::kSandboxV1, "WaitSandbox", of(pod().name()))));
    }
    // Number 1 again: refused, after all before it have been read.
    EXPECT_EQ(clients.back()->call(wire::kTaskV3, "State", of("c")).code, Code::kInvalidArgument);
    clients.clear();
    ASSERT_TRUE(eventually([&] { return descriptors() <= before; }));
  };
  round();
  const long after_one = private_kilobytes();
  for (int i = 0; i < 10; ++i) round();
  EXPECT_LE(private_kilobytes(), after_one + 16);
  expect_well();
}

TEST_F(PodProtocol, AConnectionCostsLittle) {
  const long before = private_kilobytes();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<RawClient>(socket()));
    EXPECT_EQ(clients.back()->call(wire::kTaskV3, "State", of("c")).code, Code::kOk);
  }
  EXPECT_LE(private_kilobytes(), before + 100);
}

TEST_F(PodProtocol, FramesThatAreWrongAreAnsweredOrPassedOver) {
  RawClient client(socket());
  std::string data = RawClient::request(1, wire::kTaskV3, "State", of("c")), unknown = data;
  data[8] = 3;
  unknown[8] = 99;
  std::string malformed = RawClient::request(3, wire::kTaskV3, "State", of("c"));
  malformed[wire::kHeaderSize] = '\x0f';
  std::string too_long(wire::kHeaderSize, '\0');
  wire::encode({wire::kMaxPayload + 1, 5, wire::FrameType::kRequest, 0}, too_long.data());
  too_long += std::string(wire::kMaxPayload + 1, 'x');
  ASSERT_TRUE(client.send(unknown));
  ASSERT_TRUE(client.send(data));
  EXPECT_EQ(client.next().answer.code, Code::kInvalidArgument);
  ASSERT_TRUE(client.send(RawClient::request(2, wire::kTaskV3, "State", of("c"))));
  EXPECT_EQ(client.next().answer.code, Code::kInvalidArgument);
  ASSERT_TRUE(client.send(malformed));
  EXPECT_EQ(client.next().answer.code, Code::kInvalidArgument);
  ASSERT_TRUE(client.send(too_long));
  EXPECT_EQ(client.next().answer.code, Code::kResourceExhausted);
  // A request in the envelope that is none, and a name that a C string would cut.
  ASSERT_TRUE(client.send(RawClient::request(7, wire::kTaskV3, "State", "\x0a\x7f")));
  EXPECT_EQ(client.next().answer.code, Code::kInvalidArgument);
  ASSERT_TRUE(client.send(RawClient::request(9, wire::kTaskV3, "State",
                                             std::string("\x0a\x03"
                                                         "c\0x",
                                                         5))));
  EXPECT_EQ(client.next().answer.code, Code::kInvalidArgument);
  ASSERT_TRUE(client.send(RawClient::request(11, wire::kTaskV3, "State", of("c"))));
  EXPECT_EQ(client.next().answer.code, Code::kOk);
  ASSERT_TRUE(client.send(RawClient::request(11, wire::kTaskV3, "State", of("c"))));
  EXPECT_EQ(client.next().answer.code, Code::kInvalidArgument);
  expect_well();
}

TEST_F(PodProtocol, AConnectionMayEndAtAnyByte) {
  const size_t before = descriptors();
  const std::string all =
      RawClient::request(1, wire::kTaskV3, "Wait", of("c"), seconds(60)) +
      RawClient::request(3, wire::kTaskV3, "Exec", exec_request("cut", {"true"}));
  for (size_t size = 0; size < all.size(); ++size) {
    RawClient client(socket());
    ASSERT_TRUE(client.send(std::string_view(all).substr(0, size)));
  }
  ASSERT_TRUE(eventually([&] { return descriptors() <= before; }));
  // Not one of them was a whole Exec.
  RawClient client(socket());
  EXPECT_EQ(client.call(wire::kTaskV3, "State", of("c", "cut")).code, Code::kNotFound);
  expect_well();
}

TEST_F(PodProtocol, NoiseIsNotHeard) {
  uint32_t state = 12345;
  for (int round = 0; round < 50; ++round) {
    RawClient client(socket());
    std::string noise(2000, '\0');
    for (char& c : noise) {
      state = state * 1664525 + 1013904223;
      c = static_cast<char>(state >> 24);
    }
    if (round % 2 == 0) noise.replace(0, 2, std::string(2, '\0'));  // a length that may be
    (void)client.send(noise);
  }
  expect_well();
}

TEST_F(PodProtocol, WhoDoesNotReadNeitherBlocksNorFillsTheShim) {
  RawClient client(socket());
  auto request = wire::blank<wire::SandboxStatusRequest>();
  request.sandbox_id = wire::lend(pod().name());
  request.verbose = 1;
  client.be_patient_for(seconds(2));
  bool blocked = false;
  for (uint32_t stream = 1; stream < 400001 && !blocked; stream += 200) {
    std::string many;
    for (uint32_t i = 0; i < 200; i += 2) {
      many += RawClient::request(stream + i, wire::kSandboxV1, "SandboxStatus", request);
    }
    blocked = !client.send(many);
  }
  EXPECT_TRUE(blocked) << "the shim went on to read";
  EXPECT_LE(private_kilobytes(), 8 << 10);
  expect_well();
  client.close();
  expect_well();
}

TEST_F(PodProtocol, ALateCreateOfAContainerLeavesThePodAlone) {
  RawClient client(socket());
  auto request = wire::blank<wire::CreateTaskRequest>();
  request.id = wire::lend("c");
  request.bundle = wire::lend("/nonexistent");
  EXPECT_EQ(client.call(wire::kTaskV3, "Create", request).code, Code::kAlreadyExists);
  request.id = wire::lend("new");
  EXPECT_NE(client.call(wire::kTaskV3, "Create", request).code, Code::kOk);
  EXPECT_EQ(client.call(wire::kTaskV3, "State", of("new")).code, Code::kNotFound);
  expect_well();
}

// What follows is about containers that a client makes by itself, as containerd does.
class TaskProtocol : public PodProtocol {
 protected:
  wire::Answer create(RawClient& client, const std::string& id, const std::string& script,
                      std::chrono::nanoseconds timeout = {}) {
    const std::string directory = scratch() + "/" + id;
    if (!exists(directory)) Bundle(directory).shell(script).save(id);
    auto request = wire::blank<wire::CreateTaskRequest>();
    request.id = wire::lend(id);
    request.bundle = wire::lend(directory);
    EXPECT_TRUE(client.send(RawClient::request(1, wire::kTaskV3, "Create", request, timeout)));
    return client.next().answer;
  }
  Code state(const std::string& id, const std::string& exec_id = {}) {
    RawClient client(socket());
    return client.call(wire::kTaskV3, "State", of(id, exec_id)).code;
  }
};

TEST_F(TaskProtocol, ACreateWhoseCallerHasGivenUpIsUndone) {
  RawClient client(socket());
  const wire::Answer answer = create(client, "late", "sleep 60", std::chrono::microseconds(10));
  EXPECT_EQ(answer.code, Code::kDeadlineExceeded);
  EXPECT_TRUE(eventually([&] { return state("late") == Code::kNotFound; }));
  RawClient again(socket());
  EXPECT_EQ(create(again, "late", "sleep 60").code, Code::kOk);
  EXPECT_EQ(state("late"), Code::kOk);
  RawClient last(socket());
  EXPECT_EQ(last.call(wire::kTaskV3, "Delete", of("late")).code, Code::kOk);
}

TEST_F(TaskProtocol, AFifoThatIsMissingIsNotAMissingContainer) {
  Json process = pod().bundle("c").document()["process"];
  const wire::AnyValue value{std::string(wire::kProcessUrl), process.print()};
  wire::Any spec = value.lend();
  auto request = wire::blank<wire::ExecProcessRequest>();
  request.id = wire::lend("c");
  request.exec_id = wire::lend("e");
  request.spec = &spec;
  request.stdout = wire::lend("/nonexistent/fifo");
  RawClient client(socket());
  const wire::Answer answer = client.call(wire::kTaskV3, "Exec", request);
  EXPECT_EQ(answer.code, Code::kInvalidArgument);
  EXPECT_SAYS(answer.text, "/nonexistent/fifo");
  EXPECT_EQ(state("c", "e"), Code::kNotFound);
}

TEST_F(TaskProtocol, WhoWaitsForAnExecThatIsDeletedUnstartedHearsOfIt) {
  RawClient client(socket());
  ASSERT_EQ(client.call(wire::kTaskV3, "Exec", exec_request("e", {"true"})).code, Code::kOk);
  ASSERT_TRUE(client.send(RawClient::request(101, wire::kTaskV3, "Wait", of("c", "e")) +
                          RawClient::request(103, wire::kTaskV3, "Delete", of("c", "e"))));
  for (int i = 0; i < 2; ++i) {
    const RawClient::Got got = client.next();
    EXPECT_EQ(got.answer.code, got.stream == 101 ? Code::kNotFound : Code::kOk) << got.answer.text;
  }
}

}  // namespace
}  // namespace harness
