// What processes say and read by calls of Streaming/Stream on the shim's socket, as containerd's
// CRI makes them with io_type = "streaming".
#include <signal.h>

#include "src/base/text.h"
#include "src/wire/any.h"
#include "tests/pods/task_fixture.h"

namespace harness {
namespace {

namespace wire = ocirt::wire;
using ocirt::cat;
using std::chrono::milliseconds;
using wire::Code;

// A caller of one stream, with a connection of its own, as containerd has it.
class Caller {
 public:
  Caller(const std::string& socket, const std::string& id) : client_(socket) {
    EXPECT_TRUE(client_.send(RawClient::opening(1, wire::kStreamingV1, "Stream")));
    auto init = wire::blank<wire::StreamInit>();
    init.id = wire::lend(id);
    say(init);
    EXPECT_TRUE(client_.next().is_message) << "the stream was not acknowledged";
  }

  template <wire::Message M>
  void say(const M& message) {
    const wire::AnyValue any = wire::any_of(message);
    EXPECT_TRUE(client_.send(RawClient::message(1, wire::pack(any.lend()))));
  }
  void grant(int32_t bytes) {
    auto update = wire::blank<wire::WindowUpdate>();
    update.update = bytes;
    say(update);
  }
  void write(std::string_view bytes) {
    auto data = wire::blank<wire::StreamData>();
    data.data = wire::lend_bytes(bytes);
    say(data);
  }
  void say_last() { EXPECT_TRUE(client_.send(RawClient::last(1))); }

  // The bytes of the next message; empty at the end.
  std::string read() {
    const RawClient::Got got = client_.next();
    EXPECT_EQ(got.answer.code, Code::kOk) << got.answer.text;
    if (!got.is_message) {
      EXPECT_TRUE(got.is_last);
      return "";
    }
    return std::string(wire::view(message<wire::StreamData>(got)->data));
  }
  // Everything, with room for it.
  std::string read_to_end() {
    constexpr int32_t kWindow = 65536;
    std::string all;
    int32_t room = 0;
    for (;;) {
      if (room < kWindow) {
        grant(kWindow);
        room += kWindow;
      }
      const std::string bytes = read();
      if (bytes.empty()) return all;
      EXPECT_LE(bytes.size(), static_cast<size_t>(room));
      room -= static_cast<int32_t>(bytes.size());
      all += bytes;
    }
  }
  // How much the shim has room for, by its next message.
  int32_t read_window() { return message<wire::WindowUpdate>(client_.next())->update; }
  Code refusal() { return client_.next().answer.code; }
  bool is_quiet() { return client_.is_quiet_for(milliseconds(50)); }

