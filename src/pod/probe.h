// When a container is asked how it is, and what a series of answers means. The asking is the
// shim's; this is the counting.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "oci-spec/enumeration.h"
#include "src/pod/pod.h"

namespace ocirt::pod {

enum class ProbeKind : uint8_t { kLiveness, kReadiness, kStartup };
inline constexpr std::string_view kProbeKindNames[] = {"liveness", "readiness", "startup"};
constexpr std::span<const std::string_view> names_of(ProbeKind) { return kProbeKindNames; }
inline constexpr ProbeKind kProbeKinds[] = {ProbeKind::kLiveness, ProbeKind::kReadiness,
                                            ProbeKind::kStartup};

// The container's probe of that kind, or nullptr.
const Probe* probe_of(const Container& container, ProbeKind kind);

// One probe of one instance.
class Probing {
 public:
  enum class Verdict : uint8_t { kNone, kPassed, kFailed };

  // `now` and `started` in nanoseconds; `started` is the start of the container.
  // Is it time to ask? Never while an answer is awaited.
  bool is_due(const Probe& probe, int64_t started, int64_t now) const {
    return !asked_ && now >= due(probe, started);
  }
  bool is_asked() const { return asked_; }
  // When to ask next.
  int64_t due(const Probe& probe, int64_t started) const;

  void ask(int64_t now);
  // The answer. Returns the verdict when this answer completes a series that is as long as the
  // threshold, once for each series, else kNone.
  Verdict answer(const Probe& probe, bool success);
  // How many answers in a row were the same as the last one, which counts.
  uint32_t in_a_row() const { return in_a_row_; }

  // The last verdict.
  Verdict verdict() const { return verdict_; }
  void set_verdict(Verdict verdict) { verdict_ = verdict; }

 private:
  int64_t last_asked_ = 0;  // 0: never
  uint32_t in_a_row_ = 0;   // equal answers
  bool last_ = false;       // that answer
  bool asked_ = false;
  Verdict verdict_ = Verdict::kNone;
};

}  // namespace ocirt::pod
