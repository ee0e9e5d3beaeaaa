// containerd's Task service, versions 2 and 3, which differ in name only. Each method is one call
// of Containers, and its answer.
//
// The containers of a pod are the supervisor's: it makes, starts and removes them, and this service
// answers for them everything else.
#pragma once

#include <string_view>

#include "src/shim/containers.h"
#include "src/wire/messages.h"
#include "src/wire/server.h"

namespace ocirt::shim {

class TaskService {
 public:
  explicit TaskService(Containers& containers) : containers_(containers) {}

  void handle(wire::Call& call);
  // Called when Shutdown was asked for and no container is left: just now (true), or before the
  // last one was removed.
  void on_shutdown(Closure<void(bool)> call) { shutdown_ = std::move(call); }
  // Whether the shim has a sandbox, whose containers come without a `start` of their own:
  // containerd 1.7 asks for the connection before it creates one.
  void ask_for_sandbox(Closure<bool()> call) { has_sandbox_ = std::move(call); }
  // Somebody else comes to make a container.
  void forget_shutdown() { shutdown_asked_ = false; }

  void create(const wire::CreateTaskRequest& request, wire::Call& call);
  void start(const wire::StartRequest& request, wire::Call& call);
  void remove(const wire::DeleteRequest& request, wire::Call& call);
  void exec(const wire::ExecProcessRequest& request, wire::Call& call);
  void resize(const wire::ResizePtyRequest& request, wire::Call& call);
  void close_io(const wire::CloseIORequest& request, wire::Call& call);
  void state(const wire::StateRequest& request, wire::Call& call);
  void kill(const wire::KillRequest& request, wire::Call& call);
  void wait(const wire::WaitRequest& request, wire::Call& call);
  void pids(const wire::PidsRequest& request, wire::Call& call);
  void pause(const wire::PauseRequest& request, wire::Call& call);
  void resume(const wire::ResumeRequest& request, wire::Call& call);
  void checkpoint(const wire::CheckpointTaskRequest& request, wire::Call& call);
  void update(const wire::UpdateTaskRequest& request, wire::Call& call);
  void stats(const wire::StatsRequest& request, wire::Call& call);
  void connect(const wire::ConnectRequest& request, wire::Call& call);
  void shutdown(const wire::ShutdownRequest& request, wire::Call& call);

 private:
  void end_if_asked(bool now);
  Containers& containers_;
  Closure<void(bool)> shutdown_;
  Closure<bool()> has_sandbox_;
  bool shutdown_asked_ = false;
};

}  // namespace ocirt::shim
