#include "src/shim/task_service.h"

#include <cerrno>
#include <string>
#include <utility>

#include "src/base/text.h"
#include "src/shim/options.h"
#include "src/sys/process.h"
#include "src/wire/any.h"
#include "src/wire/service.h"

namespace ocirt::shim {
namespace {

using wire::blank;
using wire::lend;

constexpr wire::Method<TaskService> kMethods[] = {
    wire::method<&TaskService::state>("State"),
    wire::method<&TaskService::create>("Create"),
    wire::method<&TaskService::start>("Start"),
    wire::method<&TaskService::remove>("Delete"),
    wire::method<&TaskService::pids>("Pids"),
    wire::method<&TaskService::pause>("Pause"),
    wire::method<&TaskService::resume>("Resume"),
    wire::method<&TaskService::checkpoint>("Checkpoint"),
    wire::method<&TaskService::kill>("Kill"),
    wire::method<&TaskService::exec>("Exec"),
    wire::method<&TaskService::resize>("ResizePty"),
    wire::method<&TaskService::close_io>("CloseIO"),
    wire::method<&TaskService::update>("Update"),
    wire::method<&TaskService::wait>("Wait"),
    wire::method<&TaskService::stats>("Stats"),
    wire::method<&TaskService::connect>("Connect"),
    wire::method<&TaskService::shutdown>("Shutdown"),
};

wire::TaskStatus status_of(Phase phase) {
  switch (phase) {
    case Phase::kCreating:
      return TYPES__STATUS__UNKNOWN;
    case Phase::kCreated:
    case Phase::kStarting:
      return TYPES__STATUS__CREATED;
    case Phase::kRunning:
      return TYPES__STATUS__RUNNING;
    case Phase::kPaused:
      return TYPES__STATUS__PAUSED;
    case Phase::kStopped:
      break;
  }
  return TYPES__STATUS__STOPPED;
}

// Errors of the runtime have errno values of whatever it met; callers would take a file that is
// missing for a container that is. So only what ocirt does not support keeps a code.
void fail(wire::Reply& reply, const Error& error) {
  const bool unsupported = error.text.find("not supported") != std::string::npos;
  reply.fail(unsupported ? wire::Code::kUnimplemented : wire::Code::kUnknown, error.text);
}

// Answers Empty, or the error of the worker.
Containers::Finished answering(wire::Call& call) {
  return [reply = std::move(call.reply)](Result<Done> done) mutable {
    if (!done) return fail(reply, done.error());
    reply.done();
  };
}

RootfsMount rootfs_mount(const wire::Mount& row) {
  RootfsMount mount{row.type, row.source, row.target, {}};
  for (size_t i = 0; i < row.n_options; ++i) mount.options.emplace_back(row.options[i]);
  return mount;
}

// The pod does these itself.
Result<> check_owner(const Container& container, std::string_view what) {
  if (!container.of_pod) return {};
  return std::unexpected(Error{
      EBUSY, cat("container ", container.id, " is part of a pod, which ", what, " it by itself")});
}

}  // namespace

void TaskService::handle(wire::Call& call) { wire::dispatch(kMethods, *this, call); }

void TaskService::create(const wire::CreateTaskRequest& request, wire::Call& call) {
  if (request.checkpoint[0] != '\0')
    return call.reply.fail(wire::Code::kUnimplemented, "not supported: restoring a checkpoint");
  Result<RuntimeOptions> options = read_options(request.options);
  if (!options) return fail(call.reply, options.error());
  if (!options->root.empty() && !containers_.runtime().root.starts_with(cat(options->root, "/"))) {
    return call.reply.fail(
        wire::Code::kUnimplemented,
        cat("not supported: options: root ", options->root, ": the containers of this shim are at ",
            containers_.runtime().root));
  }
  Result<Container*> added = containers_.add(request.id, request.bundle);
  if (!added) return call.reply.fail(added.error());
  Container& container = **added;
  for (size_t i = 0; i < request.n_rootfs; ++i)
    container.rootfs.push_back(rootfs_mount(*request.rootfs[i]));
  container.owner = {.uid = options->io_uid,
                     .gid = options->io_gid,
                     .id = request.id,
                     .name_space = std::string(call.metadata("containerd-namespace-ttrpc"))};
  container.init.paths = {request.terminal != 0, request.stdin, request.stdout, request.stderr};
  if (Result<> opened = container.init.streams->open(container.init.paths, container.owner);
      !opened) {
    containers_.forget(container);
    return call.reply.fail(opened.error());
  }
  const Choices choices{options->systemd_cgroup, options->no_pivot, options->no_new_keyring};
  containers_.create(
      container, choices,
      [this, id = std::string(request.id),
       reply = std::move(call.reply)](Result<Done> done) mutable {
        if (!done) return fail(reply, done.error());
        // Who has given up does not come to delete it.
        if (Container* made = containers_.find(id); made != nullptr && !reply.is_awaited())
          return containers_.remove(*made, [](const Result<Done>&, const Ending&) {});
        auto answer = blank<wire::CreateTaskResponse>();
        answer.pid = static_cast<uint32_t>(done->pid);
        reply.send(answer);
      });
}

void TaskService::start(const wire::StartRequest& request, wire::Call& call) {
  Result<Container*> found = containers_.get_lasting(request.id);
  if (!found) return call.reply.fail(found.error());
  Container& container = **found;
  Result<Process*> process = containers_.get_process(request.id, request.exec_id);
  if (!process) return call.reply.fail(process.error());
  Result<> may = check((*process)->phase, Request::kStart);
  if (may && (*process)->is_init()) may = check_owner(container, "starts");
  if (may && !(*process)->is_init()) may = check(container.init.phase, Request::kExec);
  if (!may) return call.reply.fail(may.error());
  Containers::Finished finished = [reply = std::move(call.reply)](Result<Done> done) mutable {
    if (!done) return fail(reply, done.error());
    auto answer = blank<wire::StartResponse>();
    answer.pid = static_cast<uint32_t>(done->pid);
    reply.send(answer);
  };
  if ((*process)->is_init()) return containers_.start(container, std::move(finished));
  containers_.start_exec(container, **process, std::move(finished));
}

void TaskService::remove(const wire::DeleteRequest& request, wire::Call& call) {
  Result<Process*> process = containers_.get_process(request.id, request.exec_id);
  if (!process) return call.reply.fail(process.error());
  Container& container = *containers_.find(request.id);
  Result<> may = check((*process)->phase, Request::kDelete);
  if (may && (*process)->is_init()) may = check_owner(container, "removes");
  if (!may) return call.reply.fail(may.error());
  if ((*process)->is_init() && container.removing) {
    // A second worker would remove whatever has the name by the time that it comes to it.
    container.late_deletes.push_back(std::move(call.reply));
    return;
  }
  auto send = [pid = static_cast<uint32_t>((*process)->pid)](wire::Reply& reply,
                                                             const Ending& ending) {
    wire::Timestamp time;
    auto answer = blank<wire::DeleteResponse>();
    answer.pid = pid;
    answer.exit_status = ending.code();
    answer.exited_at = to_timestamp(ending.at, time);
    reply.send(answer);
  };
  if (!(*process)->is_init()) {
    const Ending ending = (*process)->ending;
    if (Result<> removed = containers_.remove_exec(container, request.exec_id); !removed)
      return call.reply.fail(removed.error());
    return send(call.reply, ending);
  }
  containers_.remove(container, [this, send, reply = std::move(call.reply)](
                                    const Result<Done>& done, const Ending& ending) mutable {
    if (!done) return fail(reply, done.error());
    send(reply, ending);
    end_if_asked(false);
  });
}

void TaskService::exec(const wire::ExecProcessRequest& request, wire::Call& call) {
  Result<Container*> container = containers_.get_lasting(request.id);
  if (!container) return call.reply.fail(container.error());
  if (!wire::is_a(request.spec, wire::kProcessUrl)) {
    return call.reply.fail(wire::Code::kInvalidArgument, cat("spec: expected ", wire::kProcessUrl));
  }
  if (request.exec_id[0] == '\0')
    return call.reply.fail(wire::Code::kInvalidArgument, "exec_id: empty");
  Result<> added = containers_.add_exec(
      **container, request.exec_id, std::string(wire::view(request.spec->value)),
      {request.terminal != 0, request.stdin, request.stdout, request.stderr});
  if (!added) return call.reply.fail(added.error());
  call.reply.done();
}

void TaskService::resize(const wire::ResizePtyRequest& request, wire::Call& call) {
  Result<Process*> process = containers_.get_process(request.id, request.exec_id);
  if (!process) return call.reply.fail(process.error());
  if (Result<> may = check((*process)->phase, Request::kResize); !may)
    return call.reply.fail(may.error());
  Result<> done = (*process)->streams->resize(static_cast<uint16_t>(request.width),
                                              static_cast<uint16_t>(request.height));
  if (!done) return call.reply.fail(done.error());
  call.reply.done();
}

void TaskService::close_io(const wire::CloseIORequest& request, wire::Call& call) {
  Result<Process*> process = containers_.get_process(request.id, request.exec_id);
  if (!process) return call.reply.fail(process.error());
  if (request.stdin != 0 && (*process)->streams) (*process)->streams->close_input();
  call.reply.done();
}

void TaskService::state(const wire::StateRequest& request, wire::Call& call) {
  Result<Process*> found = containers_.get_process(request.id, request.exec_id);
  if (!found) return call.reply.fail(found.error());
  const Process& process = **found;
  wire::Timestamp time;
  auto answer = blank<wire::StateResponse>();
  answer.id = request.id;
  answer.bundle = lend(containers_.find(request.id)->bundle);
  answer.pid = static_cast<uint32_t>(process.pid);
  answer.status = status_of(process.phase);
  answer.stdin = lend(process.paths.in);
  answer.stdout = lend(process.paths.out);
  answer.stderr = lend(process.paths.err);
  answer.terminal = process.paths.terminal ? 1 : 0;
  answer.exec_id = lend(process.exec_id);
  if (process.phase == Phase::kStopped) {
    answer.exit_status = process.ending.code();
    answer.exited_at = to_timestamp(process.ending.at, time);
  }
  call.reply.send(answer);
}

void TaskService::kill(const wire::KillRequest& request, wire::Call& call) {
  Result<Container*> container = containers_.get_lasting(request.id);
  if (!container) return call.reply.fail(container.error());
  Result<Process*> process = containers_.get_process(request.id, request.exec_id);
  if (!process) return call.reply.fail(process.error());
  containers_.kill(**container, **process, static_cast<int>(request.signal), request.all != 0,
                   [reply = std::move(call.reply)](Result<Done> done) mutable {
                     if (!done) return reply.fail(done.error());
                     reply.done();
                   });
}

void TaskService::wait(const wire::WaitRequest& request, wire::Call& call) {
  Result<Process*> process = containers_.get_process(request.id, request.exec_id);
  if (!process) return call.reply.fail(process.error());
  (*process)->wait_for(std::move(call.reply));
}

void TaskService::pids(const wire::PidsRequest& request, wire::Call& call) {
  Result<Container*> found = containers_.get(request.id);
  if (!found) return call.reply.fail(found.error());
  if ((*found)->init.phase == Phase::kStopped) {
    // A daemon that comes back asks this of each shim, and takes one that names nobody for one
    // whose container was never made: it would be deleted before anybody has read its exit code.
    wire::Rows<wire::ProcessInfo> rows;
    rows.add().pid = static_cast<uint32_t>((*found)->init.pid);
    auto answer = blank<wire::PidsResponse>();
    answer.n_processes = rows.size();
    answer.processes = rows.lend();
    return call.reply.send(answer);
  }
  std::string execs;  // "PID EXEC_ID" each, as they are now
  for (const auto& process : (*found)->execs)
    if (process->lives()) execs += cat(process->pid, " ", process->exec_id, "\n");
  containers_.run(
      cat("pids of ", request.id),
      [runtime = containers_.runtime(), id = std::string(request.id)] {
        return shim::pids(runtime, id);
      },
      [reply = std::move(call.reply), execs = std::move(execs)](Result<Done> done) mutable {
        if (!done) return fail(reply, done.error());
        wire::Rows<wire::ProcessInfo> rows;
        std::vector<std::unique_ptr<wire::AnyValue>> values;
        std::vector<std::unique_ptr<wire::Any>> anys;
        for (std::string_view pid : split(done->text, ' ')) {
          if (pid.empty()) continue;
          wire::ProcessInfo& row = rows.add();
          row.pid = to_number<uint32_t>(pid).value_or(0);
          std::string_view rest = execs;
          while (std::optional<std::string_view> line = next_line(rest)) {
            const size_t space = line->find(' ');
            if (line->substr(0, space) != pid) continue;
            const std::string exec_id(line->substr(space + 1));
            auto details = blank<wire::ProcessDetails>();
            details.exec_id = lend(exec_id);
            values.push_back(std::make_unique<wire::AnyValue>(wire::any_of(details)));
            anys.push_back(std::make_unique<wire::Any>(values.back()->lend()));
            row.info = anys.back().get();
          }
        }
        auto answer = blank<wire::PidsResponse>();
        answer.n_processes = rows.size();
        answer.processes = rows.lend();
        reply.send(answer);
      });
}

void TaskService::pause(const wire::PauseRequest& request, wire::Call& call) {
  Result<Container*> container = containers_.get(request.id);
  if (!container) return call.reply.fail(container.error());
  if (Result<> may = check((*container)->init.phase, Request::kPause); !may)
    return call.reply.fail(may.error());
  containers_.pause(**container, answering(call));
}

void TaskService::resume(const wire::ResumeRequest& request, wire::Call& call) {
  Result<Container*> container = containers_.get(request.id);
  if (!container) return call.reply.fail(container.error());
  if (Result<> may = check((*container)->init.phase, Request::kResume); !may)
    return call.reply.fail(may.error());
  containers_.resume(**container, answering(call));
}

void TaskService::checkpoint(const wire::CheckpointTaskRequest&, wire::Call& call) {
  call.reply.fail(wire::Code::kUnimplemented, "not supported: checkpoint");
}

void TaskService::update(const wire::UpdateTaskRequest& request, wire::Call& call) {
  Result<Container*> container = containers_.get_lasting(request.id);
  if (!container) return call.reply.fail(container.error());
  if (Result<> may = check((*container)->init.phase, Request::kUpdate); !may)
    return call.reply.fail(may.error());
  if (!wire::is_a(request.resources, wire::kLinuxResourcesUrl)) {
    return call.reply.fail(wire::Code::kInvalidArgument,
                           cat("resources: expected ", wire::kLinuxResourcesUrl));
  }
  // Annotations have no meaning for a running container: those that ocirt knows are of its making.
  containers_.run(
      cat("update ", request.id),
      [runtime = containers_.runtime(), id = std::string(request.id),
       json = std::string(wire::view(request.resources->value))] {
        return shim::update(runtime, id, json);
      },
      answering(call));
}

void TaskService::stats(const wire::StatsRequest& request, wire::Call& call) {
  Result<Container*> container = containers_.get(request.id);
  if (!container) return call.reply.fail(container.error());
  containers_.run(
      cat("stats of ", request.id),
      [runtime = containers_.runtime(), id = std::string(request.id)] {
        return shim::stats(runtime, id);
      },
      [reply = std::move(call.reply)](Result<Done> done) mutable {
        // containerd's words, and the code by which callers skip it.
        if (!done && done.error().code == ENOENT)
          return reply.fail(wire::Code::kNotFound, "cgroup does not exist");
        if (!done) return fail(reply, done.error());
        const wire::AnyValue value = take_metrics(*done);
        wire::Any any = value.lend();
        auto answer = blank<wire::StatsResponse>();
        answer.stats = &any;
        reply.send(answer);
      });
}

void TaskService::connect(const wire::ConnectRequest& request, wire::Call& call) {
  Result<Container*> container = containers_.get(request.id);
  if (!container && !(has_sandbox_ && has_sandbox_())) return call.reply.fail(container.error());
  auto answer = blank<wire::ConnectResponse>();
  answer.shim_pid = static_cast<uint32_t>(sys::own_pid());
  if (container) answer.task_pid = static_cast<uint32_t>((*container)->init.pid);
  answer.version = lend("v3");
  call.reply.send(answer);
}

void TaskService::shutdown(const wire::ShutdownRequest&, wire::Call& call) {
  shutdown_asked_ = true;
  call.reply.done();
  end_if_asked(true);
}

void TaskService::end_if_asked(bool now) {
  if (shutdown_asked_ && containers_.empty() && shutdown_) shutdown_(now);
}

}  // namespace ocirt::shim
