// The same through one shim, by its socket, as a daemon that lives for months does it: every second
// process has a stream, which has to arrive as a whole; some callers wait before there is anything
// to wait for, some after it has ended.
#include <signal.h>
#include <unistd.h>

#include <optional>

#include "src/base/text.h"
#include "tests/pods/task_fixture.h"
#include "tests/soak/counts.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;
using wire::Code;

class SoakOfShim : public TaskTest {
 protected:
  void SetUp() override {
    write_out(shim_program());
    memory_.emplace();  // the shim's, too
    TaskTest::SetUp();
  }
  void TearDown() override {
    memory_.reset();
    TaskTest::TearDown();
  }
  std::string id(int round) const { return cat(prefix_, round); }

  static std::string refused(const char* what, const wire::Answer& answer) {
    return answer.code == Code::kOk ? "" : cat(what, ": ", answer.text, " ");
  }
  // The status in the answer, which is that of Wait or Delete.
  template <wire::Message M>
  static std::string compared(const char* what, const wire::Answer& answer, int wanted) {
    if (answer.code != Code::kOk) return refused(what, answer);
    const int code = static_cast<int>((*wire::parse<M>(answer.payload))->exit_status);
    return code == wanted ? "" : cat(what, " says ", code, " instead of ", wanted, " ");
  }
  wire::Answer kill(const std::string& container, const std::string& exec_id) {
    auto request = wire::blank<wire::KillRequest>();
    request.id = wire::lend(container);
    request.exec_id = wire::lend(exec_id);
    request.signal = SIGKILL;
    return call("Kill", request);
  }

  // Start, perhaps Kill, Wait and Delete of what was added.
  std::string from_start_to_end(const std::string& container, const std::string& exec_id,
                                int round) {
    const bool is_killed = round % 4 == 2;
    const int code = is_killed ? 128 + SIGKILL : soak_code(round);
    RawClient early(socket());
    if (round % 4 == 1)
      early.send(RawClient::request(1, wire::kTaskV3, "Wait", state_request(container, exec_id)));
    std::string wrong = refused("Start", ask("Start", exec_id, container));
    if (is_killed) wrong += refused("Kill", kill(container, exec_id));
    wrong += compared<wire::WaitResponse>("Wait", ask("Wait", exec_id, container), code);
    if (round % 4 == 1)
      wrong += compared<wire::WaitResponse>("early Wait", early.next().answer, code);
    return wrong +
           compared<wire::DeleteResponse>("Delete", ask("Delete", exec_id, container), code);
  }

  std::string life(int round) {
    const std::string name = id(round);
    std::unique_ptr<Fifo> out;
    if (round % 2 == 1) out = std::make_unique<Fifo>(cat(scratch(), "/out-", round));
    bundle.shell(program(round))
        .set("linux.cgroupsPath", cat("\"", cgroups::test_parent(), "/", name, "\""));
    std::string wrong =
        refused("Create", create({.id = name, .out = out ? out->path() : std::string()}));
    // One of every 16 never starts.
    if (round % 16 == 4) return wrong + refused("Delete", ask("Delete", "", name));
    wrong += from_start_to_end(name, "", round);
    return wrong + said(out.get(), round);
  }

  std::string program_in(int round) {
    const std::string name = cat("e", round);
    std::unique_ptr<Fifo> out;
    if (round % 2 == 1) out = std::make_unique<Fifo>(cat(scratch(), "/out-", round));
    std::string wrong = refused("Exec", exec({.id = name,
                                              .args = {"sh", "-c", program(round)},
                                              .out = out ? out->path() : std::string()}));
    if (round % 16 == 4) return wrong + refused("Delete", ask("Delete", name));
    wrong += from_start_to_end("c", name, round);
    return wrong + said(out.get(), round);
  }

  static std::string program(int round) {
    return round % 4 == 2 ? "exec sleep 1000" : cat("echo ", round, "; exit ", soak_code(round));
  }
  static std::string said(Fifo* out, int round) {
    if (out == nullptr) return {};
    const std::string text = out->read_to_end();
    ::unlink(out->path().c_str());
    return text == cat(round, "\n") ? "" : cat("it said ", text);
  }

  void soak(const char* title, const std::function<std::string(int)>& round) {
    Ledger ledger(title, soak_rounds(240));
    watch_host(ledger, *memory_, prefix_);
    watch_process(ledger, "shim", shim());
    watch_directory(ledger, "entries of its directory", pod_->layout().directory());
    ledger.go(round);
  }

  std::optional<OwnMemory> memory_;
  const std::string prefix_ = cat("soak-", ::getpid(), "-");
};

TEST_F(SoakOfShim, LivesLeaveNothingAndNoCodeIsLost) {
  soak("Containers by one shim's socket", [this](int round) { return life(round); });
}

TEST_F(SoakOfShim, ProgramsInOneContainerLeaveNothingAndNoCodeIsLost) {
  bundle.shell("exec sleep 100000");
  launch();
  soak("Programs by one shim's socket", [this](int round) { return program_in(round); });
  finish();
}

}  // namespace
}  // namespace harness
