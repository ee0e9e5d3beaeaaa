// Every system call of every command, in every process that it makes, fails once, and once the
// process is killed there. Whatever happens: the command ends in time, says why in a line when it
// did not do what it was told, and after `delete --force` nothing is there that was not there
// before.
//
// FAULTS_SAMPLE=N takes every Nth case, for a quick look. What the driver does: driver.h.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <sstream>

#include "tests/faults/driver.h"
#include "tests/support/fixture.h"

namespace harness {
namespace {

class Faults : public ContainerTest {
 protected:
  using Step = std::function<void(Container&)>;
  using Check = std::function<std::string(Container&, const Outcome&)>;  // "" or what is wrong

  // `args` after the global options; "ID" stands for the container's id.
  struct Scenario {
    Args args;
    Step before = [](Container&) {};
    Check done = [](Container&, const Outcome&) { return std::string(); };
  };

  void SetUp() override {
    ContainerTest::SetUp();
#ifndef __x86_64__
    GTEST_SKIP() << "fault-run knows the registers of x86-64 only";
#endif
    bundle.shell("echo ran; exec sleep 100");
  }

  // Whether the process that has the fault is not the command's own.
  bool is_in_child() const { return in_child_; }

  void go_through(const Scenario& scenario) {
    // Twice: what a first run makes for later ones is none of a failure's remains.
    attempt(scenario, std::nullopt);
    const std::vector<Call> calls = attempt(scenario, std::nullopt);
    ASSERT_GT(calls.size(), 10u);
    int cases = 0, failed = 0;
    for (const Fault& fault : faults_in(calls)) {
      ++cases;
      problems_.clear();
      attempt(scenario, fault);
      if (problems_.empty()) continue;
      if (++failed <= 10) ADD_FAILURE() << problems_;
    }
    EXPECT_EQ(0, failed) << "of " << cases << " cases";
    RecordProperty("calls", static_cast<int>(calls.size()));
    RecordProperty("cases", cases);
    std::printf("%zu calls, %d cases, %d failed\n", calls.size(), cases, failed);
  }

 private:
  std::vector<Call> attempt(const Scenario& scenario, std::optional<Fault> fault) {
    const std::string log = scratch() + "/calls";
    in_child_ = fault && fault->call.process != 0;
    Container container(runtime, bundle);
    scenario.before(container);
    bundle.save(container.id());
    Args args = scenario.args;
    for (std::string& word : args)
      if (word == "ID") word = container.id();
    Command command = runtime.command(args);
    const Args wrapped = fault_run(log, fault);
    command.argv.insert(command.argv.begin(), wrapped.begin(), wrapped.end());
    command.time_limit_ms = 8000;
    const Outcome outcome = run_command(command);
    judge(scenario, fault, container, outcome);
    const Outcome removed = runtime.run({"delete", "--force", container.id()});
    if (!removed.ok()) complain(fault, removed, "delete --force fails");
    look_for_remains(fault, outcome);
    return read_calls(log);
  }

  void judge(const Scenario& scenario, const std::optional<Fault>& fault, Container& container,
             const Outcome& outcome) {
    if (outcome.timed_out) return complain(fault, outcome, "it hangs");
    if (outcome.ok()) {
      const std::string wrong = scenario.done(container, outcome);
      if (!wrong.empty()) complain(fault, outcome, "it says that it worked, but: " + wrong);
      return;
    }
    if (!fault) return complain(fault, outcome, "it does not work");
    const bool killed_itself = fault->error == 0 && fault->call.process == 0;
    const bool cannot_speak = fault->call.number == SYS_write && fault->call.argument == 2;
    if (killed_itself) {
      if (outcome.code != 128 + SIGKILL) complain(fault, outcome, "it outlived SIGKILL");
    } else if (fault->error == 0 && fault->call.number == SYS_execve) {
      // The container's first process was killed as its program was about to begin.
    } else if (outcome.code > 128 && outcome.code <= 128 + SIGRTMAX) {
      complain(fault, outcome, "it was ended by a signal");
    } else if (!cannot_speak && !outcome.err.starts_with("ocirt: ")) {
      complain(fault, outcome, "it does not say why");
    }
  }

