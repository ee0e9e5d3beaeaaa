// The same for containerd's shim: its start, and what it is asked through its socket. The shim, its
// workers and the containers' init are followed. Whatever fails or is killed: there is an answer in
// time, or the connection ends with the shim; and after what containerd does then (Kill, Delete,
// Shutdown, and the program's `delete`) nothing is there that was not there before.
#include <signal.h>
#include <sys/syscall.h>

#include <chrono>
#include <functional>
#include <sstream>

#include "tests/faults/driver.h"
#include "tests/pods/containerd_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;
using std::chrono::seconds;

class ShimFaults : public ContainerdShim {
 protected:
  // "" or the error, which begins with "hangs" when no answer came.
  using Step = std::function<std::string()>;

  struct Scenario {
    Step before = [] { return std::string(); };
    Step call;
    Step done = [] { return std::string(); };
  };

  void SetUp() override {
    ContainerdShim::SetUp();
#ifndef __x86_64__
    GTEST_SKIP() << "fault-run knows the registers of x86-64 only";
#endif
    path_ = bundle_of("c");
  }

  void go_through(const std::function<std::vector<Call>(const std::optional<Fault>&)>& attempt,
                  int watched) {
    attempt(std::nullopt);
    const std::vector<Call> calls = attempt(std::nullopt);
    ASSERT_GT(calls.size(), 20u);
    int cases = 0, failed = 0, missed = 0;
    for (const Fault& fault : faults_in(calls, watched)) {
      ++cases;
      problems_.clear();
      attempt(fault);
      missed += has_hit(log()) ? 0 : 1;
      if (problems_.empty()) continue;
      if (++failed <= 10) ADD_FAILURE() << problems_;
    }
    EXPECT_EQ(0, failed) << "of " << cases << " cases";
    std::printf("%zu calls, %d cases, %d failed, %d did not come to pass\n", calls.size(), cases,
                failed, missed);
  }
  void go_through(const Scenario& scenario) {
    go_through([&](const std::optional<Fault>& fault) { return attempt(scenario, fault); }, 1);
  }

  template <wire::Message Response, wire::Message Request>
  std::string ask(const char* method, const Request& request,
                  std::string (*look)(const Response&) = nullptr) {
    ocirt::Result<wire::Client> client = wire::Client::connect(path_of(address_));
    if (!client) return cat("connect: ", client.error().text);
    auto answer = client->call<Response>(wire::kTaskV3, method, request, seconds(8));
    if (answer) return look != nullptr ? look(**answer) : "";
    if (answer.error().code == ETIMEDOUT) return cat("hangs: ", method);
    return answer.error().text.empty() ? "an error without a text" : answer.error().text;
  }
  std::string create() {
    auto request = wire::blank<wire::CreateTaskRequest>();
    request.id = wire::lend("c");
    request.bundle = wire::lend(path_);
    return ask<wire::CreateTaskResponse>("Create", request);
  }
  std::string start(const char* exec = "") {
    auto request = wire::blank<wire::StartRequest>();
    request.id = wire::lend("c");
    request.exec_id = wire::lend(exec);
    return ask<wire::StartResponse>("Start", request);
  }
  std::string kill() {
    auto request = wire::blank<wire::KillRequest>();
    request.id = wire::lend("c");
    request.signal = SIGKILL;
    return ask<wire::Empty>("Kill", request);
  }
  // Until it has ended with this status.
  std::string wait(const char* exec, std::string (*look)(const wire::WaitResponse&)) {
    auto request = wire::blank<wire::WaitRequest>();
    request.id = wire::lend("c");
    request.exec_id = wire::lend(exec);
    return ask<wire::WaitResponse>("Wait", request, look);
  }
  std::string remove(const char* exec = "") {
    auto request = wire::blank<wire::DeleteRequest>();
    request.id = wire::lend("c");
    request.exec_id = wire::lend(exec);
    return ask<wire::DeleteResponse>("Delete", request);
  }
  std::string status_is(int wanted) {
    auto request = wire::blank<wire::StateRequest>();
    request.id = wire::lend("c");
    ocirt::Result<wire::Client> client = wire::Client::connect(path_of(address_));
    if (!client) return client.error().text;
    auto answer = client->call<wire::StateResponse>(wire::kTaskV3, "State", request, seconds(8));
    if (!answer) return answer.error().text;
    const int status = static_cast<int>((*answer)->status);
    return status == wanted ? "" : cat("the status is ", status);
  }
  static std::string in_turn(const std::vector<Step>& steps) {
    for (const Step& step : steps)
      if (const std::string wrong = step(); !wrong.empty()) return wrong;
    return "";
  }
  std::string exec() {
    Json process = bundle.document()["process"];
    process.set("args", Json::array({"sh", "-c", "exit 7"}));
    const wire::AnyValue value{std::string(wire::kProcessUrl), process.print()};
    wire::Any any = value.lend();
    auto request = wire::blank<wire::ExecProcessRequest>();
    request.id = wire::lend("c");
    request.exec_id = wire::lend("e");
    request.spec = &any;
    return ask<wire::Empty>("Exec", request);
  }

