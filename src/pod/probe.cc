#include "src/pod/probe.h"

#include <algorithm>

namespace ocirt::pod {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

}  // namespace

const Probe* probe_of(const Container& container, ProbeKind kind) {
  const std::optional<Probe>* probe = nullptr;
  switch (kind) {
    case ProbeKind::kLiveness:
      probe = &container.liveness;
      break;
    case ProbeKind::kReadiness:
      probe = &container.readiness;
      break;
    case ProbeKind::kStartup:
      probe = &container.startup;
      break;
  }
  return *probe ? &**probe : nullptr;
}

int64_t Probing::due(const Probe& probe, int64_t started) const {
  // The period is from question to question. A slow answer delays the next question but does not
  // move the others.
  if (last_asked_ != 0) return last_asked_ + probe.period_seconds * kSecond;
  return started + probe.initial_delay_seconds * kSecond;
}

void Probing::ask(int64_t now) {
  asked_ = true;
  last_asked_ = std::max<int64_t>(now, 1);
}

Probing::Verdict Probing::answer(const Probe& probe, bool success) {
  asked_ = false;
  if (in_a_row_ != 0 && last_ != success) in_a_row_ = 0;
  last_ = success;
  const uint32_t threshold = success ? probe.success_threshold : probe.failure_threshold;
  if (in_a_row_ < UINT32_MAX) ++in_a_row_;
  if (in_a_row_ != threshold) return Verdict::kNone;
  verdict_ = success ? Verdict::kPassed : Verdict::kFailed;
  return verdict_;
}

}  // namespace ocirt::pod
