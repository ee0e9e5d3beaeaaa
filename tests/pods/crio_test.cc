// The shim as CRI-O drives it with `runtime_type = "vm"` (internal/oci/runtime_vm.go of CRI-O): no
// daemon's socket, no events, no options, a client for each container, the second version of the
// Task service, and the address read from the bundle after a restart. Its other route, by conmon:
// tests/cli/crio_test.cc.
#include "tests/pods/containerd_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;

class CrioShim : public ContainerdShim {
 protected:
  void SetUp() override {
    ContainerdShim::SetUp();
    auto options = wire::blank<wire::RuncOptions>();
    options.root = wire::lend(root_);
    options_ = wire::pack(wire::any_of(options).lend());
  }
  std::string crio_bundle(const std::string& id, const std::string& script = "exec sleep 60") {
    const std::string path = bundle_of(id);
    Json document = Json::parse(read_file(path + "/config.json"));
    document.set("process.args", Json::array({"sh", "-c", script}));
    document.set("annotations",
                 Json::parse(cat(R"({"io.kubernetes.cri-o.SandboxID": ")", sandbox_, "\"}")));
    write_file(path + "/config.json", document.print());
    return path;
  }
  // CRI-O writes no options; here they keep the records out of /run.
  std::string begin(const std::string& id, const std::string& path) {
    Command start;
    start.argv = {program_,          "-namespace", "default", "-address", "",
                  "-publish-binary", "",           "-id",     id,         "start"};
    start.directory = path;
    start.env = {{"MAX_SHIM_VERSION", "2"}, {"TTRPC_ADDRESS", ""}};
    start.input = options_;
    const Outcome outcome = run_command(start);
    EXPECT_OK(outcome);
    EXPECT_EQ(outcome.err, "");
    addresses_.insert(outcome.out);
    return outcome.out;
  }
  template <wire::Message Response, wire::Message Request>
  static auto ask2(const std::string& address, const char* method, const Request& request) {
    return client(address).call<Response>(wire::kTaskV2, method, request, std::chrono::seconds(60));
  }
  template <wire::Message Request>
  static Request about(const std::string& id) {
    auto request = wire::blank<Request>();
    request.id = wire::lend(id);
    return request;
  }
  static uint32_t wait(const std::string& address, const std::string& id) {
    auto answer = ask2<wire::WaitResponse>(address, "Wait", about<wire::WaitRequest>(id));
    return answer ? (*answer)->exit_status : 1000;
  }

  // The shim's address depends on it, and the other tests of this file run at the same time.
  const std::string sandbox_ = new_name();
  std::string options_;
};

TEST_F(CrioShim, ContainersOfASandboxHaveOneShim) {
  const std::string path = crio_bundle("infra"), other = crio_bundle("app");
  const std::string address = begin("infra", path);
  // Text, which older ones take as it is.
  EXPECT_TRUE(address.starts_with("unix:///run/containerd/s/")) << address;
  EXPECT_EQ(begin("app", other), address);
  // What it connects to when it has been restarted.
  EXPECT_EQ(read_file(path + "/address"), address);
  EXPECT_EQ(read_file(other + "/address"), address);
}

TEST_F(CrioShim, AContainerLivesAndEnds) {
  const std::string path = crio_bundle("c", "exit 7");
  const std::string address = begin("c", path);
  auto create = about<wire::CreateTaskRequest>("c");
  create.bundle = wire::lend(path);
  auto created = ask2<wire::CreateTaskResponse>(address, "Create", create);
  ASSERT_TRUE(created) << created.error().text;
  const pid_t pid = static_cast<pid_t>((*created)->pid);
  EXPECT_TRUE(exists(cat("/proc/", pid)));
  ASSERT_TRUE(ask2<wire::StartResponse>(address, "Start", about<wire::StartRequest>("c")));
  EXPECT_EQ(wait(address, "c"), 7U);
  // Also of another client, after the end: of the CRI-O that was started again.
  auto state = ask2<wire::StateResponse>(address, "State", about<wire::StateRequest>("c"));
  ASSERT_TRUE(state);
  EXPECT_EQ((*state)->exit_status, 7U);
  EXPECT_EQ(wait(address, "c"), 7U);
  EXPECT_TRUE(ask2<wire::DeleteResponse>(address, "Delete", about<wire::DeleteRequest>("c")));
  EXPECT_TRUE(ask2<wire::Empty>(address, "Shutdown", about<wire::ShutdownRequest>("c")));
  EXPECT_TRUE(eventually([&] { return shim_at(address) == 0; }));
}

// CRI-O looks for a file when a container has ended.
TEST_F(CrioShim, AKillForWantOfMemoryIsAFileInTheBundle) {
  NEEDS_CONTROLLER("memory");
  const std::string path = crio_bundle("c", "tail /dev/zero");
  Json document = Json::parse(read_file(path + "/config.json"));
  document.set("linux.resources", Json::parse(R"({"memory": {"limit": 16777216}})"));
  write_file(path + "/config.json", document.print());
  const std::string address = begin("c", path);
  auto create = about<wire::CreateTaskRequest>("c");
  create.bundle = wire::lend(path);
  ASSERT_TRUE(ask2<wire::CreateTaskResponse>(address, "Create", create));
  ASSERT_TRUE(ask2<wire::StartResponse>(address, "Start", about<wire::StartRequest>("c")));
  EXPECT_EQ(wait(address, "c"), 137U);
  EXPECT_TRUE(exists(path + "/oom"));
  EXPECT_TRUE(ask2<wire::DeleteResponse>(address, "Delete", about<wire::DeleteRequest>("c")));
}

}  // namespace
}  // namespace harness
