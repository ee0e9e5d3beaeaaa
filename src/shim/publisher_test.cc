#include "src/shim/publisher.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "src/base/text.h"
#include "src/sys/stream.h"
#include "src/sys/test_directory.h"
#include "src/wire/server.h"

namespace ocirt::shim {
namespace {

using std::chrono::milliseconds;

// A daemon that answers, does not answer, dies and comes back.
class PublisherTest : public sys::TestDirectory {
 protected:
  PublisherTest() : publisher(*loop, path + "/ttrpc", "space") {}

  void begin() {
    server.emplace(*loop, Callback<wire::Call&>::to<&PublisherTest::handle>(*this));
    ASSERT_TRUE(server->listen(*sys::listen_stream_at(dir, "ttrpc")));
  }
  void kill() {
    server.reset();
    kept.clear();  // after it: nobody waits for their answers any more
    (void)sys::unlink(dir, "ttrpc");
  }
  void handle(wire::Call& call) {
    EXPECT_EQ(call.service, "containerd.services.events.ttrpc.v1.Events");
    EXPECT_EQ(call.method, "Forward");
    EXPECT_EQ(call.metadata("containerd-namespace-ttrpc"), "space");
    Result<wire::Owned<wire::ForwardRequest>> request =
        wire::parse<wire::ForwardRequest>(call.payload);
    ASSERT_TRUE(request);
    const wire::Envelope& envelope = *(*request)->envelope;
    EXPECT_GT(envelope.timestamp->seconds, 0);
    EXPECT_STREQ(envelope.namespace_, "space");
    heard.push_back(cat(envelope.topic, " ", envelope.event->type_url));
    if (silent) return kept.push_back(std::move(call.reply));
    if (refuses) return call.reply.fail(wire::Code::kInvalidArgument, "no");
    call.reply.done();
  }
  void publish(const std::string& topic) {
    publisher.publish(topic, wire::any_of(wire::blank<wire::TaskStart>()));
  }
  // Until so many were heard, at most a few seconds.
  bool hears(size_t count) {
    const sys::Nanoseconds end = sys::monotonic_now() + milliseconds(5000);
    while (heard.size() < count && sys::monotonic_now() < end)
      EXPECT_TRUE(loop->turn(milliseconds(20)));
    settle();
    return heard.size() == count;
  }
  void settle() {
    for (int i = 0; i < 64; ++i) ASSERT_TRUE(loop->turn(sys::Nanoseconds(0)));
  }
  static std::string event(const std::string& topic) {
    return topic + " containerd.events.TaskStart";
  }

  std::unique_ptr<sys::EventLoop> loop = *sys::EventLoop::open();
  std::vector<wire::Reply> kept;
  std::optional<wire::Server> server;
  std::vector<std::string> heard;
  bool silent = false, refuses = false;
  Publisher publisher;
};

TEST_F(PublisherTest, EventsArriveInOrder) {
  begin();
  std::vector<std::string> wanted;
  for (int i = 0; i < 20; ++i) {
    publish(cat("/", i));
    wanted.push_back(event(cat("/", i)));
  }
  EXPECT_TRUE(hears(20));
  EXPECT_EQ(heard, wanted);
  EXPECT_TRUE(publisher.is_idle());
}

TEST_F(PublisherTest, NextOneWaitsForTheAnswer) {
  silent = true;
  begin();
  publish("/a");
  publish("/b");
  EXPECT_TRUE(hears(1));
  kept.front().done();
  EXPECT_TRUE(hears(2));
  EXPECT_FALSE(publisher.is_idle());
}

TEST_F(PublisherTest, EventsWaitForADaemonThatIsNotThere) {
  publish("/a");
  publish("/b");
  settle();
  begin();
  EXPECT_TRUE(hears(2));
  EXPECT_EQ(heard, (std::vector<std::string>{event("/a"), event("/b")}));
}

TEST_F(PublisherTest, WhatADeadDaemonHadNotAnsweredGoesToTheNextOne) {
  silent = true;
  begin();
  publish("/a");
  publish("/b");
  EXPECT_TRUE(hears(1));
  kill();
  silent = false;
  heard.clear();
  settle();
  begin();
  EXPECT_TRUE(hears(2));
  EXPECT_EQ(heard, (std::vector<std::string>{event("/a"), event("/b")}));
}

TEST_F(PublisherTest, WhatWasAnsweredIsNotSentAgainAfterARestart) {
  begin();
  publish("/a");
  EXPECT_TRUE(hears(1));
  kill();
  settle();
  begin();
  publish("/b");
  EXPECT_TRUE(hears(2));
  EXPECT_EQ(heard.back(), event("/b"));
}

TEST_F(PublisherTest, EventThatIsRefusedHoldsUpNobody) {
  refuses = true;
  begin();
  publish("/a");
  publish("/b");
  EXPECT_TRUE(hears(2));
  EXPECT_EQ(publisher.dropped(), 2U);
}

TEST_F(PublisherTest, QueueIsBoundedAndTheOldestGoes) {
  for (int i = 0; i < 2050; ++i) publish(cat("/", i));
  EXPECT_EQ(publisher.dropped(), 2U);
  begin();
  EXPECT_TRUE(hears(2048));
  EXPECT_EQ(heard.front(), event("/2"));
  EXPECT_EQ(heard.back(), event("/2049"));
}

TEST_F(PublisherTest, WithoutAnAddressNothingIsKept) {
  Publisher none(*loop, "", "space");
  none.publish("/a", wire::any_of(wire::blank<wire::TaskStart>()));
  EXPECT_TRUE(none.is_idle());
}

}  // namespace
}  // namespace ocirt::shim
