// containerd's Sandbox service for pods through CRI without a pause container (`sandboxer =
// "shim"`). The containers of the pod come by the Task service, as everywhere; what they share is
// here. No process is behind it, unless they share a pid or a user namespace (cri_pod.h).
//
// - CreateSandbox makes everything; on failure, and when the caller has gone before it is answered,
//   all is undone and the shim ends.
// - StartSandbox and SandboxStatus answer an id at whose /proc/ID/ns the pod's namespaces are.
// - StopSandbox lets the namespaces go, whose network containerd takes away next; WaitSandbox ends
//   then.
// - ShutdownSandbox takes the rest away and ends the shim. It is refused while containers are
//   there.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "src/shim/containers.h"
#include "src/shim/cri_pod.h"
#include "src/sys/held_namespaces.h"
#include "src/wire/messages.h"
#include "src/wire/server.h"

namespace ocirt::shim {

class CriSandbox {
 public:
  // `id` and `bundle` are what the shim was started with.
  CriSandbox(Containers& containers, std::string id, std::string bundle)
      : containers_(containers), id_(std::move(id)), bundle_(std::move(bundle)) {}
  CriSandbox(const CriSandbox&) = delete;
  CriSandbox& operator=(const CriSandbox&) = delete;

  void handle(wire::Call& call);
  // Called when it was taken away, or could not be made.
  void on_end(Closure<void()> call) { end_ = std::move(call); }
  // There is one: the shim has to stay.
  bool holds() const { return life_ != Life::kNone; }
  // Takes it away, for a signal.
  void shut_down();

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
  enum class Life : uint8_t { kNone, kMaking, kReady, kStarted, kStopped, kRemoving };

  bool knows(std::string_view id, wire::Call& call);
  Result<> hold(const CriPod& pod);
  void made(Result<Done> done);
  void creator_gone() { abandoned_ = true; }
  void stopped();
  void answer_status(wire::Reply& reply);
  void take_away();
  void taken(Result<Done> done);

  Containers& containers_;
  const std::string id_, bundle_;
  Life life_ = Life::kNone;
  bool abandoned_ = false;  // by who asked for it
  bool was_made_ = false;
  CriPod pod_;
  CriPlaces places_;
  sys::HeldNamespaces held_;
  pid_t pid_ = 0;
  std::string why_;  // it could not be made
  wire::Reply creating_;
  std::vector<wire::Reply> waiting_, removing_;
  timespec created_at_ = {}, ended_at_ = {};
  Closure<void()> end_;
};

}  // namespace ocirt::shim
