// What happens to containers, as containerd's events (containerd.events, topics "/tasks/..."), and
// processes that the kernel has killed for their memory, which are told of before their end.
#pragma once

#include <string>
#include <string_view>

#include "src/base/closure.h"
#include "src/shim/containers.h"
#include "src/shim/daemon_log.h"
#include "src/shim/oom.h"
#include "src/shim/publisher.h"

namespace ocirt::shim {

class TaskEvents final : public Observer {
 public:
  // `removed` is called for each container that has been taken away.
  TaskEvents(sys::EventLoop& loop, Publisher& publisher, DaemonLog& log,
             Closure<void(const Container&)> removed);
  virtual ~TaskEvents() = default;

  // CRI-O takes no events: it looks for a file "oom" in the bundle.
  void tell_oom_by_file(Containers& containers) { containers_ = &containers; }

  void created(const Container& container) override;
  void exec_added(const Container& container, const Process& process) override;
  void started(const Container& container, const Process& process) override;
  void paused(const Container& container) override;
  void resumed(const Container& container) override;
  void ended(const Container& container, const Process& process) override;
  void removed(const Container& container) override;
  void warned(std::string_view text) override;

 private:
  void out_of_memory(const std::string& id);
  template <wire::Message M>
  void publish(std::string_view topic, const M& event);

  Publisher& publisher_;
  DaemonLog& log_;
  OomWatches oom_;
  Closure<void(const Container&)> removed_;
  Containers* containers_ = nullptr;
};

}  // namespace ocirt::shim
