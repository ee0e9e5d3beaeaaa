// Messages against bytes that are written by hand from the rules of protobuf: a field is its number
// and kind (number << 3 | kind), then a varint (kind 0) or a length and bytes (kind 2).
#include <gtest/gtest.h>

#include <string>

#include "src/wire/any.h"
#include "src/wire/frame.h"
#include "src/wire/messages.h"

namespace ocirt::wire {
namespace {

using namespace std::string_literals;

TEST(Message, AnAnswerIsThePrescribedBytes) {
  auto answer = blank<StateResponse>();
  auto exited = blank<Timestamp>();
  exited.seconds = 1;
  exited.nanos = 300;
  const std::string id = "c1";
  answer.id = lend(id);
  answer.pid = 300;
  answer.status = TaskStatus(3);
  answer.terminal = true;
  answer.exit_status = 137;
  answer.exited_at = &exited;
  answer.exec_id = lend("e");
  EXPECT_EQ(pack(answer),
            "\x0a\x02"
            "c1"                            // 1: id
            "\x18\xac\x02"                  // 3: pid
            "\x20\x03"                      // 4: status
            "\x40\x01"                      // 8: terminal
            "\x48\x89\x01"                  // 9: exit_status
            "\x52\x05\x08\x01\x10\xac\x02"  // 10: exited_at {1: seconds, 2: nanos}
            "\x5a\x01"
            "e"s);  // 11: exec_id
}

TEST(Message, WhatIsAbsentIsNotWritten) { EXPECT_EQ(pack(blank<StateResponse>()), ""); }

TEST(Message, ARequestIsReadFromThePrescribedBytes) {
  auto request = *parse<CreateTaskRequest>(
      "\x0a\x01"
      "c"           // 1: id
      "\x12\x02/b"  // 2: bundle
      "\x1a\x13"    // 3: rootfs
      "\x0a\x07overlay\x12\x01o"
      "\x22\x02ro"  // options
      "\x22\x01x"
      "\x1a\x00"                    // 3 again: an empty one
      "\x20\x01"                    // 4: terminal
      "\x2a\x03/in"                 // 5: stdin
      "\x52\x06\x0a\x01t\x12\x01v"  // 10: options {1: type_url, 2: value}
      "\xa2\x06\x03new"s);          // 100: not known
  EXPECT_STREQ(request->id, "c");
  EXPECT_STREQ(request->bundle, "/b");
  ASSERT_EQ(request->n_rootfs, 2u);
  EXPECT_STREQ(request->rootfs[0]->type, "overlay");
  EXPECT_STREQ(request->rootfs[0]->source, "o");
  EXPECT_STREQ(request->rootfs[0]->target, "");
  ASSERT_EQ(request->rootfs[0]->n_options, 2u);
  EXPECT_STREQ(request->rootfs[0]->options[1], "x");
  EXPECT_STREQ(request->rootfs[1]->type, "");
  EXPECT_TRUE(request->terminal);
  EXPECT_STREQ(request->stdin, "/in");
  EXPECT_STREQ(request->stdout, "");
  ASSERT_NE(request->options, nullptr);
  EXPECT_EQ(view(request->options->value), "v");
}

TEST(Message, NothingIsAMessageWithNothingInIt) {
  auto request = *parse<CreateTaskRequest>("");
  EXPECT_STREQ(request->id, "");
  EXPECT_EQ(request->n_rootfs, 0u);
  EXPECT_EQ(request->options, nullptr);
}

TEST(Message, NegativeNumbersTakeTenBytes) {
  auto request = blank<ttrpc::Request>();
  request.timeout_nano = -1;
  const std::string bytes = pack(request);
  EXPECT_EQ(bytes, "\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
  EXPECT_EQ((*parse<ttrpc::Request>(bytes))->timeout_nano, -1);
  auto params = *parse<BootstrapParams>("\x18\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
  EXPECT_EQ(params->log_level, BOOTSTRAP__LOG_LEVEL__LOG_LEVEL_DEBUG);
}

TEST(Message, AMapIsEntriesWithKeyAndValue) {
  Rows<SandboxInfo> rows;
  SandboxInfo& row = rows.add();
  row.key = lend("pod");
  row.value = lend("{}");
  rows.add().key = lend("x");
  auto answer = blank<SandboxStatusResponse>();
  answer.n_info = rows.size();
  answer.info = rows.lend();
  const std::string bytes = pack(answer);
  EXPECT_EQ(bytes, "\x22\x09\x0a\x03pod\x12\x02{}\x22\x03\x0a\x01x"s);
  auto again = *parse<SandboxStatusResponse>(bytes);
  ASSERT_EQ(again->n_info, 2u);
  EXPECT_STREQ(again->info[0]->value, "{}");
  EXPECT_STREQ(again->info[1]->value, "");
}

TEST(Message, TheAnswerToStartOfNewerContainerds) {
  auto result = blank<BootstrapResult>();
  result.version = 3;
  result.address = lend("unix:///s");
  result.protocol = lend("ttrpc");
  EXPECT_EQ(pack(result), "\x08\x03\x12\x09unix:///s\x1a\x05ttrpc"s);
}

TEST(Message, NumbersOfStatistics) {
  auto pids = blank<v2::PidsStat>();
  pids.current = 2;
  auto memory = blank<v2::MemoryStat>();
  memory.inactive_file = 1;
  memory.usage = 200;
  memory.swap_max_usage = 5;
  auto metrics = blank<v2::Metrics>();
  metrics.pids = &pids;
  metrics.memory = &memory;
  // 1: pids {1: current}, 4: memory {13: inactive_file, 32: usage, 37: swap_max_usage}
  EXPECT_EQ(pack(metrics), "\x0a\x02\x08\x02\x22\x09\x68\x01\x80\x02\xc8\x01\xa8\x02\x05"s);
}

TEST(Message, AnEventInItsEnvelope) {
  auto exit = blank<TaskExit>();
  exit.container_id = lend("c");
  exit.id = lend("e");
  exit.pid = 9;
  exit.exit_status = 2;
  const AnyValue value = any_of(exit);
  const Any event = value.lend();
  auto now = blank<Timestamp>();
  now.seconds = 1;
  auto envelope = blank<Envelope>();
  envelope.timestamp = &now;
  envelope.namespace_ = lend("n");
  envelope.topic = lend("/tasks/exit");
  envelope.event = const_cast<Any*>(&event);
  auto request = blank<ForwardRequest>();
  request.envelope = &envelope;
  EXPECT_EQ(pack(request),
            "\x0a\x3e"
            "\x0a\x02\x08\x01"
            "\x12\x01n"
            "\x1a\x0b/tasks/exit"
            "\x22\x28\x0a\x1a"
            "containerd.events.TaskExit"
            "\x12\x0a\x0a\x01"
            "c\x12\x01"
            "e\x18\x09\x20\x02"s);
}

TEST(Message, AnAnyIsReadByItsName) {
  auto any = blank<Any>();
  any.type_url = lend("containerd.runc.v1.Options");
  any.value = lend_bytes("\x48\x01");
  EXPECT_TRUE((*parse_any<RuncOptions>(&any))->systemd_cgroup);
  any.type_url = lend("type.googleapis.com/containerd.runc.v1.Options");
  EXPECT_TRUE((*parse_any<RuncOptions>(&any))->systemd_cgroup);
  EXPECT_EQ(parse_any<RuntimeOptions>(&any).error().text,
            "expected runtimeoptions.v1.Options, not "
            "type.googleapis.com/containerd.runc.v1.Options");
  EXPECT_EQ(parse_any<RuncOptions>(nullptr).error().text,
            "expected containerd.runc.v1.Options, not nothing");
}

TEST(Message, MalformedBytesAreRefusedWithTheNameOfTheMessage) {
  EXPECT_EQ(parse<StateRequest>("\x0a\x05xy").error().text, "StateRequest: field 1: malformed");
  EXPECT_EQ(parse<StateRequest>("\x0b").error().text, "StateRequest: field 1: malformed");
  EXPECT_EQ(parse<StateRequest>("\x80").error().text, "StateRequest: malformed");
  EXPECT_EQ(parse<StateRequest>("\x02\x00"s).error().text, "StateRequest: malformed");
  // A number where a text is expected.
  EXPECT_EQ(parse<StateRequest>("\x08\x01").error().text, "StateRequest: malformed message");
}

TEST(Message, TextsThatAreNoneAreRefused) {
  EXPECT_EQ(parse<StateRequest>("\x0a\x03"
                                "c\0x"s)
                .error()
                .text,
            "StateRequest: field 1: a text with a NUL byte");
  EXPECT_EQ(parse<CreateTaskRequest>("\x1a\x04\x0a\x02\xc3\x28").error().text,
            "CreateTaskRequest: field 3.1: a text that is not UTF-8");
  // Bytes may be anything.
  EXPECT_TRUE(parse<Any>("\x12\x02\0\xff"s));
}

TEST(Message, MillionsOfEmptyFieldsAreRefused) {
  std::string many;
  for (size_t i = 0; i <= kMaxPayload / 2 - 1; ++i) many += "\x1a\x00"s;
  EXPECT_EQ(parse<CreateTaskRequest>(many).error().text,
            "CreateTaskRequest: more than 262144 fields");
  many.resize(20000);
  EXPECT_EQ((*parse<CreateTaskRequest>(many))->n_rootfs, 10000u);
  EXPECT_EQ(parse<Any>(std::string(kMaxPayload + 1, 'x')).error().text,
            "Any: 4194305 bytes are more than the 4194304 that a message may have");
}

}  // namespace
}  // namespace ocirt::wire
