// The containers of a shim and their processes: made, started, signalled and removed by workers,
// reaped here.
//
// Exits are told in an order that clients rely on: a process has been started before it has ended,
// however soon it does, and a container's init is the last of its processes to end.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/closure.h"
#include "src/base/result.h"
#include "src/shim/process.h"
#include "src/shim/rootfs_mounts.h"
#include "src/shim/runtime.h"
#include "src/shim/streams.h"
#include "src/shim/worker.h"
#include "src/sys/event_loop.h"

namespace ocirt::shim {

class Adopted;

class Container {
 public:
  explicit Container(std::string name);
  ~Container();
  Process* find(std::string_view exec_id);

  std::string id;
  std::string bundle;
  uint32_t number = 0;      // of all that this shim has had: an answer about one before it is late
  bool of_pod = false;      // the pod's supervisor starts and removes it
  bool own_pids = true;     // init's end is the end of all
  std::string memory_file;  // Facts::memory
  StreamOwner owner;        // of its streams
  std::vector<RootfsMount> rootfs;        // to be mounted before it is made
  bool mounted = false;                   // they may be
  bool removing = false;                  // a worker does
  std::vector<wire::Reply> late_deletes;  // asked for meanwhile
  uint32_t attempt = 0;                   // of_pod: pod::Instance::attempt
  Process init;
  std::vector<std::unique_ptr<Process>> execs;
  std::unique_ptr<Adopted> adopted;  // of a shim before us
};

// Is told of what happens to containers, in the order in which clients have to hear of it: before
// whoever asked for it is answered, and of ends in the order that is described above.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual void created(const Container& container) = 0;
  virtual void exec_added(const Container& container, const Process& process) = 0;
  virtual void started(const Container& container, const Process& process) = 0;
  virtual void paused(const Container& container) = 0;
  virtual void resumed(const Container& container) = 0;
  virtual void ended(const Container& container, const Process& process) = 0;
  // Its row is still there.
  virtual void removed(const Container& container) = 0;
  // One line about what went wrong without being anybody's answer.
  virtual void warned(std::string_view text) = 0;

 protected:
  ~Observer() = default;
};

class Containers {
 public:
  using Finished = Closure<void(Result<Done>)>;
  // With how its init has ended.
  using Removed = Closure<void(Result<Done>, const Ending&)>;

  Containers(sys::EventLoop& loop, Workers& workers, Runtime runtime);
  Containers(const Containers&) = delete;
  Containers& operator=(const Containers&) = delete;

  // Called when a container's init has ended, and all of its processes were told of.
  void on_end(Closure<void(Container&)> call) { on_end_ = std::move(call); }
  // It outlives this; or null.
  void observe(Observer* observer) { observer_ = observer; }
  const Runtime& runtime() const { return runtime_; }
  void use_cgroups(bool use) { runtime_.cgroups = use; }
  sys::EventLoop& loop() { return loop_; }
  Workers& workers() { return workers_; }

  Container* find(std::string_view id);
  // Code ENOENT with containerd's words.
  Result<Container*> get(std::string_view id);
  // The same for who changes it: one that is being removed is as good as gone, and a worker would
  // find whatever has its name when it comes to that.
  Result<Container*> get_lasting(std::string_view id);
  Result<Process*> get_process(std::string_view id, std::string_view exec_id);
  bool empty() const { return all_.empty(); }
  // Where clients call for streams of processes.
  SocketStreams& sockets() { return sockets_; }
  // Whether a client has not read all that a process has said which was deleted.
  bool has_unread_streams();
  const std::vector<std::unique_ptr<Container>>& all() const { return all_; }

  // A new row, in phase kCreating; init.streams is for the caller to fill. Code EEXIST.
  Result<Container*> add(std::string_view id, std::string bundle);
  // Takes a row away for which nothing was made.
  void forget(Container& container) { erase(container.number); }
  // Makes it. On failure everything of it is removed, the row too, before `finished` is called.
  void create(Container& container, Finished finished) {
    create(container, Choices(), std::move(finished));
  }
  void create(Container& container, const Choices& choices, Finished finished);
  void start(Container& container, Finished finished);
  Result<> add_exec(Container& container, std::string exec_id, std::string document,
                    const StreamPaths& paths);
  void start_exec(Container& container, Process& process, Finished finished);
  // One process; `all`: everybody in the container.
  void kill(Container& container, Process& process, int signal, bool all, Finished finished);
  // A container that has ended, or was not started. The row is gone when `finished` is called.
  void remove(Container& container, Removed finished);
  Result<> remove_exec(Container& container, std::string_view exec_id);
  void pause(Container& container, Finished finished);
  void resume(Container& container, Finished finished);
  // Any other operation of a worker on a container.
  void run(std::string name, Closure<Result<Done>()> work, Finished finished);

  // Reaps whatever has ended, and tells.
  void reap();
  // A process of a shim before us that lives: its end is told by its pidfd.
  Result<> adopt(Container& container, UniqueFd pidfd, pid_t pid, uint64_t start_time);
  // Nothing: nobody knows how.
  void adopted_ended(uint32_t number, std::optional<sys::ExitStatus> status);

 private:
  struct Parked {
    pid_t pid;
    Ending ending;
  };
  Container* find_number(uint32_t number);
  void registered(Container& container, Process& process, const Done& done);
  bool process_ended(pid_t pid, const Ending& ending);
  void take_end(Container& container, Process& process, const Ending& ending);
  void settle(Container& container);
  void settle_all();
  std::unique_ptr<Streams> new_streams();
  void warn(std::string_view text);
  void erase(uint32_t number);
  static void answer_late_deletes(Container& container, const Result<Done>& done);
  void keep_until_done(std::unique_ptr<Streams> streams);
  bool logger_ended(pid_t pid);
  Job job_for(Container& container, Process& process, std::string_view what);

  sys::EventLoop& loop_;
  Workers& workers_;
  Runtime runtime_;
  Closure<void(Container&)> on_end_;
  Observer* observer_ = nullptr;
  SocketStreams sockets_;
  std::vector<std::unique_ptr<Container>> all_;
  std::vector<std::unique_ptr<Streams>> lingering_;  // of processes that were deleted
  std::vector<Parked> parked_;  // ended before the worker that made them has answered
  uint32_t last_number_ = 0;
};

}  // namespace ocirt::shim
