#include "src/shim/cri_sandbox.h"

#include <sched.h>

#include <cerrno>
#include <utility>

#include "src/base/text.h"
#include "src/shim/cri_place.h"
#include "src/shim/kept_process.h"
#include "src/shim/process.h"
#include "src/shim/runtime.h"
#include "src/shim/sandbox_replies.h"
#include "src/sys/file.h"
#include "src/sys/namespace.h"

namespace ocirt::shim {
namespace {

using wire::blank;
using wire::lend;

// Where ROOT/... of containerd is, which the bundle's own path does not say.
Result<CriPlaces> places_of(const std::string& bundle) {
  return cri_places(bundle, TRY(sys::read_link(sys::kCwd, cat(bundle, "/work"))));
}

}  // namespace

void CriSandbox::handle(wire::Call& call) {
  wire::dispatch(kSandboxMethods<CriSandbox>, *this, call);
}

bool CriSandbox::knows(std::string_view id, wire::Call& call) {
  if (life_ != Life::kNone && life_ != Life::kMaking && id == id_) return true;
  call.reply.fail(wire::Code::kNotFound, cat("sandbox ", quoted(id), ": not found"));
  return false;
}

// ---- making
// ---------------------------------------------------------------------------------------

void CriSandbox::create(const wire::CreateSandboxRequest& request, wire::Call& call) {
  if (life_ != Life::kNone)
    return call.reply.fail(wire::Code::kAlreadyExists, cat("sandbox ", id_, " is there already"));
  if (request.sandbox_id != id_) {
    return call.reply.fail(wire::Code::kInvalidArgument,
                           cat("the shim was started for ", id_, ", not for ", request.sandbox_id));
  }
  Result<CriPod> pod = read_cri_pod(request);
  if (!pod) return fail_sandbox(call.reply, pod.error());
  Result<CriPlaces> places = within("sandbox", places_of(bundle_));
  if (!places) return fail_sandbox(call.reply, places.error());
  if (Result<> done = within("namespaces", hold(*pod)); !done)
    return fail_sandbox(call.reply, done.error());
  pod_ = std::move(*pod);
  places_ = std::move(*places);
  life_ = Life::kMaking;
  creating_ = std::move(call.reply);
  creating_.on_gone(Callback<>::to<&CriSandbox::creator_gone>(*this));
  containers_.run(
      "create sandbox",
      [this]() -> Result<Done> {
        TRY(tell_root(containers_.runtime(), bundle_));
        return make_cri_place(pod_, places_, held_.id());
      },
      [this](Result<Done> done) { made(std::move(done)); });
}

Result<> CriSandbox::hold(const CriPod& pod) {
  if (pod.users) return {};  // a process will
  UniqueFd network;
  if (!pod.netns.empty()) network = TRY(sys::open_namespace(pod.netns, CLONE_NEWNET));
  return held_.hold(
      (pod.host_ipc ? 0U : unsigned{CLONE_NEWIPC}) | (pod.own_uts() ? unsigned{CLONE_NEWUTS} : 0U),
      network);
}

void CriSandbox::made(Result<Done> done) {
  if (!done || abandoned_) {
    why_ = done ? "the caller has gone" : done.error().text;
    return take_away();
  }
  was_made_ = true;
  pid_ = held_.id();
  if (done->pid != 0) {
    // It is in all of them.
    pid_ = done->pid;
    held_.release();
  }
  life_ = Life::kReady;
  created_at_ = wall_time();
  creating_.send(blank<wire::CreateSandboxResponse>());
}

// ---- its life
// -------------------------------------------------------------------------------------

void CriSandbox::start(const wire::StartSandboxRequest& request, wire::Call& call) {
  if (!knows(request.sandbox_id, call)) return;
  if (life_ != Life::kReady)
    return call.reply.fail(wire::Code::kFailedPrecondition, cat(id_, " has been started already"));
  life_ = Life::kStarted;
  wire::Timestamp time;
  auto answer = blank<wire::StartSandboxResponse>();
  answer.pid = static_cast<uint32_t>(pid_);
  answer.created_at = to_timestamp(created_at_, time);
  call.reply.send(answer);
}

void CriSandbox::stop(const wire::StopSandboxRequest& request, wire::Call& call) {
  if (!knows(request.sandbox_id, call)) return;
  if (life_ == Life::kReady || life_ == Life::kStarted) {
    life_ = Life::kStopped;
    stopped();
  }
  if (!pod_.has_process() || life_ != Life::kStopped)
    return call.reply.send(blank<wire::StopSandboxResponse>());
  // With it goes whoever is left in a pid namespace of its own. Asked again, since it may have
  // failed.
  containers_.run(
      "stop sandbox",
      [this]() -> Result<Done> {
        TRY(end_process(places_.first_process));
        return Done{};
      },
      [reply = std::move(call.reply)](Result<Done> done) mutable {
        if (!done) return fail_sandbox(reply, done.error());
        reply.send(blank<wire::StopSandboxResponse>());
      });
}

void CriSandbox::stopped() {
  held_.release();
  ended_at_ = wall_time();
  wire::Timestamp time;
  auto answer = blank<wire::WaitSandboxResponse>();
  answer.exited_at = to_timestamp(ended_at_, time);
  for (wire::Reply& reply : std::exchange(waiting_, {})) reply.send(answer);
}

void CriSandbox::wait(const wire::WaitSandboxRequest& request, wire::Call& call) {
  if (!knows(request.sandbox_id, call)) return;
  if (life_ == Life::kReady || life_ == Life::kStarted) {
    std::erase_if(waiting_, [](const wire::Reply& reply) { return !reply.is_awaited(); });
    waiting_.push_back(std::move(call.reply));
    return;
  }
  wire::Timestamp time;
  auto answer = blank<wire::WaitSandboxResponse>();
  answer.exited_at = to_timestamp(ended_at_, time);
  call.reply.send(answer);
}

// It is asked before every container that is created.
void CriSandbox::status(const wire::SandboxStatusRequest& request, wire::Call& call) {
  if (!knows(request.sandbox_id, call)) return;
  const bool ready = life_ == Life::kReady || life_ == Life::kStarted;
  if (!ready || has_files(pod_, places_)) return answer_status(call.reply);
  containers_.run(
      "files of the sandbox", [this] { return make_files_again(pod_, places_); },
      [this, reply = std::move(call.reply)](Result<Done> done) mutable {
        if (!done) return fail_sandbox(reply, done.error());
        answer_status(reply);
      });
}

void CriSandbox::answer_status(wire::Reply& reply) {
  const bool ready = life_ == Life::kReady || life_ == Life::kStarted;
  wire::Timestamp created, exited;
  auto answer = blank<wire::SandboxStatusResponse>();
  answer.sandbox_id = lend(id_);
  answer.pid = static_cast<uint32_t>(pid_);
  answer.state = lend(ready ? "SANDBOX_READY" : "SANDBOX_NOTREADY");
  answer.created_at = to_timestamp(created_at_, created);
  answer.exited_at = to_timestamp(ended_at_, exited);
  reply.send(answer);
}

void CriSandbox::platform(const wire::PlatformRequest&, wire::Call& call) { answer_platform(call); }

void CriSandbox::ping(const wire::PingRequest& request, wire::Call& call) {
  if (knows(request.sandbox_id, call)) call.reply.send(blank<wire::PingResponse>());
}

void CriSandbox::metrics(const wire::SandboxMetricsRequest& request, wire::Call& call) {
  if (!knows(request.sandbox_id, call)) return;
  containers_.run(
      "metrics of the sandbox", [this] { return cri_metrics(pod_, id_); },
      [reply = std::move(call.reply)](const Result<Done>& done) mutable {
        answer_metrics(reply, done);
      });
}

// ---- the end
// --------------------------------------------------------------------------------------

void CriSandbox::shutdown(const wire::ShutdownSandboxRequest& request, wire::Call& call) {
  if (life_ == Life::kNone) {
    // After a CreateSandbox that failed.
    call.reply.send(blank<wire::ShutdownSandboxResponse>());
    if (end_) end_();
    return;
  }
  if (life_ != Life::kRemoving && !knows(request.sandbox_id, call)) return;
  if (!containers_.empty()) {
    return call.reply.fail(
        wire::Code::kFailedPrecondition,
        cat("sandbox ", id_, " has the container ", containers_.all().front()->id, " still"));
  }
  removing_.push_back(std::move(call.reply));
  shut_down();
}

void CriSandbox::shut_down() {
  switch (life_) {
    case Life::kNone:
    case Life::kRemoving:
      return;
    case Life::kMaking:
      abandoned_ = true;
      return;
    case Life::kReady:
    case Life::kStarted:
      stopped();
      break;
    case Life::kStopped:
      break;
  }
  take_away();
}

void CriSandbox::take_away() {
  life_ = Life::kRemoving;
  held_.release();
  containers_.run(
      "remove sandbox",
      [this]() -> Result<Done> {
        TRY(unmake_cri_place(places_));
        return Done{};
      },
      [this](Result<Done> done) { taken(std::move(done)); });
}

void CriSandbox::taken(Result<Done> done) {
  // What is left may be tried again.
  life_ = done || !was_made_ ? Life::kNone : Life::kStopped;
  if (!was_made_) {
    if (!done) why_ += cat("; then, while undoing this: ", done.error().text);
    fail_sandbox(creating_, Error{0, why_});
  }
  for (wire::Reply& reply : std::exchange(removing_, {})) {
    if (done) {
      reply.send(blank<wire::ShutdownSandboxResponse>());
    } else {
      fail_sandbox(reply, done.error());
    }
  }
  if (life_ == Life::kNone && end_) end_();
}

}  // namespace ocirt::shim
