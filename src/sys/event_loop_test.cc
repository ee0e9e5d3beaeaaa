#include "src/sys/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "src/sys/process.h"
#include "src/sys/signals.h"
#include "src/sys/stream.h"
#include "src/sys/test_directory.h"

namespace ocirt::sys {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Writes down when it is called, and does something then.
struct Note {
  std::string name;
  std::string& log;
  Watch watch;
  Note* removes = nullptr;
  EventLoop* stops = nullptr;
  unsigned ready = 0;

  void on_ready(unsigned now) {
    ready = now;
    on_time();
  }
  void on_time() {
    log += name;
    if (removes != nullptr) removes->watch.reset();
    if (stops != nullptr) stops->stop();
  }
};

class EventLoopTest : public TestDirectory {
 protected:
  Note note(std::string name) { return {.name = std::move(name), .log = log, .watch = {}}; }
  void attach(Note& to, Fd fd, unsigned interest = kReadable) {
    to.watch = *loop->watch(fd, interest, Callback<unsigned>::to<&Note::on_ready>(to));
  }
  std::unique_ptr<EventLoop> loop = *EventLoop::open();
  std::string log;
};

TEST_F(EventLoopTest, CallsWhoWaits) {
  auto [a, b] = *stream_pair();
  Note reader = note("r");
  attach(reader, a);
  ASSERT_TRUE(loop->turn(milliseconds(0)));
  EXPECT_EQ(log, "");
  ASSERT_TRUE(send_some(b, "x"));
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(log, "r");
  EXPECT_EQ(reader.ready, kReadable);
  // Level triggered: as long as it has not been read.
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(log, "rr");
  b.reset();
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(reader.ready, kReadable | kGone);
}

TEST_F(EventLoopTest, WaitsForWhatItIsAskedFor) {
  auto [a, b] = *stream_pair();
  ASSERT_TRUE(send_some(b, "x"));
  Note note_a = note("a");
  attach(note_a, a, kWritable);
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(note_a.ready, kWritable);
  ASSERT_TRUE(note_a.watch.change(kReadable | kWritable));
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(note_a.ready, kReadable | kWritable);
  ASSERT_TRUE(note_a.watch.change(0));
  log.clear();
  ASSERT_TRUE(loop->turn(milliseconds(0)));
  EXPECT_EQ(log, "");
}

TEST_F(EventLoopTest, TheOldestComesFirst) {
  auto [a, b] = *stream_pair();
  auto [c, d] = *stream_pair();
  auto [e, f] = *stream_pair();
  Note first = note("1"), second = note("2"), third = note("3");
  attach(first, a);
  attach(second, c);
  attach(third, e);
  // Whatever became ready first.
  for (const UniqueFd* fd : {&f, &d, &b}) ASSERT_TRUE(send_some(*fd, "x"));
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(log, "123");
  // A place that becomes free is taken by the youngest, which stays the youngest.
  log.clear();
  first.watch.reset();
  attach(first, a);
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(log, "231");
}

TEST_F(EventLoopTest, WhatHasBeenRemovedIsNotCalled) {
  auto [a, b] = *stream_pair();
  auto [c, d] = *stream_pair();
  Note first = note("1"), second = note("2");
  attach(first, a);
  attach(second, c);
  ASSERT_TRUE(send_some(b, "x") && send_some(d, "x"));
  first.removes = &second;  // its event has been read from the kernel already
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(log, "1");
  first.removes = &first;
  ASSERT_TRUE(loop->turn());
  ASSERT_TRUE(loop->turn(milliseconds(0)));
  EXPECT_EQ(log, "11");
}

// The first one's callback replaces the second's watch: the old event is not for the new one.
TEST_F(EventLoopTest, AnEventIsNotForTheNextInItsPlace) {
  struct Replacer {
    EventLoop& loop;
    Note& victim;
    Fd other;
    Watch watch;
    void on_ready(unsigned) {
      victim.watch.reset();
      victim.watch = *loop.watch(other, kReadable, Callback<unsigned>::to<&Note::on_ready>(victim));
    }
  };
  auto [a, b] = *stream_pair();
  auto [c, d] = *stream_pair();
  auto [e, f] = *stream_pair();
  Note victim = note("v");
  Replacer replacer{*loop, victim, e, {}};
  replacer.watch =
      *loop->watch(a, kReadable, Callback<unsigned>::to<&Replacer::on_ready>(replacer));
  attach(victim, c);
  ASSERT_TRUE(send_some(b, "x") && send_some(d, "x"));
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(log, "");
  replacer.watch.reset();
  ASSERT_TRUE(send_some(f, "x"));
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(log, "v");
}

TEST_F(EventLoopTest, TimersComeInTheOrderOfTheirTimes) {
  Note one = note("1"), two = note("2"), three = note("3"), never = note("n");
  auto callback = [](Note& of) { return Callback<>::to<&Note::on_time>(of); };
  Timer t3(*loop, callback(three)), t1(*loop, callback(one)), t2(*loop, callback(two)),
      tn(*loop, callback(never));
  t3.start(milliseconds(3));
  t1.start(milliseconds(1));
  t2.start(seconds(100));
  tn.start(milliseconds(1));
  tn.cancel();
  t2.start(milliseconds(2));  // moved
  three.stops = loop.get();
  const Nanoseconds begin = monotonic_now();
  ASSERT_TRUE(loop->run());
  EXPECT_GE(monotonic_now() - begin, milliseconds(3));
  EXPECT_EQ(log, "123");
  EXPECT_FALSE(t1.is_running());
}

TEST_F(EventLoopTest, TimersWithTheSameTimeComeInTheOrderOfTheirStarts) {
  Note one = note("1"), two = note("2");
  Timer b(*loop, Callback<>::to<&Note::on_time>(two)),
      a(*loop, Callback<>::to<&Note::on_time>(one));
  a.start(Nanoseconds::max());  // for ever, without overflow
  b.start(Nanoseconds::max());
  ASSERT_TRUE(loop->turn(milliseconds(0)));
  EXPECT_EQ(log, "");
  a.start(Nanoseconds(0));
  b.start(Nanoseconds(0));
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(log, "12");
}

TEST_F(EventLoopTest, ATimerIsWaitedForInOneTurn) {
  Note n = note("n");
  Timer timer(*loop, Callback<>::to<&Note::on_time>(n));
  timer.start(std::chrono::microseconds(1500));
  int turns = 0;
  for (; log.empty(); ++turns) ASSERT_TRUE(loop->turn());
  EXPECT_EQ(turns, 1);
}

TEST_F(EventLoopTest, AnAnswerIsHeardBeforeItsDeadline) {
  auto [a, b] = *stream_pair();
  Note answer = note("a"), deadline = note("d");
  Timer timer(*loop, Callback<>::to<&Note::on_time>(deadline));
  timer.start(Nanoseconds(0));
  attach(answer, a);
  ASSERT_TRUE(send_some(b, "x"));
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(log, "ad");
}

TEST_F(EventLoopTest, ATurnEndsInTime) {
  const Nanoseconds begin = monotonic_now();
  ASSERT_TRUE(loop->turn(milliseconds(5)));
  EXPECT_GE(monotonic_now() - begin, milliseconds(5));
}

TEST_F(EventLoopTest, SignalsAndEndsOfProcessesAreDescriptors) {
  auto inbox = *SignalInbox::open();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(7);
  UniqueFd pidfd = *pidfd_open(child);
  Note signal = note("s"), end = note("e");
  attach(signal, inbox.fd());
  attach(end, pidfd);
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  while (!log.contains('e')) ASSERT_TRUE(loop->turn());
  EXPECT_TRUE(log.starts_with('s'));
  EXPECT_EQ(wait_child(pidfd)->code, 7);
  while (*inbox.next() != 0) continue;
}

TEST_F(EventLoopTest, AFileCannotBeWatched) {
  put("file", "x");
  UniqueFd file = *open(dir, "file", O_RDONLY);
  Note n = note("n");
  auto watch = loop->watch(file, kReadable, Callback<unsigned>::to<&Note::on_ready>(n));
  ASSERT_FALSE(watch);
  EXPECT_EQ(watch.error().code, EPERM);
}

TEST_F(EventLoopTest, AWatchMovesWithItsOwner) {
  auto [a, b] = *stream_pair();
  Note n = note("n");
  attach(n, a);
  Watch other = std::move(n.watch);
  EXPECT_FALSE(n.watch);
  ASSERT_TRUE(send_some(b, "x"));
  ASSERT_TRUE(loop->turn());
  EXPECT_EQ(log, "n");
  other = Watch();
  ASSERT_TRUE(loop->turn(milliseconds(0)));
  EXPECT_EQ(log, "n");
}

}  // namespace
}  // namespace ocirt::sys
