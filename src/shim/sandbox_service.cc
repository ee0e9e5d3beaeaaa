#include "src/shim/sandbox_service.h"

#include <cerrno>
#include <utility>

#include "src/base/text.h"
#include "src/shim/pod_place.h"
#include "src/shim/process.h"
#include "src/shim/sandbox_replies.h"
#include "src/sys/file.h"
#include "src/wire/any.h"

namespace ocirt::shim {
namespace {

using wire::blank;
using wire::lend;

void answer_wait(wire::Reply& reply, bool success, const timespec& at) {
  wire::Timestamp time;
  auto answer = blank<wire::WaitSandboxResponse>();
  answer.exit_status = success ? 0 : 1;
  answer.exited_at = to_timestamp(at, time);
  reply.send(answer);
}

}  // namespace

std::vector<std::string> addresses_in(std::string_view network_json) {
  std::vector<std::string> all;
  Result<net::PodNetwork> network = net::read_pod_network(network_json);
  if (!network) return all;
  for (const std::string& address : network->addresses)
    all.emplace_back(net::without_length(address));
  return all;
}

SandboxService::SandboxService(Containers& containers, pod::Layout layout)
    : containers_(containers), layout_(std::move(layout)) {}

void SandboxService::handle(wire::Call& call) {
  wire::dispatch(kSandboxMethods<SandboxService>, *this, call);
}

Result<> SandboxService::check_id(std::string_view id) const {
  if (!pod_ || phase_ == Life::kMaking || id != pod_->name)
    return std::unexpected(Error{ENOENT, cat("pod ", quoted(id), ": not found")});
  if (phase_ == Life::kRemoving)
    return std::unexpected(Error{EBUSY, cat("pod ", id, " is being removed")});
  return {};
}

// ---- making
// ---------------------------------------------------------------------------------------

void SandboxService::create(const wire::CreateSandboxRequest& request, wire::Call& call) {
  if (phase_ != Life::kNone) {
    return call.reply.fail(wire::Code::kAlreadyExists,
                           cat("this shim has a pod already: ", pod_ ? pod_->name : ""));
  }
  if (!wire::is_a(request.options, wire::kPodUrl)) {
    return call.reply.fail(wire::Code::kUnimplemented,
                           cat("not supported: a sandbox with other options than ", wire::kPodUrl));
  }
  Result<pod::Pod> pod = pod::read_pod(wire::view(request.options->value));
  if (!pod) return call.reply.fail(wire::Code::kInvalidArgument, pod.error().text);
  if (!layout_.directory().ends_with(cat("/", pod->name))) {
    return call.reply.fail(wire::Code::kInvalidArgument,
                           cat("the pod is ", pod->name, ", its directory ", layout_.directory()));
  }
  pod_ = std::move(*pod);
  containers_.use_cgroups(!pod_->cgroup.empty());
  phase_ = Life::kMaking;
  creating_ = std::move(call.reply);
  creating_.on_gone(Callback<>::to<&SandboxService::creator_gone>(*this));
  containers_.run(
      "create pod",
      [this]() -> Result<Done> {
        const net::PodNetwork network = TRY(make_place(*pod_, layout_));
        Done done;
        done.text = net::write_pod_network(network);
        return done;
      },
      [this](Result<Done> done) { made(std::move(done)); });
}

// The worker is not killed: its ocirt-net may go on for a moment, and make what has been undone by
// then.
void SandboxService::creator_gone() { abandoned_ = true; }

void SandboxService::made(Result<Done> done) {
  if (done && !abandoned_) {
    supervise(addresses_in(done->text));
    Result<> opened = supervisor_->open();
    if (opened)
      opened = sys::write_file_atomically(sys::kCwd, layout_.complete(),
                                          cat(layout_.complete(), ".new"), done->text, 0600);
    if (opened) {
      phase_ = Life::kReady;
      created_at_ = wall_time();
      return creating_.send(blank<wire::CreateSandboxResponse>());
    }
    done = std::unexpected(opened.error());
  }
  Error why = done ? Error{0, "the caller has gone"} : done.error();
  take_away([this, why](Result<Done> undone) mutable {
    if (!undone) why.text += cat("; then, while undoing this: ", undone.error().text);
    fail_sandbox(creating_, why);
    if (end_) end_();
  });
}

void SandboxService::supervise(std::vector<std::string> ips) {
  supervisor_ = std::make_unique<Supervisor>(containers_, *pod_, layout_, std::move(ips));
  supervisor_->on_ended([this] { ended(); });
}

Result<> SandboxService::adopt() {
  const std::string json = TRY(sys::read_file(sys::kCwd, layout_.pod_json()));
  pod_ = TRY(pod::read_pod(json));
  containers_.use_cgroups(!pod_->cgroup.empty());
  Result<std::string> network = sys::read_file(sys::kCwd, layout_.complete());
  if (!network) {
    return refuse(cat("pod ", pod_->name,
                      " was never complete, or is half removed; `ocirt-pod rm --force ", pod_->name,
                      "` takes away what there is of it"));
  }
  supervise(addresses_in(*network));
  TRY(supervisor_->open());
  phase_ = Life::kStarted;
  if (sys::is_absent(sys::kCwd, layout_.state_json())) {
    phase_ = Life::kReady;  // it was never started
    return {};
  }
  TRY(supervisor_->adopt());
  if (supervisor_->has_ended()) ended();
  return {};
}

// ---- the life of the pod
// ----------------------------------------------------------------------------

void SandboxService::start(const wire::StartSandboxRequest& request, wire::Call& call) {
  if (Result<> known = check_id(request.sandbox_id); !known) return call.reply.fail(known.error());
  if (phase_ != Life::kReady) {
    return call.reply.fail(wire::Code::kFailedPrecondition,
                           cat("pod ", pod_->name, " has been started already"));
  }
  phase_ = Life::kStarted;
  starting_ = std::move(call.reply);
  supervisor_->on_launched([this](const std::string& why) {
    if (!why.empty()) return starting_.fail(wire::Code::kUnknown, why);
    wire::Timestamp time;
    auto answer = blank<wire::StartSandboxResponse>();
    answer.created_at = to_timestamp(created_at_, time);
    starting_.send(answer);
  });
  supervisor_->start();
}

void SandboxService::ended() {
  if (phase_ != Life::kRemoving) phase_ = Life::kEnded;
  ended_at_ = wall_time();
  const bool success = supervisor_->status().phase == pod::Phase::kSucceeded;
  for (wire::Reply& reply : std::exchange(waiting_, {})) answer_wait(reply, success, ended_at_);
  for (wire::Reply& reply : std::exchange(stopping_, {}))
    reply.send(blank<wire::StopSandboxResponse>());
  if (starting_.is_awaited()) starting_.fail(wire::Code::kUnknown, "the pod was stopped");
  if (phase_ == Life::kRemoving) take_away([this](Result<Done> done) { removed(std::move(done)); });
}

void SandboxService::stop(const wire::StopSandboxRequest& request, wire::Call& call) {
  if (Result<> known = check_id(request.sandbox_id); !known) return call.reply.fail(known.error());
  if (phase_ == Life::kEnded) return call.reply.send(blank<wire::StopSandboxResponse>());
  stopping_.push_back(std::move(call.reply));
  supervisor_->stop(request.timeout_secs);
}

void SandboxService::wait(const wire::WaitSandboxRequest& request, wire::Call& call) {
  if (Result<> known = check_id(request.sandbox_id); !known) return call.reply.fail(known.error());
  if (phase_ == Life::kEnded) {
    const bool success = supervisor_->status().phase == pod::Phase::kSucceeded;
    return answer_wait(call.reply, success, ended_at_);
  }
  std::erase_if(waiting_, [](const wire::Reply& reply) { return !reply.is_awaited(); });
  waiting_.push_back(std::move(call.reply));
}

void SandboxService::status(const wire::SandboxStatusRequest& request, wire::Call& call) {
  if (Result<> known = check_id(request.sandbox_id); !known) return call.reply.fail(known.error());
  wire::Timestamp created, exited;
  auto answer = blank<wire::SandboxStatusResponse>();
  answer.sandbox_id = request.sandbox_id;
  answer.state = lend(phase_ == Life::kEnded ? "SANDBOX_NOTREADY" : "SANDBOX_READY");
  answer.created_at = to_timestamp(created_at_, created);
  answer.exited_at = to_timestamp(ended_at_, exited);
  wire::Rows<wire::SandboxInfo> info;
  std::string pod;
  if (request.verbose != 0) {
    pod = pod::write_status(supervisor_->status());
    wire::SandboxInfo& row = info.add();
    row.key = lend("pod");
    row.value = lend(pod);
  }
  answer.n_info = info.size();
  answer.info = info.lend();
  call.reply.send(answer);
}

void SandboxService::platform(const wire::PlatformRequest&, wire::Call& call) {
  answer_platform(call);
}

void SandboxService::ping(const wire::PingRequest& request, wire::Call& call) {
  if (Result<> known = check_id(request.sandbox_id); !known) return call.reply.fail(known.error());
  call.reply.send(blank<wire::PingResponse>());
}

void SandboxService::metrics(const wire::SandboxMetricsRequest& request, wire::Call& call) {
  if (Result<> known = check_id(request.sandbox_id); !known) return call.reply.fail(known.error());
  containers_.run(
      "metrics of the pod", [this] { return pod_metrics(*pod_); },
      [reply = std::move(call.reply)](const Result<Done>& done) mutable {
        answer_metrics(reply, done);
      });
}

void SandboxService::reopen_logs() {
  if (supervisor_) supervisor_->reopen_logs();
}

// ---- removing
// ---------------------------------------------------------------------------------------

void SandboxService::shutdown(const wire::ShutdownSandboxRequest& request, wire::Call& call) {
  if (phase_ == Life::kNone) {
    call.reply.send(blank<wire::ShutdownSandboxResponse>());
    if (end_) end_();
    return;
  }
  if (phase_ != Life::kRemoving) {
    if (Result<> known = check_id(request.sandbox_id); !known)
      return call.reply.fail(known.error());
  }
  removing_.push_back(std::move(call.reply));
  shut_down();
}

void SandboxService::shut_down() {
  switch (phase_) {
    case Life::kNone:
      if (end_) end_();
      return;
    case Life::kMaking:
      abandoned_ = true;
      return;
    case Life::kRemoving:
      return;
    case Life::kEnded:
      phase_ = Life::kRemoving;
      return take_away([this](Result<Done> done) { removed(std::move(done)); });
    case Life::kReady:
    case Life::kStarted:
      phase_ = Life::kRemoving;
      return supervisor_->stop(pod_->grace_seconds);
  }
}

void SandboxService::take_away(Closure<void(Result<Done>)> finished) {
  containers_.run(
      "remove pod",
      [this]() -> Result<Done> {
        TRY(unmake_place(*pod_, layout_));
        // From here on it is a pod that is not complete: if the rest of its files cannot be
        // removed, or we are killed, the next command of ocirt-pod takes them away.
        Result<> gone = sys::unlink(sys::kCwd, layout_.complete());
        if (!gone && gone.error().code != ENOENT) return std::unexpected(gone.error());
        TRY(remove_directory(layout_));
        return Done{};
      },
      std::move(finished));
}

void SandboxService::removed(Result<Done> done) {
  const bool may_be_tried_again = !done && !sys::is_absent(sys::kCwd, layout_.complete());
  if (may_be_tried_again) phase_ = Life::kEnded;
  // Before the answers: who has one finds nobody listening here.
  if (!may_be_tried_again && end_) end_();
  for (wire::Reply& reply : std::exchange(removing_, {})) {
    if (done) {
      reply.send(blank<wire::ShutdownSandboxResponse>());
    } else {
      fail_sandbox(reply, done.error());
    }
  }
}

}  // namespace ocirt::shim
