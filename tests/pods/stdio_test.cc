// What processes say and read, by every way that the Task service has: nothing is lost, at the end
// of a process either, and nobody waits for an end that does not come.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/text.h"
#include "tests/pods/task_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;
using wire::Code;

class TaskStdio : public TaskTest {
 protected:
  // A container that waits, and the fifos of an exec in it.
  void launch_waiting() {
    bundle.shell("exec sleep 60");
    launch();
  }
  std::string run(const std::string& script, Fifo& out) {
    const wire::Answer added =
        exec({.args = {"sh", "-c", script}, .out = out.path(), .err = out.path()});
    EXPECT_EQ(added.code, Code::kOk) << added.text;
    const wire::Answer started = ask("Start", "e");
    EXPECT_EQ(started.code, Code::kOk) << started.text;
    EXPECT_EQ(wait("e"), 0);
    EXPECT_EQ(ask("Delete", "e").code, Code::kOk);
    return out.read_to_end();
  }
  // The process says "last words" and ends with 3, while its client is not there. That it comes
  // some time after the end makes no difference.
  void expect_end_with_the_client(Fifo& out, const std::string& exec_id) {
    RawClient waiting(socket());
    ASSERT_TRUE(
        waiting.send(RawClient::request(1, wire::kTaskV2, "Wait", state_request("c", exec_id))));
    EXPECT_TRUE(waiting.is_quiet_for(std::chrono::milliseconds(300)));
    out.open_waiting_reader();
    EXPECT_EQ(out.read_to_end(), "last words\n");
    const wire::Answer answer = waiting.next().answer;
    EXPECT_EQ((*wire::parse<wire::WaitResponse>(answer.payload))->exit_status, 3u);
  }
  static void type(const std::string& fifo, const std::string& bytes) {
    const int writer = ::open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::write(writer, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    ::close(writer);
  }
  std::string program(const std::string& script) {
    const std::string path = scratch() + "/logger";
    write_file(path, "#!/bin/sh\n" + script, 0755);
    return path;
  }
};

// More than the fifo alone holds, and its reader comes when the process is deleted.
TEST_F(TaskStdio, WhatAnExecHasSaidArrivesAfterItsEnd) {
  launch_waiting();
  Fifo out(scratch() + "/out");
  EXPECT_EQ(run("yes 123456789 | head -c 120000", out).size(), 120000u);
  finish();
}

TEST_F(TaskStdio, WhoStaysInTheBackgroundDoesNotHoldUpTheEnd) {
  launch_waiting();
  Fifo out(scratch() + "/out");
  EXPECT_EQ(run("echo first; (usleep 300000; echo later) &", out), "first\nlater\n");
  finish();
}

TEST_F(TaskStdio, MuchIsCopiedWithoutLoss) {
  launch_waiting();
  Fifo out(scratch() + "/out");
  ASSERT_EQ(exec({.args = {"dd", "if=/dev/zero", "bs=65536", "count=256"}, .out = out.path()}).code,
            Code::kOk);
  ASSERT_EQ(ask("Start", "e").code, Code::kOk);
  EXPECT_EQ(out.read_to_end().size(), 256u * 65536);
  EXPECT_EQ(wait("e"), 0);
  finish();
}

TEST_F(TaskStdio, NobodyWhoReadsStopsNobodyAndTheLastLinesAreKeptUntilDelete) {
  Fifo out(scratch() + "/out");
  out.close_reader();
  bundle.shell("yes | head -c 60000; echo last; exit 3");
  launch({.out = out.path(), .err = out.path()});
  EXPECT_EQ(wait(), 3);
  out.open_waiting_reader();
  EXPECT_EQ(out.read_to_end().size(), 60005u);
  EXPECT_EQ(ask("Delete").code, Code::kOk);
}

// containerd's clients open their ends beside their calls, in threads that may be late; when they
// hear of the end of a process they give up those that are not open.
TEST_F(TaskStdio, AnExecHasNotEndedBeforeItsClientHasOpenedTheStreams) {
  launch_waiting();
  Fifo out(scratch() + "/out");
  out.close_reader();
  ASSERT_EQ(exec({.args = {"sh", "-c", "echo last words; exit 3"}, .out = out.path()}).code,
            Code::kOk);
  ASSERT_EQ(ask("Start", "e").code, Code::kOk);
  expect_end_with_the_client(out, "e");
  EXPECT_EQ(ask("Delete", "e").code, Code::kOk);
  finish();
}

TEST_F(TaskStdio, AContainerHasNotEndedBeforeItsClientHasOpenedTheStreams) {
  Fifo out(scratch() + "/out");
  out.close_reader();
  bundle.shell("echo last words; exit 3");
  launch({.out = out.path()});
  expect_end_with_the_client(out, "");
  EXPECT_EQ(ask("Delete").code, Code::kOk);
}

// As containerd, when it was restarted meanwhile.
TEST_F(TaskStdio, AClientThatWasAwayAtTheEndHearsWhatItMissedWhenItComesAgain) {
  Fifo out(scratch() + "/out"), err(scratch() + "/err");
  bundle.shell("trap 'echo last words; exit 3' USR1; echo first; while :; do usleep 20000; done");
  launch({.out = out.path(), .err = err.path()});
  EXPECT_EQ(out.read_until("first\n"), "first\n");
  out.close_reader();
  err.close_reader();
  EXPECT_EQ(kill(SIGUSR1).code, Code::kOk);
  EXPECT_EQ(wait(), 3);
  out.open_waiting_reader();
  EXPECT_EQ(out.read_to_end(), "last words\n");
  err.open_waiting_reader();
  EXPECT_EQ(err.read_to_end(), "");
  EXPECT_EQ(ask("Delete").code, Code::kOk);
}

TEST_F(TaskStdio, InputEndsWithCloseIO) {
  Fifo in(scratch() + "/in"), out(scratch() + "/out");
  bundle.shell("cat; echo end");
  launch({.in = in.path(), .out = out.path()});
  type(in.path(), "one\n");
  EXPECT_EQ(out.read_until("one\n"), "one\n");
  type(in.path(), "two\n");
  EXPECT_EQ(out.read_until("two\n"), "two\n");
  EXPECT_EQ(close_input().code, Code::kOk);
  EXPECT_EQ(out.read_to_end(), "end\n");
  EXPECT_EQ(wait(), 0);
  EXPECT_EQ(close_input().code, Code::kOk);  // no more than a word
  finish();
}

TEST_F(TaskStdio, AFileGetsBothOutputsInOrder) {
  const std::string file = scratch() + "/new/directory/log";
  bundle.shell("echo one; echo two >&2; echo three");
  launch({.out = "file://" + file});
  EXPECT_EQ(wait(), 0);
  EXPECT_EQ(read_file(file), "one\ntwo\nthree\n");
  EXPECT_EQ(ask("Delete").code, Code::kOk);
}

// Its end would be waited for by the whole pod.
TEST_F(TaskStdio, AFifoWithoutAReaderInPlaceOfAFileIsRefusedAtOnce) {
  Fifo pipe(scratch() + "/pipe");
  pipe.close_reader();
  launch_waiting();
  EXPECT_NE(exec({.args = {"true"}, .out = "file://" + pipe.path()}).code, Code::kOk);
  EXPECT_EQ(ask("State").code, Code::kOk);
  finish();
}

TEST_F(TaskStdio, AProgramReadsBothOutputsAndEndsWithThem) {
  const std::string file = scratch() + "/logged";
  const std::string logger = program(cat("exec >", file,
                                         " 2>&1\necho \"$CONTAINER_ID $CONTAINER_NAMESPACE $*\"\n"
                                         "exec 5>&-\ncat <&3\ncat <&4\n"
                                         "echo complete\n"));
  bundle.shell("echo out; echo err >&2");
  launch({.out = cat("binary://", logger, "?level=a%20b&last")});
  EXPECT_EQ(wait(), 0);
  EXPECT_TRUE(eventually([&] { return read_file(file).ends_with("complete\n"); }));
  EXPECT_EQ(read_file(file), "c  level a b last\nout\nerr\ncomplete\n");
  EXPECT_EQ(ask("Delete").code, Code::kOk);
}

TEST_F(TaskStdio, AProgramThatFailsStopsTheCreationAndLaterNobody) {
  EXPECT_SAYS(create({.out = "binary:///no/such/program"}).text, "/no/such/program");
  const wire::Answer unready = create({.out = cat("binary-v2://", program("exit 0\n"))});
  EXPECT_EQ(unready.code, Code::kUnknown);
  EXPECT_SAYS(unready.text, "before it was ready");
  EXPECT_EQ(status(), -1);
  // More than a pipe holds, for a program that is gone.
  bundle.shell("yes | head -c 300000; exit 4");
  launch({.out = cat("binary://", program("exit 0\n"))});
  EXPECT_EQ(wait(), 4);
  EXPECT_EQ(ask("Delete").code, Code::kOk);
}

TEST_F(TaskStdio, StreamsBelongToWhomTheOptionsSay) {
  Fifo out(scratch() + "/out");
  auto options = wire::blank<wire::RuncOptions>();
  options.io_uid = 1000;
  options.io_gid = 2000;
  bundle.set("process.user", R"({"uid": 1000, "gid": 1000})")
      .shell("echo again >/dev/stdout; exec sleep 60");
  launch({.out = out.path(), .options = wire::any_of(options)});
  EXPECT_EQ(out.read_until("\n"), "again\n");
  struct stat info{};
  ASSERT_EQ(::stat(out.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 1000u);
  EXPECT_EQ(info.st_gid, 2000u);
  finish();
}

TEST_F(TaskStdio, ATerminalShowsEverythingUntilItsEnd) {
  Fifo out(scratch() + "/out");
  bundle.shell("stty size; seq 1 12000").set("process.terminal", "true");
  ASSERT_EQ(create({.terminal = true, .out = out.path()}).code, Code::kOk);
  EXPECT_EQ(resize(132, 43).code, Code::kOk);
  ASSERT_EQ(ask("Start").code, Code::kOk);
  const std::string said = out.read_to_end();
  EXPECT_TRUE(said.starts_with("43 132\r\n")) << said.substr(0, 20);
  EXPECT_TRUE(said.ends_with("\r\n12000\r\n"));
  EXPECT_EQ(wait(), 0);
  EXPECT_EQ(resize(1, 1).code, Code::kFailedPrecondition);
  EXPECT_EQ(ask("Delete").code, Code::kOk);
}

// A terminal takes 4 KiB at once.
TEST_F(TaskStdio, WhatIsTypedIntoATerminalIsNotLost) {
  Fifo in(scratch() + "/in"), out(scratch() + "/out");
  bundle.shell("stty raw -echo; echo ready; usleep 100000; head -c 40000 | wc -c")
      .set("process.terminal", "true");
  launch({.terminal = true, .in = in.path(), .out = out.path()});
  out.read_until("ready");
  type(in.path(), std::string(40000, 'x'));
  EXPECT_EQ(trim(out.read_to_end()), "40000");
  EXPECT_EQ(wait(), 0);
  EXPECT_EQ(ask("Delete").code, Code::kOk);
}

}  // namespace
}  // namespace harness