  std::vector<Call> attempt(const Scenario& scenario, const std::optional<Fault>& fault) {
    is_in_init_ = fault && fault->call.process > 2;  // after the shim and its worker
    Outcome outcome = run_command(start_command("c", path_));
    address_ = address_in(outcome);
    const pid_t shim = shim_at(address_);
    if (const std::string wrong = scenario.before(); !wrong.empty())
      complain(fault, outcome, "it cannot be prepared: " + wrong);
    Command command;
    command.argv = fault_run(log(), fault, shim);
    command.argv.push_back("-");
    Process driver(command);
    int gate = 0;
    EXPECT_TRUE(
        eventually([&] { return std::sscanf(driver.output().c_str(), "follow %d", &gate) == 1; }));
    outcome.err = scenario.call();
    if (gate > 0) ::kill(gate, SIGTERM);
    driver.wait();
    if (outcome.err.starts_with("hangs")) {
      complain(fault, outcome, "it hangs");
    } else if (!outcome.err.empty()) {
      if (!fault) complain(fault, outcome, "it does not work");
    } else if (const std::string wrong = scenario.done();
               !wrong.empty() && !(fault && fault->error == 0)) {
      complain(fault, outcome, "it says that it worked, but: " + wrong);
    }
    clean_up(fault, outcome);
    return read_calls(log());
  }

  std::vector<Call> attempt_start(const std::optional<Fault>& fault) {
    Command command = start_command("c", path_);
    const Args wrapped = fault_run(log(), fault);
    command.argv.insert(command.argv.begin(), wrapped.begin(), wrapped.end());
    command.time_limit_ms = 8000;
    const Outcome outcome = run_command(command);
    address_.clear();
    if (outcome.timed_out) {
      complain(fault, outcome, "it hangs");
    } else if (outcome.ok()) {
      address_ = address_in(outcome);
      if (const std::string wrong = create(); !wrong.empty() && !(fault && fault->error == 0))
        complain(fault, outcome, "it says that it worked, but: " + wrong);
    } else if (!fault) {
      complain(fault, outcome, "it does not work");
    } else if (fault->call.process == 0 && fault->error == 0) {
      // Whom nobody knows of ends after a while, and at once when it is told to.
      for (const auto& [pid, line] : living_orphans()) ::kill(pid, SIGTERM);
    } else if (!outcome.err.starts_with("ocirt-shim: ") && fault->call.number != SYS_write) {
      complain(fault, outcome, "it does not say why");
    }
    clean_up(fault, outcome);
    return read_calls(log());
  }

