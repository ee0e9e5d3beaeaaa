// Thousands of containers by ocirt's commands, one after the other, and thousands of programs in
// one that lives. Each ends with a code of its own, which has to arrive; the numbers of their
// processes come round again many times.
#include <signal.h>
#include <unistd.h>

#include "src/base/text.h"
#include "tests/soak/counts.h"
#include "tests/support/fixture.h"

namespace harness {
namespace {

using ocirt::cat;

class SoakOfCommands : public ContainerTest {
 protected:
  std::string id(int round) const { return cat(prefix_, round); }
  static std::string ends_with(int code) { return cat("exit ", code); }

  // "" or what the command said.
  std::string asked(const Args& args) {
    const Outcome outcome = runtime.run(args);
    if (outcome.ok() && outcome.err.empty()) return {};
    return cat(join(outcome.argv, " "), " ended with ", outcome.code, ": ", outcome.err);
  }
  static std::string compared(const char* what, int code, int wanted) {
    return code == wanted ? "" : cat(what, " ended with ", code, " instead of ", wanted);
  }
  // How the process in that file ended.
  int end_of(const std::string& pid_file) {
    const pid_t pid = std::stoi(read_file(pid_file));
    return wait_for_end(pid, 10000) ? orphan_status(pid).value_or(-1) : -2;
  }

  std::string life(int round);
  std::string exec(const std::string& container, int round);

  const std::string prefix_ = cat("soak-", ::getpid(), "-");
};

// Of every four: one by `run`, one that ends by itself, one that is killed or removed as it runs,
// one that never starts.
std::string SoakOfCommands::life(int round) {
  const std::string name = id(round), pid_file = scratch() + "/pid";
  const int code = soak_code(round);
  const bool ends = round % 4 < 2;
  bundle.shell(ends ? ends_with(code) : "exec sleep 1000").save(name);
  if (round % 4 == 0) {
    const Outcome outcome = runtime.run({"run", "--bundle", bundle.path(), name});
    return compared("run", outcome.code, code) + outcome.err;
  }
  std::string wrong = asked({"create", "--bundle", bundle.path(), "--pid-file", pid_file, name});
  if (round % 4 != 3) wrong += asked({"start", name});
  const bool by_force = round % 8 >= 6;
  if (!ends) wrong += by_force ? asked({"delete", "--force", name}) : asked({"kill", name, "KILL"});
  wrong += compared("the container", end_of(pid_file), ends ? code : 128 + SIGKILL);
  if (!by_force) wrong += asked({"delete", name});
  return wrong;
}

// Some in the background, some killed.
std::string SoakOfCommands::exec(const std::string& container, int round) {
  const int code = soak_code(round);
  if (round % 8 == 3) {
    const std::string pid_file = scratch() + "/pid";
    const std::string wrong =
        asked({"exec", "--detach", "--pid-file", pid_file, container, "sh", "-c", ends_with(code)});
    return wrong.empty() ? compared("a program in the background", end_of(pid_file), code) : wrong;
  }
  const bool is_killed = round % 8 == 5;
  const Outcome outcome = runtime.run(
      {"exec", container, "sh", "-c",
       cat("echo ", round, is_killed ? "; kill -9 $$" : "; exit ", is_killed ? "" : cat(code))});
  if (outcome.out != cat(round, "\n")) return cat("it said ", outcome.out, " ", outcome.err);
  return compared("exec", outcome.code, is_killed ? 128 + SIGKILL : code) + outcome.err;
}

TEST_F(SoakOfCommands, LivesLeaveNothingAndNoCodeIsLost) {
  OwnMemory memory;
  Ledger ledger("Containers by ocirt's commands", soak_rounds(240));
  watch_host(ledger, memory, prefix_);
  watch_directory(ledger, "entries of the state directory", runtime.root());
  // `run` leaves the names of its cgroups to the kernel; src/linux/cgroup/hold.h.
  ledger.before_each([&] { memory.reclaim(); });
  ledger.go([this](int round) { return life(round); });
}

TEST_F(SoakOfCommands, ProgramsInOneContainerLeaveNothingAndNoCodeIsLost) {
  OwnMemory memory;
  bundle.shell("exec sleep 100000");
  Container container(runtime, bundle, id(0));
  container.launch();
  Ledger ledger("Programs by `ocirt exec`", soak_rounds(240));
  watch_host(ledger, memory, prefix_);
  watch_directory(ledger, "entries of the state directory", runtime.root());
  watch_directory(ledger, "entries of the container's state", cat(runtime.root(), "/", id(0)));
  ledger.go([&](int round) { return exec(container.id(), round); });
}

}  // namespace
}  // namespace harness
