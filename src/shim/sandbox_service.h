// containerd's Sandbox service, by which ocirt-pod makes, starts, watches, stops and removes a pod.
// One shim has one sandbox. Where containerd leaves something open, what ocirt-pod does:
//
// - CreateSandbox has the pod as options (wire::kPodUrl). It makes everything but the containers;
// on
//   failure, and when the caller has gone before it is answered, all is undone and the shim ends.
// - StartSandbox answers when all app containers have been started, or why one cannot be.
// - StopSandbox waits for the end; `timeout_secs` is the grace period, 0 kills at once.
// - SandboxStatus with `verbose` has the pod's status in info["pod"] (pod/status.h).
// - ShutdownSandbox stops the pod, takes everything away, its directory too, and ends the shim.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/net/pod_request.h"
#include "src/pod/paths.h"
#include "src/shim/containers.h"
#include "src/shim/supervisor.h"
#include "src/wire/messages.h"
#include "src/wire/server.h"

namespace ocirt::shim {

class SandboxService {
 public:
  SandboxService(Containers& containers, pod::Layout layout);
  SandboxService(const SandboxService&) = delete;
  SandboxService& operator=(const SandboxService&) = delete;

  void handle(wire::Call& call);
  // Called when there is nothing left to serve: the pod was removed, or could not be made.
  void on_end(Closure<void()> call) { end_ = std::move(call); }
  // Takes over what another shim has left.
  Result<> adopt();
  // As ShutdownSandbox, for a signal.
  void shut_down();
  void reopen_logs();
  bool has_pod() const { return phase_ != Life::kNone; }

  void create(const wire::CreateSandboxRequest& request, wire::Call& call);
  void start(const wire::StartSandboxRequest& request, wire::Call& call);
  void platform(const wire::PlatformRequest& request, wire::Call& call);
  void stop(const wire::StopSandboxRequest& request, wire::Call& call);
  void wait(const wire::WaitSandboxRequest& request, wire::Call& call);
  void status(const wire::SandboxStatusRequest& request, wire::Call& call);
  void ping(const wire::PingRequest& request, wire::Call& call);
  void shutdown(const wire::ShutdownSandboxRequest& request, wire::Call& call);
  void metrics(const wire::SandboxMetricsRequest& request, wire::Call& call);

 private:
  enum class Life : uint8_t { kNone, kMaking, kReady, kStarted, kEnded, kRemoving };

  Result<> check_id(std::string_view id) const;
  void made(Result<Done> done);
  void creator_gone();
  void supervise(std::vector<std::string> ips);
  void ended();
  void take_away(Closure<void(Result<Done>)> finished);
  void removed(Result<Done> done);

  Containers& containers_;
  const pod::Layout layout_;
  Life phase_ = Life::kNone;
  bool abandoned_ = false;  // by who asked for it while it was being made
  std::optional<pod::Pod> pod_;
  std::unique_ptr<Supervisor> supervisor_;
  wire::Reply creating_, starting_;
  std::vector<wire::Reply> waiting_, stopping_, removing_;
  timespec created_at_ = {}, ended_at_ = {};
  Closure<void()> end_;
};

// The addresses of a pod without the lengths of their networks, as what ocirt-net answered has
// them.
std::vector<std::string> addresses_in(std::string_view network_json);

}  // namespace ocirt::shim