  // What containerd does when something has failed, and when nothing has.
  void clean_up(const std::optional<Fault>& fault, const Outcome& outcome) {
    if (!address_.empty() && exists(path_of(address_))) {
      (void)kill();
      (void)wait("", nullptr);
      (void)remove();
      (void)ask<wire::Empty>("Shutdown", wire::blank<wire::ShutdownRequest>());
    }
    const auto no_shim = [] {
      for (const auto& [pid, line] : living_orphans())
        if (line.find("containerd-shim-ocirt-v2") != std::string::npos) return false;
      return true;
    };
    if (!eventually(no_shim, 6000)) complain(fault, outcome, "the shim does not end");
    const Outcome removed = run_command(command("c", path_, "delete"));
    if (!removed.ok()) complain(fault, removed, "delete fails");
    eventually([] { return living_orphans().empty(); }, 3000);
    for (const auto& [pid, line] : living_orphans()) {
      complain(fault, outcome, cat("left behind: process ", pid, " ", line));
      ::kill(pid, SIGKILL);
    }
    std::string left;
    if (!eventually([&] { return (left = remains()).empty(); }, 2000))
      complain(fault, outcome, "left behind: " + left);
    cgroups::remove_leftovers();
    const std::string mounts = own_mounts();
    if (mounts_.empty()) mounts_ = mounts;
    if (const std::string changed = changed_mounts(mounts_, mounts); !changed.empty())
      complain(fault, outcome, "other mounts than before: " + changed);
    addresses_.clear();
  }
  // The bundle is not looked at: containerd removes it, with what a killed shim has half written.
  std::string remains() {
    std::string all = join(cgroups::leftovers(), " ");
    for (const std::string& directory : {root_ + "/test", sockets_ + "/s"})
      for (const std::string& name : names_in(directory)) all += cat(" ", directory, "/", name);
    return all;
  }

  void complain(const std::optional<Fault>& fault, const Outcome& outcome,
                const std::string& what) {
    problems_ += complaint(fault, outcome, what);
  }
  std::string log() const { return scratch() + "/calls"; }

  std::string path_, address_, problems_, mounts_;
  bool is_in_init_ = false;
};

constexpr int kCreated = 1, kRunning = 2, kStopped = 3;

TEST_F(ShimFaults, OfItsStart) {
  go_through([this](const std::optional<Fault>& fault) { return attempt_start(fault); }, 0);
}

TEST_F(ShimFaults, OfCreate) {
  go_through({.call = [this] { return create(); },
              .done =
                  [this] {
                    const std::string wrong = status_is(kCreated);
                    // Init has said that it is ready, and ended as it began to wait for `start`.
                    return is_in_init_ && status_is(kStopped).empty() ? "" : wrong;
                  }});
}

TEST_F(ShimFaults, OfStart) {
  go_through({.before = [this] { return create(); },
              .call = [this] { return start(); },
              .done = [this] { return status_is(kRunning); }});
}

TEST_F(ShimFaults, OfExec) {
  go_through(
      {.before =
           [this] { return in_turn({[this] { return create(); }, [this] { return start(); }}); },
       .call =
           [this] {
             return in_turn({[this] { return exec(); }, [this] { return start("e"); },
                             [this] {
                               return wait("e", [](const wire::WaitResponse& answer) {
                                 return answer.exit_status == 7
                                            ? std::string()
                                            : cat("it ended with ", answer.exit_status);
                               });
                             },
                             [this] { return remove("e"); }});
           },
       .done = [this] { return status_is(kRunning); }});
}

TEST_F(ShimFaults, OfKill) {
  go_through(
      {.before =
           [this] { return in_turn({[this] { return create(); }, [this] { return start(); }}); },
       .call =
           [this] {
             return in_turn({[this] { return kill(); },
                             [this] {
                               return wait("", [](const wire::WaitResponse& answer) {
                                 return answer.exit_status == 137
                                            ? std::string()
                                            : cat("it ended with ", answer.exit_status);
                               });
                             }});
           },
       .done = [this] { return status_is(kStopped); }});
}

TEST_F(ShimFaults, OfDelete) {
  go_through(
      {.before =
           [this] {
             return in_turn({[this] { return create(); }, [this] { return start(); },
                             [this] { return kill(); }, [this] { return wait("", nullptr); }});
           },
       .call = [this] { return remove(); },
       .done = [this] { return status_is(0).empty() ? "it is still there" : std::string(); }});
}

}  // namespace
}  // namespace harness
