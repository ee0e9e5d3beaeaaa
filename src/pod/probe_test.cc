#include "src/pod/probe.h"

#include <gtest/gtest.h>

namespace ocirt::pod {
namespace {

using Verdict = Probing::Verdict;
constexpr int64_t kSecond = 1'000'000'000;

Probe thresholds(uint32_t success, uint32_t failure) {
  Probe probe;
  probe.success_threshold = success;
  probe.failure_threshold = failure;
  return probe;
}

TEST(Probing, ReachesAVerdictOncePerSeries) {
  Probing probing;
  const Probe probe = thresholds(1, 3);
  EXPECT_EQ(probing.verdict(), Verdict::kNone);
  EXPECT_EQ(probing.answer(probe, false), Verdict::kNone);
  EXPECT_EQ(probing.answer(probe, false), Verdict::kNone);
  EXPECT_EQ(probing.answer(probe, true), Verdict::kPassed);
  EXPECT_EQ(probing.answer(probe, true), Verdict::kNone);
  EXPECT_EQ(probing.answer(probe, false), Verdict::kNone);
  EXPECT_EQ(probing.in_a_row(), 1u);
  EXPECT_EQ(probing.answer(probe, false), Verdict::kNone);
  EXPECT_EQ(probing.in_a_row(), 2u);
  EXPECT_EQ(probing.verdict(), Verdict::kPassed) << "until the threshold is reached";
  EXPECT_EQ(probing.answer(probe, false), Verdict::kFailed);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(probing.answer(probe, false), Verdict::kNone);
  EXPECT_EQ(probing.in_a_row(), 8u);
  EXPECT_EQ(probing.verdict(), Verdict::kFailed);
  EXPECT_EQ(probing.answer(probe, true), Verdict::kPassed);
}

TEST(Probing, OneAnswerIsEnoughWhereTheThresholdIsOne) {
  Probing probing;
  const Probe probe = thresholds(1, 1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(probing.answer(probe, false), Verdict::kFailed);
    EXPECT_EQ(probing.in_a_row(), 1u);
    EXPECT_EQ(probing.answer(probe, false), Verdict::kNone);
    EXPECT_EQ(probing.in_a_row(), 2u);
    EXPECT_EQ(probing.answer(probe, true), Verdict::kPassed);
  }
}

TEST(Probing, AsksFromTheStartOnAndThenOncePerPeriod) {
  Probe probe;
  probe.initial_delay_seconds = 5;
  probe.period_seconds = 10;
  Probing probing;
  const int64_t started = 100 * kSecond;
  EXPECT_EQ(probing.due(probe, started), 105 * kSecond);
  EXPECT_FALSE(probing.is_due(probe, started, 105 * kSecond - 1));
  EXPECT_TRUE(probing.is_due(probe, started, 105 * kSecond));
  probing.ask(106 * kSecond);
  EXPECT_FALSE(probing.is_due(probe, started, 200 * kSecond)) << "an answer is awaited";
  probing.answer(probe, true);
  EXPECT_EQ(probing.due(probe, started), 116 * kSecond) << "from question to question";
}

TEST(Probing, LongPeriodsDoNotOverflow) {
  Probe probe;
  probe.initial_delay_seconds = UINT32_MAX;
  probe.period_seconds = UINT32_MAX;
  Probing probing;
  EXPECT_EQ(probing.due(probe, 0), int64_t{UINT32_MAX} * kSecond);
  probing.ask(kSecond);
  EXPECT_EQ(probing.due(probe, 0), (int64_t{UINT32_MAX} + 1) * kSecond);
}

TEST(Probing, EachKindHasItsPlace) {
  Container container;
  container.startup.emplace().period_seconds = 1;
  container.liveness.emplace().period_seconds = 2;
  container.readiness.emplace().period_seconds = 3;
  EXPECT_EQ(probe_of(container, ProbeKind::kStartup)->period_seconds, 1u);
  EXPECT_EQ(probe_of(container, ProbeKind::kLiveness)->period_seconds, 2u);
  EXPECT_EQ(probe_of(container, ProbeKind::kReadiness)->period_seconds, 3u);
  container.liveness.reset();
  EXPECT_EQ(probe_of(container, ProbeKind::kLiveness), nullptr);
}

}  // namespace
}  // namespace ocirt::pod
