#include "src/shim/process.h"

#include <algorithm>
#include <utility>

namespace ocirt::shim {

timespec wall_time() {
  const auto since = sys::wall_now();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((since - seconds).count())};
}

wire::Timestamp* to_timestamp(const timespec& time, wire::Timestamp& room) {
  if (time.tv_sec == 0) return nullptr;
  room = wire::blank<wire::Timestamp>();
  room.seconds = time.tv_sec;
  room.nanos = static_cast<int32_t>(time.tv_nsec);
  return &room;
}

wire::WaitResponse wait_response(const Ending& ending, wire::Timestamp& time) {
  wire::WaitResponse answer = wire::blank<wire::WaitResponse>();
  answer.exit_status = ending.code();
  answer.exited_at = to_timestamp(ending.at, time);
  return answer;
}

void Process::tell() {
  wire::Timestamp time;
  const wire::WaitResponse answer = wait_response(ending, time);
  for (wire::Reply& reply : std::exchange(waiting_, {})) reply.send(answer);
}

void Process::refuse_waiting() {
  for (wire::Reply& reply : std::exchange(waiting_, {}))
    reply.fail(wire::Code::kNotFound, "the process was deleted before it was started");
}

bool Process::is_abandoned() const {
  return !waiting_.empty() && std::ranges::none_of(waiting_, &wire::Reply::is_awaited);
}

void Process::wait_for(wire::Reply reply) {
  // Those whose client has gone leave no trace.
  std::erase_if(waiting_, [](const wire::Reply& other) { return !other.is_awaited(); });
  waiting_.push_back(std::move(reply));
  if (phase == Phase::kStopped) tell();
}

}  // namespace ocirt::shim
