#include "src/wire/envelope.h"

#include <gtest/gtest.h>

#include <string>

#include "src/wire/frame.h"

namespace ocirt::wire {
namespace {

using namespace std::string_literals;

TEST(Envelope, ARequestIsWhatContainerdSends) {
  // `ctr --namespace x shim --id c1 state`, containerd 1.6.20
  EXPECT_EQ(*request_frame(1,
                           {"containerd.task.v2.Task",
                            "State",
                            "\x0a\x02"
                            "c1",
                            {}},
                           {}),
            "\x00\x00\x00\x26\x00\x00\x00\x01\x01\x00\x0a\x17"
            "containerd.task.v2.Task\x12\x05State\x1a\x04\x0a\x02"
            "c1"s);
}

TEST(Envelope, ARequestWithDeadlineAndNamespace) {
  EXPECT_EQ(*request_frame(3, {"s", "m", {}, "k8s.io"}, sys::Nanoseconds(300)),
            "\x00\x00\x00\x2f\x00\x00\x00\x03\x01\x00"
            "\x0a\x01s\x12\x01m\x20\xac\x02"
            "\x2a\x24\x0a\x1a"
            "containerd-namespace-ttrpc\x12\x06k8s.io"s);
}

TEST(Envelope, Answers) {
  EXPECT_EQ(answer_frame(5, "p"), "\x00\x00\x00\x03\x00\x00\x00\x05\x02\x00\x12\x01p"s);
  EXPECT_EQ(answer_frame(5, ""), "\x00\x00\x00\x00\x00\x00\x00\x05\x02\x00"s);
  EXPECT_EQ(refusal_frame(7, Code::kNotFound, "no"),
            "\x00\x00\x00\x08\x00\x00\x00\x07\x02\x00\x0a\x06\x08\x05\x12\x02no"s);
}

Answer read(const std::string& frame) { return *read_answer(frame.substr(kHeaderSize)); }

TEST(Envelope, AnswersAreReadAsTheyWereWritten) {
  EXPECT_EQ(read(answer_frame(1, "payload")).payload, "payload");
  const Answer refusal = read(refusal_frame(1, Code::kAborted, "why"));
  EXPECT_EQ(refusal.code, Code::kAborted);
  EXPECT_EQ(refusal.text, "why");
  // A status that says ok is none; details are passed over.
  EXPECT_EQ(read_answer("\x0a\x00\x12\x01x"s)->payload, "x");
  EXPECT_EQ(read_answer("\x0a\x06\x08\x05\x1a\x02\x0a\x00"s)->code, Code::kNotFound);
  EXPECT_FALSE(read_answer("\x0a\x09"));
}

TEST(Envelope, WhatIsTooLongIsNotSent) {
  const std::string big(kMaxPayload, 'x');
  EXPECT_FALSE(request_frame(1, {"s", "m", big, {}}, {}));
  const Answer answer = read(answer_frame(1, big));
  EXPECT_EQ(answer.code, Code::kResourceExhausted);
  // The most that fits: the payload's own number and length take five bytes.
  EXPECT_EQ(answer_frame(1, big.substr(5)).size(), kHeaderSize + kMaxPayload);
}

TEST(Envelope, ARefusalIsAlwaysAText) {
  EXPECT_EQ(read(refusal_frame(1, Code::kUnknown, "caf\xc3\xa9")).text, "caf\xc3\xa9");
  EXPECT_EQ(read(refusal_frame(1, Code::kUnknown, "open \xff: \xc3\xa9")).text, "open ?: ??");
  EXPECT_EQ(read(refusal_frame(1, Code::kUnknown, std::string(kMaxPayload, 'x'))).text.size(),
            65536u);
  EXPECT_EQ(read(refusal_frame(1, Code::kUnknown, "cut\0off"s)).text, "cut");
}

}  // namespace
}  // namespace ocirt::wire