 private:
  template <wire::Message M>
  static wire::Owned<M> message(const RawClient::Got& got) {
    EXPECT_TRUE(got.is_message);
    return *wire::parse_any<M>(wire::parse<wire::Any>(got.answer.payload)->get());
  }
  RawClient client_;
};

class SocketStdio : public TaskTest {
 protected:
  std::string path(const std::string& id) const {
    return cat("ttrpc+unix://", socket(), "?streaming_id=", id);
  }
};

TEST_F(SocketStdio, WhatAContainerSaysArrivesByItsTwoStreamsAndThenTheirEnd) {
  bundle.shell("echo said; echo complained >&2");
  Caller out(socket(), "c-stdout"), err(socket(), "c-stderr");
  launch({.out = path("c-stdout"), .err = path("c-stderr")});
  EXPECT_EQ(out.read_to_end(), "said\n");
  EXPECT_EQ(err.read_to_end(), "complained\n");
  EXPECT_EQ(wait(), 0);
  finish();
}

TEST_F(SocketStdio, BytesComeAsTheClientHasRoomForThem) {
  bundle.shell("printf 123456789");
  Caller out(socket(), "o");
  launch({.out = path("o")});
  EXPECT_EQ(wait(), 0);
  EXPECT_TRUE(out.is_quiet());
  out.grant(4);
  EXPECT_EQ(out.read(), "1234");
  EXPECT_TRUE(out.is_quiet());
  EXPECT_EQ(out.read_to_end(), "56789");
  finish();
}

TEST_F(SocketStdio, MuchArrivesWithoutLoss) {
  bundle.shell("head -c 8388608 /dev/zero; echo end");
  Caller out(socket(), "o");
  launch({.out = path("o")});
  const std::string all = out.read_to_end();
  EXPECT_EQ(all.size(), 8388608u + 4);
  EXPECT_TRUE(all.ends_with("end\n"));
  finish();
}

TEST_F(SocketStdio, AClientThatComesAgainGetsWhatWasSaidMeanwhile) {
  const std::string go = scratch() + "/go";
  ASSERT_EQ(::mkfifo(go.c_str(), 0600), 0);
  bundle.mount("/go", "none", go, {"bind"});
  bundle.shell("echo one; read x < /go; echo two; echo three");
  auto before = std::make_unique<Caller>(socket(), "o");
  launch({.out = path("o")});
  before->grant(65536);
  EXPECT_EQ(before->read(), "one\n");
  before.reset();
  EXPECT_EQ(status(), ocirt::wire::TaskStatus::TYPES__STATUS__RUNNING);  // by now it is noticed
  write_file(go, "x\n");
  EXPECT_EQ(wait(), 0);
  Caller after(socket(), "o");
  EXPECT_EQ(after.read_to_end(), "two\nthree\n");
  finish();
}

TEST_F(SocketStdio, TheLastOfTwoClientsHasTheStream) {
  bundle.shell("read x; echo $x");
  Caller first(socket(), "o"), in(socket(), "i");
  launch({.in = path("i"), .out = path("o")});
  Caller second(socket(), "o");
  EXPECT_EQ(first.refusal(), Code::kAborted);
  in.write("hello\n");
  EXPECT_EQ(second.read_to_end(), "hello\n");
  finish();
}

TEST_F(SocketStdio, InputEndsBehindWhatTheClientHasSentWithItsLastWord) {
  bundle.shell("cat; echo end");
  Caller in(socket(), "i"), out(socket(), "o");
  launch({.in = path("i"), .out = path("o")});
  in.write("typed ");
  in.write("twice ");
  in.say_last();
  EXPECT_EQ(out.read_to_end(), "typed twice end\n");
  EXPECT_EQ(wait(), 0);
  finish();
}

TEST_F(SocketStdio, CloseIoEndsTheInputOfAClientThatStays) {
  bundle.shell("cat");
  Caller in(socket(), "i"), out(socket(), "o");
  launch({.in = path("i"), .out = path("o")});
  in.write("typed");
  EXPECT_EQ(close_input().code, Code::kOk);
  EXPECT_EQ(out.read_to_end(), "typed");
  EXPECT_EQ(wait(), 0);
  finish();
}

TEST_F(SocketStdio, InputDoesNotEndWithAClientThatIsGone) {
  bundle.shell("cat");
  auto before = std::make_unique<Caller>(socket(), "i");
  Caller out(socket(), "o");
  launch({.in = path("i"), .out = path("o")});
  before->write("before ");
  out.grant(65536);
  EXPECT_EQ(out.read(), "before ");
  before.reset();
  Caller after(socket(), "i");
  after.write("after");
  EXPECT_EQ(out.read(), "after");
  EXPECT_EQ(status(), ocirt::wire::TaskStatus::TYPES__STATUS__RUNNING);
  after.say_last();
  EXPECT_EQ(out.read_to_end(), "");
  finish();
}

// A container that does not read must not make the shim keep all that somebody sends.
TEST_F(SocketStdio, WhoSendsMoreThanThereIsRoomForIsRefused) {
  bundle.shell("sleep 60");
  Caller in(socket(), "i");
  launch({.in = path("i")});
  const int32_t window = in.read_window();
  EXPECT_EQ(window, 65536);
  // The pipe takes as much, and gives as much room again; the rest waits.
  in.write(std::string(65536, 'x'));
  EXPECT_EQ(in.read_window(), 65536);
  in.write(std::string(65536, 'y'));
  EXPECT_TRUE(in.is_quiet());
  in.write("z");
  EXPECT_EQ(in.refusal(), Code::kInvalidArgument);
  finish();
}

TEST_F(SocketStdio, ATerminalHasOneStreamForEachDirection) {
  bundle.set("process.terminal", "true").shell("stty -echo; read x; echo got $x; tty");
  Caller in(socket(), "i"), out(socket(), "o");
  launch({.terminal = true, .in = path("i"), .out = path("o")});
  in.write("key\n");
  const std::string all = out.read_to_end();
  EXPECT_NE(all.find("got key"), std::string::npos) << all;
  EXPECT_NE(all.find("/dev/pts/0"), std::string::npos) << all;
  finish();
}

TEST_F(SocketStdio, AnExecHasStreamsOfItsOwn) {
  bundle.shell("sleep 60");
  launch();
  Caller in(socket(), "e-in"), out(socket(), "e-out");
  ASSERT_EQ(exec({.args = {"cat"}, .in = path("e-in"), .out = path("e-out")}).code, Code::kOk);
  ASSERT_EQ(ask("Start", "e").code, Code::kOk);
  in.write("through cat");
  in.say_last();
  EXPECT_EQ(out.read_to_end(), "through cat");
  EXPECT_EQ(wait("e"), 0);
  EXPECT_EQ(ask("Delete", "e").code, Code::kOk);
  finish();
}

TEST_F(SocketStdio, NobodyWhoCallsLeavesNothingInTheShim) {
  bundle.shell("echo unheard");
  const size_t before = descriptors();
  launch({.in = path("i"), .out = path("o"), .err = path("x")});
  EXPECT_EQ(wait(), 0);
  finish();
  EXPECT_TRUE(eventually([&] { return descriptors() <= before; })) << descriptors();
}

TEST_F(SocketStdio, StreamsOverAnotherSocketAreRefused) {
  bundle.shell("true");
  const wire::Answer answer = create({.out = "ttrpc+unix:///run/other?streaming_id=o"});
  EXPECT_EQ(answer.code, Code::kUnimplemented);
  EXPECT_NE(answer.text.find("which is not the shim's socket"), std::string::npos) << answer.text;
}

TEST_F(SocketStdio, CallersThatSayWhatIsNotMeantAreRefused) {
  Caller none(socket(), "s");
  none.grant(-1);
  EXPECT_EQ(none.refusal(), Code::kInvalidArgument);
  Caller early(socket(), "s");
  early.write("before there is anybody to read it");
  EXPECT_EQ(early.refusal(), Code::kInvalidArgument);

  RawClient plain(socket());
  EXPECT_EQ(plain.call(wire::kStreamingV1, "Stream").code, Code::kInvalidArgument);
  EXPECT_EQ(plain.call(wire::kStreamingV1, "Other").code, Code::kUnimplemented);

  RawClient other(socket());
  ASSERT_TRUE(other.send(RawClient::opening(1, wire::kStreamingV1, "Stream")));
  ASSERT_TRUE(other.send(RawClient::message(1, "\xff no Any")));
  EXPECT_EQ(other.next().answer.code, Code::kInvalidArgument);
  // A message for a call that has ended, as for one that never was.
  ASSERT_TRUE(other.send(RawClient::message(1, "")));
  EXPECT_EQ(other.next().answer.code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace harness
