// A shim as containerd has it: no pod, but the containers of a group, which Create brings one by
// one. It lives as long as it has some, and ends when it was told that it may.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/shim/containers.h"
#include "src/shim/cri_sandbox.h"
#include "src/shim/daemon_log.h"
#include "src/shim/publisher.h"
#include "src/shim/shim_socket.h"
#include "src/shim/task_events.h"
#include "src/shim/task_service.h"
#include "src/shim/worker.h"
#include "src/sys/event_loop.h"
#include "src/sys/signals.h"
#include "src/wire/server.h"

namespace ocirt::shim {

// What `start` has found out.
struct ContainerdSetup {
  Runtime runtime;
  std::string name_space;
  std::string id;             // of the first container
  std::string group;          // the container of this id is its sandbox
  std::string ttrpc_address;  // of containerd; empty: nobody is told of anything
  std::string bundle;         // of the first container: working directory, and its `log`
  bool debug = false;         // every call is written to the log
  bool huge_pages = false;    // were disabled for us alone
};

class ContainerdShim {
 public:
  ContainerdShim(sys::EventLoop& loop, ContainerdSetup setup, Seat seat);
  ContainerdShim(const ContainerdShim&) = delete;
  ContainerdShim& operator=(const ContainerdShim&) = delete;

  // Blocks all signals and takes calls.
  Result<> open();
  // Says `word` to the one who has started this shim. The shim ends when the other side is closed
  // before it has answered: nobody will ask for the first container then.
  Result<> follow_starter(UniqueFd starter, std::string_view word);
  // Until it may end.
  Result<> run();

 private:
  void on_call(wire::Call& call);
  void on_signal(unsigned ready);
  void on_starter(unsigned ready);
  void expect(std::string_view id);
  void gone(std::string_view id);
  void removed(const Container& container);
  void container_ended(Container& container);
  void nobody_came();
  void kill_all();
  void remove_ended();
  void dump();
  void leave();
  void stop();

  sys::EventLoop& loop_;
  const ContainerdSetup setup_;
  Seat seat_;
  DaemonLog log_;
  std::optional<sys::SignalInbox> signals_;
  sys::Watch signals_watch_;
  UniqueFd starter_;
  sys::Watch starter_watch_;
  Workers workers_;
  Containers containers_;
  Publisher publisher_;
  TaskEvents events_;
  TaskService task_;
  CriSandbox sandbox_;
  wire::Server server_;
  sys::Timer idle_, leaving_, farewell_, ended_;
  std::vector<std::string> awaited_;  // ids of containers for which a `start` has come
  std::vector<std::string> gone_;     // of those that nobody will delete
  bool killed_ = false;               // by a signal: whatever ends is removed
  bool ending_ = false;
};

}  // namespace ocirt::shim