  void look_for_remains(const std::optional<Fault>& fault, const Outcome& outcome) {
    eventually([] { return living_orphans().empty(); }, 2000);
    for (const auto& [pid, line] : living_orphans()) {
      complain(fault, outcome, "left behind: process " + std::to_string(pid) + " " + line);
      kill(pid, SIGKILL);
    }
    const std::string state = join(names_in(runtime.root()), " ");
    if (!state.empty()) complain(fault, outcome, "left behind in the state directory: " + state);
    remove_tree(runtime.root());
    make_directories(runtime.root());
    const std::string groups = join(cgroups::leftovers(), " ");
    if (!groups.empty()) complain(fault, outcome, "left behind: " + groups);
    cgroups::remove_leftovers();
    unlink((scratch() + "/pid").c_str());  // stays when it belongs to a container
    const std::string files =
        join(names_in(scratch()), " ") + " " + join(names_in(bundle.path()), " ");
    if (files_.empty()) files_ = files;
    if (files != files_) complain(fault, outcome, "other files than before: " + files);
    const std::string mounts = own_mounts();
    if (mounts_.empty()) mounts_ = mounts;
    const std::string changed = changed_mounts(mounts_, mounts);
    if (!changed.empty()) complain(fault, outcome, "other mounts than before: " + changed);
  }

  void complain(const std::optional<Fault>& fault, const Outcome& outcome,
                const std::string& what) {
    problems_ += complaint(fault, outcome, what);
  }

  bool in_child_ = false;
  std::string problems_, files_, mounts_;
};

std::string status_is(Container& container, std::string_view wanted) {
  const std::string status = container.status();
  return status == wanted ? "" : "the status is " + status;
}

TEST_F(Faults, OfRun) {
  bundle.shell("echo ran");
  go_through({.args = {"run", "--bundle", bundle.path(), "ID"},
              .done = [](Container&, const Outcome& outcome) {
                return outcome.out == "ran\n" ? "" : "the program did not run";
              }});
}

TEST_F(Faults, OfCreate) {
  go_through({.args = {"create", "--bundle", bundle.path(), "--pid-file", scratch() + "/pid", "ID"},
              .done = [this](Container& container, const Outcome&) {
                if (container.start().ok()) return status_is(container, "running");
                // Init has said that it is ready, and ended as it began to wait for `start`.
                return is_in_child() ? status_is(container, "stopped") : "start fails";
              }});
}

TEST_F(Faults, OfStart) {
  go_through({.args = {"start", "ID"},
              .before = [](Container& container) { ASSERT_OK(container.create()); },
              .done = [](Container& container,
                         const Outcome&) { return status_is(container, "running"); }});
}

TEST_F(Faults, OfExec) {
  go_through({.args = {"exec", "ID", "echo", "executed"},
              .before = [](Container& container) { container.launch(); },
              .done =
                  [](Container& container, const Outcome& outcome) {
                    if (outcome.out != "executed\n") return std::string("the program did not run");
                    return status_is(container, "running");
                  }});
}

TEST_F(Faults, OfKill) {
  go_through({.args = {"kill", "ID", "KILL"},
              .before = [](Container& container) { container.launch(); },
              .done = [](Container& container, const Outcome&) -> std::string {
                return eventually([&] { return container.status() == "stopped"; }) ? ""
                                                                                   : "it lives";
              }});
}

TEST_F(Faults, OfPause) {
  go_through({.args = {"pause", "ID"},
              .before = [](Container& container) { container.launch(); },
              .done = [](Container& container,
                         const Outcome&) { return status_is(container, "paused"); }});
}

TEST_F(Faults, OfResume) {
  go_through({.args = {"resume", "ID"},
              .before =
                  [this](Container& container) {
                    container.launch();
                    ASSERT_OK(runtime.run({"pause", container.id()}));
                  },
              .done = [](Container& container,
                         const Outcome&) { return status_is(container, "running"); }});
}

TEST_F(Faults, OfUpdate) {
  NEEDS_CONTROLLER("pids");
  go_through({.args = {"update", "--pids-limit", "77", "ID"},
              .before = [](Container& container) { container.launch(); },
              .done = [](Container& container, const Outcome&) -> std::string {
                const std::string limit = trim(container.cgroup_file("pids", "pids.max"));
                return limit == "77" ? "" : "the limit is " + limit;
              }});
}

TEST_F(Faults, OfState) {
  go_through({.args = {"state", "ID"},
              .before = [](Container& container) { container.launch(); },
              .done = [](Container& container, const Outcome& outcome) -> std::string {
                return says(outcome.out, container.id()) ? "" : "it does not say whose";
              }});
}

TEST_F(Faults, OfDelete) {
  go_through(
      {.args = {"delete", "--force", "ID"},
       .before = [](Container& container) { container.launch(); },
       .done = [](Container& container, const Outcome&) { return status_is(container, ""); }});
}

}  // namespace
}  // namespace harness
