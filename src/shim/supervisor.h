// The pod's life, carried out: tells the machine of pod/lifecycle.h what has happened and does what
// it says. No decision is made here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/pod/lifecycle.h"
#include "src/pod/paths.h"
#include "src/pod/pod.h"
#include "src/shim/containers.h"
#include "src/shim/event_log.h"
#include "src/shim/oom.h"
#include "src/shim/streams.h"
#include "src/sys/event_loop.h"

namespace ocirt::shim {

class Supervisor {
 public:
  // `ips`: addresses of the pod, for its status and its probes.
  Supervisor(Containers& containers, pod::Pod pod, pod::Layout layout,
             std::vector<std::string> ips);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Opens the logs.
  Result<> open();
  // Goes on with what a shim before us has left.
  Result<> adopt();

  void start();
  void stop(uint64_t grace_seconds);
  Result<> restart(std::string_view container);
  bool has_ended() const { return life_->has_ended(); }
  pod::PodStatus status() const;
  const pod::Pod& pod() const { return pod_; }
  void reopen_logs();

  // The answer to start(), once: empty, or why it failed.
  void on_launched(Closure<void(const std::string&)> call) { launched_ = std::move(call); }
  void on_ended(Closure<void()> call) { ended_ = std::move(call); }

 private:
  // Carries out what the machine wants, and arms the timer.
  void go_on();
  void perform(pod::Create& action);
  void perform(pod::Start& action);
  void perform(pod::Signal& action);
  void perform(pod::Kill& action);
  void perform(pod::Remove& action);
  void perform(pod::RunProbe& action);
  void perform(pod::RunHandler& action);
  void perform(pod::Publish& action);
  void perform(pod::Launched& action);
  void perform(pod::LaunchFailed& action);
  void perform(pod::Ended& action);

  void make(pod::Instance of);
  // What there is of a container, whoever has made it.
  void take_away(uint32_t container, Containers::Finished finished);
  void container_ended(Container& container);
  void end_handlers(pod::Instance of);
  void due();
  void save();
  // The container of this instance, if it is still the one that exists.
  Container* container_of(pod::Instance of);
  std::string netns() const;
  std::string address() const;

  Containers& containers_;
  const pod::Pod pod_;
  const pod::Layout layout_;
  std::optional<pod::Lifecycle> life_;
  std::vector<std::unique_ptr<ContainerLog>> logs_;  // as pod_.containers
  EventLog events_;
  OomWatches oom_;
  std::vector<bool> left_;  // as pod_.containers: something of it could not be removed
  std::vector<std::string> ips_;
  struct HandlerWorker {
    pod::Instance of;
    pod::HandlerKind kind;
    pid_t worker;
  };
  std::vector<HandlerWorker> handlers_;
  sys::Timer timer_;
  Closure<void(const std::string&)> launched_;
  Closure<void()> ended_;
  size_t saved_ = 0;      // hash of the text in state.json
  bool unsaved_ = false;  // what could not be written
  bool going_on_ = false;
};

}  // namespace ocirt::shim
