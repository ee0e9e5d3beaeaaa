#include "src/shim/task_events.h"

#include <utility>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::shim {

using wire::blank;
using wire::lend;

TaskEvents::TaskEvents(sys::EventLoop& loop, Publisher& publisher, DaemonLog& log,
                       Closure<void(const Container&)> removed)
    : publisher_(publisher),
      log_(log),
      oom_(loop,
           [this](const std::string& id) {
             if (oom_.take_kills(id)) out_of_memory(id);
           }),
      removed_(std::move(removed)) {}

template <wire::Message M>
void TaskEvents::publish(std::string_view topic, const M& event) {
  publisher_.publish(topic, wire::any_of(event));
}

void TaskEvents::created(const Container& container) {
  oom_.watch(container.id, container.memory_file);
  auto io = blank<wire::TaskIO>();
  io.stdin = lend(container.init.paths.in);
  io.stdout = lend(container.init.paths.out);
  io.stderr = lend(container.init.paths.err);
  io.terminal = container.init.paths.terminal ? 1 : 0;
  auto event = blank<wire::TaskCreate>();
  event.container_id = lend(container.id);
  event.bundle = lend(container.bundle);
  event.io = &io;
  event.pid = static_cast<uint32_t>(container.init.pid);
  publish("/tasks/create", event);
}

void TaskEvents::exec_added(const Container& container, const Process& process) {
  auto event = blank<wire::TaskExecAdded>();
  event.container_id = lend(container.id);
  event.exec_id = lend(process.exec_id);
  publish("/tasks/exec-added", event);
}

void TaskEvents::started(const Container& container, const Process& process) {
  if (process.is_init()) {
    auto event = blank<wire::TaskStart>();
    event.container_id = lend(container.id);
    event.pid = static_cast<uint32_t>(process.pid);
    return publish("/tasks/start", event);
  }
  auto event = blank<wire::TaskExecStarted>();
  event.container_id = lend(container.id);
  event.exec_id = lend(process.exec_id);
  event.pid = static_cast<uint32_t>(process.pid);
  publish("/tasks/exec-started", event);
}

void TaskEvents::paused(const Container& container) {
  auto event = blank<wire::TaskPaused>();
  event.container_id = lend(container.id);
  publish("/tasks/paused", event);
}

void TaskEvents::resumed(const Container& container) {
  auto event = blank<wire::TaskResumed>();
  event.container_id = lend(container.id);
  publish("/tasks/resumed", event);
}

void TaskEvents::ended(const Container& container, const Process& process) {
  // The process's end may be known before its reason is.
  if (oom_.take_kills(container.id)) out_of_memory(container.id);
  wire::Timestamp time;
  auto event = blank<wire::TaskExit>();
  event.container_id = lend(container.id);
  event.id = process.is_init() ? lend(container.id) : lend(process.exec_id);
  event.pid = static_cast<uint32_t>(process.pid);
  event.exit_status = process.ending.code();
  event.exited_at = to_timestamp(process.ending.at, time);
  publish("/tasks/exit", event);
}

void TaskEvents::removed(const Container& container) {
  oom_.forget(container.id);
  const Process& init = container.init;
  wire::Timestamp time;
  auto event = blank<wire::TaskDelete>();
  event.container_id = lend(container.id);
  event.pid = static_cast<uint32_t>(init.pid);
  event.exit_status = init.ending.code();
  event.exited_at = to_timestamp(init.ending.at, time);
  publish("/tasks/delete", event);
  if (removed_) removed_(container);
}

void TaskEvents::warned(std::string_view text) { log_.write("warning", text); }

void TaskEvents::out_of_memory(const std::string& id) {
  auto event = blank<wire::TaskOOM>();
  event.container_id = lend(id);
  publish("/tasks/oom", event);
  const Container* container = containers_ != nullptr ? containers_->find(id) : nullptr;
  if (container == nullptr) return;
  (void)sys::open(sys::kCwd, cat(container->bundle, "/oom"),
                  O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0644);
}

}  // namespace ocirt::shim
