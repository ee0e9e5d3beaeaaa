// One shim in containerd's way: pods whose containers come and go for months, and programs in them
// (probes, mostly). How a process has ended is said three times, by Wait, by Delete and by an
// event, and the event comes once. One container of 16 has a `start` and a `delete` of its own, as
// older daemons have them for each.
#include <signal.h>
#include <unistd.h>

#include "src/base/text.h"
#include "tests/pods/containerd_fixture.h"
#include "tests/soak/counts.h"
#include "tests/soak/event_receiver.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;

class SoakOfContainerdShim : public ContainerdShim {
 protected:
  template <wire::Message Response, wire::Message Request>
  static int status_of(const std::string& address, const char* method, const Request& request,
                       std::string& wrong) {
    auto answer =
        client(address).call<Response>(wire::kTaskV3, method, request, std::chrono::seconds(20));
    if (answer) return static_cast<int>((*answer)->exit_status);
    wrong += cat(method, ": ", answer.error().text, " ");
    return -1;
  }
  template <wire::Message Request>
  static Request naming(const std::string& container, const std::string& exec_id) {
    auto request = wire::blank<Request>();
    request.id = wire::lend(container);
    request.exec_id = wire::lend(exec_id);
    return request;
  }

  // Start, perhaps Kill, Wait and Delete.
  std::string to_its_end(const std::string& container, const std::string& exec_id, int code,
                         bool is_killed) {
    std::string wrong =
        ask<wire::StartResponse>(address_, "Start", naming<wire::StartRequest>(container, exec_id));
    auto kill = naming<wire::KillRequest>(container, exec_id);
    kill.signal = SIGKILL;
    if (is_killed) wrong += ask<wire::Empty>(address_, "Kill", kill);
    const int waited = status_of<wire::WaitResponse>(
        address_, "Wait", naming<wire::WaitRequest>(container, exec_id), wrong);
    const int removed = status_of<wire::DeleteResponse>(
        address_, "Delete", naming<wire::DeleteRequest>(container, exec_id), wrong);
    if (waited != code || removed != code)
      wrong += cat("Wait says ", waited, " and Delete ", removed, " instead of ", code);
    return wrong;
  }

  std::string write_bundle(const std::string& id, const std::string& program) {
    const std::string path = scratch() + "/bundles/" + id;
    make_directories(path);
    bundle.shell(program)
        .set("linux.cgroupsPath", cat("\"", cgroups::test_parent(), "/", id, "\""))
        .keep_cgroups_path()
        .set("root.path", cat("\"", bundle.path(), "/rootfs\""))
        .set("annotations", R"({"io.kubernetes.cri.sandbox-id": "keeper"})")
        .save("c");
    write_file(path + "/config.json", read_file(bundle.path() + "/config.json"));
    return path;
  }

  std::string life(int round, int code, bool is_killed) {
    const std::string id = cat("r", round);
    const std::string path = write_bundle(id, is_killed ? "exec sleep 1000" : cat("exit ", code));
    const bool is_older = round % 32 == 6;
    std::string wrong;
    if (is_older && start(id, path) != address_) wrong += "start gives another address ";
    wrong += create(address_, id, path);
    wrong += to_its_end(id, "", code, is_killed);
    if (is_older) {
      const Outcome outcome = run_command(command(id, path, "delete"));
      if (!outcome.ok()) wrong += cat("delete: ", outcome.err);
    }
    remove_tree(path);
    return wrong;
  }

  std::string program(int round, int code, bool is_killed) {
    Json process = bundle.document()["process"];
    process.set("args",
                Json::array({"sh", "-c", is_killed ? "exec sleep 1000" : cat("exit ", code)}));
    const wire::AnyValue value{std::string(wire::kProcessUrl), process.print()};
    wire::Any spec = value.lend();
    const std::string id = cat("r", round);
    auto request = wire::blank<wire::ExecProcessRequest>();
    request.id = wire::lend("keeper");
    request.exec_id = wire::lend(id);
    request.spec = &spec;
    const std::string wrong = ask<wire::Empty>(address_, "Exec", request);
    return wrong.empty() ? to_its_end("keeper", id, code, is_killed) : wrong;
  }

  // The event of the round before: it may come after the answers.
  static std::string event_of(const EventReceiver& events, int round) {
    if (round < 0) return {};
    const bool came = eventually([&] { return events.times(round) != 0; });
    const int wanted = code_of(round);
    if (came && events.times(round) == 1 && events.status(round) == wanted) return {};
    return cat("its event came ", events.times(round), " times, the last one says ",
               events.status(round), " instead of ", wanted);
  }
  static bool is_killed(int round) { return round % 8 >= 6; }
  static int code_of(int round) { return is_killed(round) ? 128 + SIGKILL : soak_code(round); }

  std::string address_;
};

TEST_F(SoakOfContainerdShim, LivesAndProgramsLeaveNothingAndNoCodeOrEventIsLost) {
  write_out(shim_program());
  OwnMemory memory;
  const int rounds = soak_rounds(240);
  EventReceiver events(sockets_, "events", rounds);
  Command begin = start_command("keeper", write_bundle("keeper", "exec sleep 100000"));
  begin.env = {{"TTRPC_ADDRESS", events.socket()}};
  address_ = address_in(run_command(begin));
  ASSERT_EQ(create(address_, "keeper", begin.directory), "");
  ASSERT_EQ(ask<wire::StartResponse>(address_, "Start", naming<wire::StartRequest>("keeper", "")),
            "");
  Ledger ledger("Containers and programs by containerd's shim and its events", rounds);
  watch_host(ledger, memory, "_ses.r");
  watch_process(ledger, "shim", shim_at(address_));
  watch_directory(ledger, "entries of the state directory", root_);
  watch_directory(ledger, "sockets", sockets_);
  watch_directory(ledger, "entries of the keeper's bundle", begin.directory);
  ledger.go([&](int round) {
    const int code = code_of(round);
    const bool killed = is_killed(round);
    const std::string before = event_of(events, round - 1);
    const std::string wrong =
        round % 2 == 0 ? life(round, code, killed) : program(round, code, killed);
    return before + wrong;
  });
  EXPECT_EQ(event_of(events, rounds - 1), "");
  EXPECT_EQ(remove(address_, "keeper"), "");
  EXPECT_EQ(shutdown(address_), "");
  // Of a container four events (the keeper is one), of a program three.
  const long all = 4 + 4L * ((rounds + 1) / 2) + 3L * (rounds / 2);
  EXPECT_TRUE(eventually([&] { return events.all() >= all; }));
  EXPECT_EQ(events.all(), all);
}

}  // namespace
}  // namespace harness
