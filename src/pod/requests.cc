// What people may ask of a pod that lives: to end, and to restart one of its containers.
#include <algorithm>

#include "src/base/text.h"
#include "src/pod/lifecycle.h"

namespace ocirt::pod {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

}  // namespace

void Lifecycle::stop(uint64_t grace_seconds, Instant now) {
  // More than a century is for ever, and does not overflow.
  const auto grace = static_cast<int64_t>(std::min<uint64_t>(grace_seconds, uint64_t{1} << 32));
  const int64_t deadline = now.ns + grace * kSecond;
  if (stage_ == Stage::kEnded) return;
  if (stage_ == Stage::kEnding) {
    stop_.deadline = std::min(stop_.deadline, deadline);
    stop_.at_once |= grace == 0;
  } else {
    begin_stop(StopReason::kStopped, deadline, "", now);
  }
  settle(now);
}

Result<> Lifecycle::restart(uint32_t index, Instant now) {
  if (index >= containers_.size()) return refuse("there is no such container");
  life::Container& container = containers_[index];
  const std::string& name = container.spec->name;
  if (stage_ == Stage::kCreated) return refuse("the pod has not been started");
  if (stage_ != Stage::kGoing) return refuse("the pod has ended or is about to");
  if (container.in<life::Idle>() != nullptr) {
    return refuse(cat("container ", name, " has not been started yet, its turn has not come"));
  }
  if (container.finished() && container.spec->role == Role::kInit) {
    return refuse(
        cat("init container ", name, " has done its work, the pod would have to start anew"));
  }
  if (container.in<life::Running>() != nullptr) {
    begin_stopping(container, now.ns + pod_->grace_seconds * kSecond, life::After::kRestart,
                   "a restart was asked for", now);
  } else if (auto* stopping = container.in<life::Stopping>()) {
    stopping->after = life::After::kRestart;
  } else if (auto* awaiting = container.in<life::Awaiting>()) {
    awaiting->due = now.ns;
  } else if (auto* removing = container.in<life::Removing>()) {
    removing->again = life::Awaiting{.due = now.ns};
  } else if (auto* dying = container.in<life::Dying>()) {
    dying->again = life::Awaiting{.due = now.ns};
  } else if (container.finished()) {
    container.state = life::Awaiting{.due = now.ns};
  }  // Creating, Starting: it is on its way
  settle(now);
  return {};
}

}  // namespace ocirt::pod
