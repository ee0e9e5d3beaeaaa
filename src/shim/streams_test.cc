#include "src/shim/streams.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "src/base/text.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/stream.h"
#include "src/sys/test_directory.h"

namespace ocirt::shim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Over {
  void call() { ++times; }
  int times = 0;
};

class Streaming : public sys::TestDirectory {
 protected:
  std::string fifo(const char* name) {
    const std::string file = cat(path, "/", name);
    EXPECT_TRUE(sys::make_fifo(file, 0600));
    return file;
  }
  std::string read_now(Fd fd) {
    char room[4096];
    Result<std::optional<size_t>> got = sys::read_some(fd, room);
    return got && *got ? std::string(room, **got) : got ? "nothing" : got.error().text;
  }
  void write(Fd fd, std::string_view bytes) {
    EXPECT_EQ(::write(fd.raw(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void turn() {
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(loop->turn(1ms));
  }
  std::string refusal(StreamPaths paths) {
    Streams streams(*loop);
    Result<> opened = streams.open(paths, {});
    return opened ? "" : opened.error().text;
  }

  Streaming() { ::signal(SIGPIPE, SIG_IGN); }

  std::unique_ptr<sys::EventLoop> loop = *sys::EventLoop::open();
};

TEST_F(Streaming, ProcessGetsTheClientsFifosThemselves) {
  const std::string in = fifo("in"), out = fifo("out");
  UniqueFd reader = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
  UniqueFd writer = *sys::open(sys::kCwd, in, O_RDWR | O_NONBLOCK);
  Streams streams(*loop);
  ASSERT_TRUE(streams.open({.in = in, .out = cat("fifo://", out)}, {}));
  write(streams.of_process(1), "said");
  EXPECT_EQ(read_now(reader), "said");
  write(writer, "typed");
  EXPECT_EQ(read_now(streams.of_process(0)), "typed");
  EXPECT_FALSE(streams.of_process(2).valid());
  EXPECT_EQ(::fcntl(streams.of_process(1).raw(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(Streaming, ClientThatGoesAwayCostsTheProcessNoBrokenPipe) {
  const std::string out = fifo("out");
  UniqueFd reader = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
  Streams streams(*loop);
  ASSERT_TRUE(streams.open({.out = out}, {}));
  UniqueFd process = *sys::duplicate(streams.of_process(1));
  ASSERT_TRUE(streams.begin());
  reader.reset();
  write(process, "nobody reads");
  UniqueFd later = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
  EXPECT_EQ(read_now(later), "nobody reads");
}

TEST_F(Streaming, InputEndsWhenItIsClosedAndNotWithAClient) {
  const std::string in = fifo("in");
  Streams streams(*loop);
  ASSERT_TRUE(streams.open({.in = in}, {}));
  UniqueFd process = *sys::duplicate(streams.of_process(0));
  ASSERT_TRUE(streams.begin());
  ASSERT_TRUE(sys::set_waiting(process, false));
  {
    UniqueFd client = *sys::open(sys::kCwd, in, O_WRONLY | O_NONBLOCK);
  }
  EXPECT_EQ(read_now(process), "nothing");
  streams.close_input();
  EXPECT_EQ(read_now(process), "");
}

TEST_F(Streaming, OutputEndsForTheClientWithTheProcess) {
  const std::string out = fifo("out");
  UniqueFd reader = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
  Streams streams(*loop);
  ASSERT_TRUE(streams.open({.out = out}, {}));
  {
    UniqueFd process = *sys::duplicate(streams.of_process(1));
  }
  ASSERT_TRUE(streams.begin());
  EXPECT_EQ(read_now(reader), "");
  streams.end();
  EXPECT_EQ(read_now(reader), "");
}

TEST_F(Streaming, WhatIsCopiedComesInFullAndThenTheEnd) {
  const std::string out = fifo("out");
  UniqueFd reader = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
  Streams streams(*loop);
  ASSERT_TRUE(streams.open({.out = out, .err = out}, {.copied = true}));
  UniqueFd process = *sys::duplicate(streams.of_process(1));
  UniqueFd background = *sys::duplicate(streams.of_process(2));
  ASSERT_TRUE(streams.begin());
  const std::string much(60000, 'x');
  write(process, much);
  turn();
  write(process, much);  // the client's fifo is full meanwhile
  turn();
  process.reset();
  streams.end();
  streams.release();
  EXPECT_FALSE(streams.is_done());
  size_t got = 0;
  for (int i = 0; i < 100 && got < 2 * much.size(); ++i) {
    const std::string part = read_now(reader);
    if (part != "nothing") got += part.size();
    EXPECT_TRUE(loop->turn(0ms));
  }
  EXPECT_EQ(got, 2 * much.size());
  write(background, "late");
  background.reset();
  turn();
  EXPECT_EQ(read_now(reader), "late");
  EXPECT_EQ(read_now(reader), "");
  EXPECT_TRUE(streams.is_done());
}

TEST_F(Streaming, WhoKeepsAStreamOpenIsNotWaitedForLongerThanTheGracePeriod) {
  const std::string out = fifo("out");
  UniqueFd reader = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
  Streams streams(*loop, nullptr, 30ms);
  ASSERT_TRUE(streams.open({.out = out}, {.copied = true}));
  UniqueFd background = *sys::duplicate(streams.of_process(1));
  ASSERT_TRUE(streams.begin());
  write(background, "said");
  streams.end();
  EXPECT_EQ(read_now(reader), "said");
  EXPECT_EQ(read_now(reader), "nothing");
  EXPECT_FALSE(streams.is_done());
  for (int i = 0; i < 100 && !streams.is_done(); ++i) EXPECT_TRUE(loop->turn(10ms));
  EXPECT_TRUE(streams.is_done());
  EXPECT_EQ(read_now(reader), "");
}

TEST_F(Streaming, WhoReadsSlowlyIsWaitedForUntilTheProcessIsDeleted) {
  const std::string out = fifo("out");
  UniqueFd reader = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
  Streams streams(*loop, nullptr, 10ms);
  ASSERT_TRUE(streams.open({.out = out}, {.copied = true}));
  {
    UniqueFd process = *sys::duplicate(streams.of_process(1));
    ASSERT_TRUE(streams.begin());
    for (int i = 0; i < 2; ++i) {
      write(process, std::string(60000, 'x'));
      turn();
    }
  }
  streams.end();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(loop->turn(15ms));
  EXPECT_FALSE(streams.is_done());
  streams.release();  // the reader is there, but does not read
  for (int i = 0; i < 10 && !streams.is_done(); ++i) EXPECT_TRUE(loop->turn(15ms));
  EXPECT_TRUE(streams.is_done());
}

TEST_F(Streaming, WhatNobodyReadsIsDroppedWhenItsProcessIsDeleted) {
  const std::string out = fifo("out");
  UniqueFd reader = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
  Streams streams(*loop);
  ASSERT_TRUE(streams.open({.out = out}, {.copied = true}));
  reader.reset();
  {
    UniqueFd process = *sys::duplicate(streams.of_process(1));
    ASSERT_TRUE(streams.begin());
    for (int i = 0; i < 2; ++i) {
      write(process, std::string(60000, 'x'));
      turn();
    }
  }
  streams.end();
  turn();
  EXPECT_FALSE(streams.is_done());
  streams.release();
  turn();
  EXPECT_TRUE(streams.is_done());
}

// As containerd's clients do it, in a thread that may be late: the open waits for a writer.
class LateClient {
 public:
  explicit LateClient(std::string path)
      : thread_([this, path = std::move(path)] {
          const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
          char room[4096];
          for (ssize_t got; (got = ::read(fd, room, sizeof room)) > 0;) {
            said_.append(room, static_cast<size_t>(got));
            some_ = true;
          }
          ::close(fd);
          done_ = true;
        }) {}
  // Waits until it has read something.
  bool has_read(sys::EventLoop& loop) const {
    for (int i = 0; i < 20000 && !some_; ++i) EXPECT_TRUE(loop.turn(1ms));
    return some_;
  }
  // What it has read when it has come to the end.
  std::string said(sys::EventLoop& loop) {
    for (int i = 0; i < 20000 && !done_; ++i) EXPECT_TRUE(loop.turn(1ms));
    EXPECT_TRUE(done_);
    if (!done_) thread_.detach();
    if (!done_) return "it waits still";
    thread_.join();
    return said_;
  }

 private:
  std::string said_;
  std::atomic<bool> some_ = false, done_ = false;
  std::thread thread_;
};

TEST_F(Streaming, WhoOpensAFifoAfterTheEndOfTheProcessHearsAllAndTheEnd) {
  for (const bool copied : {false, true}) {
    const std::string out = fifo(copied ? "out1" : "out0"), err = fifo(copied ? "err1" : "err0");
    Streams streams(*loop);
    Over over;
    streams.on_hold_over(Callback<>::to<&Over::call>(over));
    ASSERT_TRUE(streams.open({.out = out, .err = err}, {.copied = copied}));
    {
      UniqueFd process = *sys::duplicate(streams.of_process(1));
      ASSERT_TRUE(streams.begin());
      write(process, "the last words");
    }
    streams.end();
    turn();
    EXPECT_TRUE(streams.awaits_client());
    EXPECT_FALSE(streams.is_done());
    LateClient client(out);
    EXPECT_EQ(client.said(*loop), "the last words");
    EXPECT_TRUE(streams.awaits_client()) << "the other one has not come";
    EXPECT_EQ(over.times, 0);
    LateClient other(err);
    EXPECT_EQ(other.said(*loop), "");
    turn();
    EXPECT_FALSE(streams.awaits_client());
    EXPECT_EQ(over.times, 1);
    EXPECT_TRUE(streams.is_done());
  }
}

TEST_F(Streaming, WhoOpensAFifoWhileTheProcessLivesIsNotWaitedForAtItsEnd) {
  const std::string out = fifo("out");
  Streams streams(*loop);
  ASSERT_TRUE(streams.open({.out = out}, {}));
  UniqueFd process = *sys::duplicate(streams.of_process(1));
  write(process, "before it was begun, ");
  ASSERT_TRUE(streams.begin());
  LateClient client(out);
  EXPECT_TRUE(client.has_read(*loop));
  write(process, "and after");
  process.reset();
  streams.end();
  EXPECT_FALSE(streams.awaits_client());
  EXPECT_EQ(client.said(*loop), "before it was begun, and after");
  EXPECT_TRUE(streams.is_done());
}

TEST_F(Streaming, WhoNeverOpensAFifoIsWaitedForAWhileAndMayComeUntilItIsDeleted) {
  const std::string out = fifo("out");
  Streams streams(*loop, nullptr, 10ms, 10ms);
  Over over;
  streams.on_hold_over(Callback<>::to<&Over::call>(over));
  ASSERT_TRUE(streams.open({.out = out}, {}));
  {
    UniqueFd process = *sys::duplicate(streams.of_process(1));
    ASSERT_TRUE(streams.begin());
    write(process, "unheard");
  }
  streams.end();
  EXPECT_TRUE(streams.awaits_client());
  while (over.times == 0) EXPECT_TRUE(loop->turn(10ms));
  EXPECT_FALSE(streams.awaits_client());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(loop->turn(15ms));
  EXPECT_FALSE(streams.is_done());
  streams.release();
  EXPECT_TRUE(streams.is_done());
  EXPECT_EQ(over.times, 1);
  UniqueFd late = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
  EXPECT_EQ(read_now(late), "") << "nobody writes any more";
}

TEST_F(Streaming, WhoHadGoneWhenTheProcessEndedAndComesAgainHearsWhatItMissedAndTheEnd) {
  for (const bool copied : {false, true}) {
    const std::string out = fifo(copied ? "out1" : "out0"), err = fifo(copied ? "err1" : "err0");
    UniqueFd reader = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
    UniqueFd other = *sys::open(sys::kCwd, err, O_RDONLY | O_NONBLOCK);
    Streams streams(*loop);
    ASSERT_TRUE(streams.open({.out = out, .err = err}, {.copied = copied}));
    {
      UniqueFd process = *sys::duplicate(streams.of_process(1));
      ASSERT_TRUE(streams.begin());
      write(process, "heard");
      turn();
      EXPECT_EQ(read_now(reader), "heard");
      reader.reset();
      write(process, "the last words");
    }
    streams.end();
    turn();
    EXPECT_FALSE(streams.awaits_client()) << "its end is told without it";
    EXPECT_TRUE(streams.is_done());
    EXPECT_EQ(read_now(other), "") << "the one that has stayed hears the end";
    LateClient client(out);
    EXPECT_EQ(client.said(*loop), "the last words");
  }
}

TEST_F(Streaming, WhoHadGoneWhenTheProcessEndedMayComeUntilItIsDeleted) {
  const std::string out = fifo("out");
  UniqueFd reader = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
  Streams streams(*loop);
  ASSERT_TRUE(streams.open({.out = out}, {}));
  ASSERT_TRUE(streams.begin());
  reader.reset();
  streams.end();
  streams.release();
  UniqueFd late = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
  EXPECT_EQ(read_now(late), "") << "nobody writes any more";
}

TEST_F(Streaming, WhatGoesWrongWhenAClientComesIsSaid) {
  struct {
    void call(std::string_view text) { said += text; }
    std::string said;
  } warnings;
  const std::string out = fifo("out");
  Streams streams(*loop);
  streams.on_warning(Callback<std::string_view>::to<&decltype(warnings)::call>(warnings));
  ASSERT_TRUE(streams.open({.out = out}, {.id = "c"}));
  UniqueFd process = *sys::duplicate(streams.of_process(1));
  ASSERT_TRUE(streams.begin());
  turn();  // the sanitizer has looked at this object while it could: it takes a pipe to find
           // whether memory is readable
  UniqueFd reader = *sys::open(sys::kCwd, out, O_RDONLY | O_NONBLOCK);
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none = {0, before.rlim_max};  // no number is left for one more
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  turn();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(warnings.said, HasSubstr("stdout of c: "));
  EXPECT_THAT(warnings.said, HasSubstr("Too many open files"));
  write(process, "said");
  turn();
  EXPECT_EQ(read_now(reader), "said");
}

TEST_F(Streaming, WhoWritesToAnOutputIsNotTakenForItsReader) {
  const std::string out = fifo("out");
  Streams streams(*loop);
  ASSERT_TRUE(streams.open({.out = out}, {}));
  ASSERT_TRUE(streams.begin());
  streams.end();
  UniqueFd holder = *sys::open(sys::kCwd, out, O_RDWR | O_NONBLOCK);
  holder.reset();  // has gone again
  turn();
  EXPECT_TRUE(streams.awaits_client());
  LateClient client(out);
  EXPECT_EQ(client.said(*loop), "");
}

TEST_F(Streaming, OtherThingsThanFifosAreRefused) {
  put("file", "x");
  EXPECT_THAT(refusal({.out = "npipe:///x"}), HasSubstr("not supported: stdout"));
  EXPECT_THAT(refusal({.out = "binary:///no/logger"}), HasSubstr("execute /no/logger"));
  EXPECT_THAT(refusal({.out = cat(path, "/file")}), HasSubstr("is not a fifo"));
  EXPECT_THAT(refusal({.out = "relative"}), HasSubstr("not an absolute path"));
  EXPECT_THAT(refusal({.in = cat(path, "/none")}), HasSubstr("No such file"));
}

TEST_F(Streaming, LogTakesWhatTheProcessSays) {
  ContainerLog log(cat(path, "/c.log"), 0, 1);
  ASSERT_TRUE(log.open(*loop, path));
  Streams streams(*loop);
  ASSERT_TRUE(streams.open(log, false));
  write(streams.of_process(1), "one\n");
  turn();
  EXPECT_THAT(*sys::read_file(dir, "c.log"), HasSubstr("stdout F one\n"));
  write(streams.of_process(2), "last\n");
  streams.end();
  EXPECT_THAT(*sys::read_file(dir, "c.log"), HasSubstr("stderr F last\n"));
}

TEST_F(Streaming, AnotherShimReadsOnWhereOneHasEnded) {
  UniqueFd process;
  {
    ContainerLog log(cat(path, "/c.log"), 0, 1);
    ASSERT_TRUE(log.open(*loop, path));
    process = *log.out();
  }
  write(process, "meanwhile\n");  // no broken pipe
  ContainerLog log(cat(path, "/c.log"), 0, 1);
  ASSERT_TRUE(log.open(*loop, path));
  turn();
  EXPECT_THAT(*sys::read_file(dir, "c.log"), HasSubstr("stdout F meanwhile\n"));
}

}  // namespace
}  // namespace ocirt::shim
