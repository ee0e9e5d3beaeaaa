#include "src/shim/runtime.h"

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/create.h"
#include "src/container/delete.h"
#include "src/container/events.h"
#include "src/container/exec.h"
#include "src/container/kill.h"
#include "src/container/oci_result.h"
#include "src/container/pause.h"
#include "src/container/ps.h"
#include "src/container/start.h"
#include "src/container/update.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::shim {
namespace {

container::GlobalOptions options_of(const Runtime& runtime) {
  container::GlobalOptions global;
  global.root = runtime.root;
  global.root_given = true;
  global.systemd_cgroup = runtime.systemd_cgroup;
  return global;
}

Result<container::Store> store_of(const Runtime& runtime) {
  return container::Store::open(runtime.root, true);
}

std::string lines(const container::Warnings& warnings) {
  std::string text;
  for (const std::string& warning : warnings) text += cat(warning, "\n");
  return text;
}

}  // namespace

Result<Done> create(const Runtime& runtime, const std::string& id, const std::string& bundle,
                    Fd console) {
  const container::Store store = TRY(store_of(runtime));
  container::CreateOptions options;
  options.id = id;
  options.bundle = bundle;
  options.adopted = {.by_parent = true, .console = console};
  Done done;
  done.warnings = lines(TRY(container::create(store, options_of(runtime), options)));
  const container::Directory directory = TRY(store.find(id, container::Store::Lock::none));
  const container::Record record = TRY(directory.read());
  done.pid = record.pid;
  done.start_time = record.start_time;
  return done;
}

Result<Done> start(const Runtime& runtime, const std::string& id) {
  const container::Store store = TRY(store_of(runtime));
  TRY(container::start(store, id));
  return Done{};
}

Result<Done> exec(const Runtime& runtime, const std::string& id, const std::string& process,
                  bool terminal, Fd console) {
  const container::Store store = TRY(store_of(runtime));
  const UniqueFd file = TRY(sys::sealed_memory("process", {process}, false));
  container::ExecOptions options;
  options.id = id;
  options.process_file = cat("/proc/self/fd/", file.raw());
  options.tty = terminal;
  options.detach = true;
  options.adopted = {.by_parent = true, .console = console};
  Done done;
  TRY(container::exec(store, options_of(runtime), options, &done.pid));
  if (std::optional<sys::ProcessStat> stat = TRY(sys::process_stat(done.pid)))
    done.start_time = stat->start_time;
  return done;
}

Result<Done> remove(const Runtime& runtime, const std::string& id) {
  const container::Store store = TRY(store_of(runtime));
  return Done{.warnings = lines(TRY(container::remove_container(store, id, true)))};
}

Result<Done> kill_all(const Runtime& runtime, const std::string& id, int signal) {
  TRY(container::kill(TRY(store_of(runtime)), id, signal, true));
  return Done{};
}

Result<Done> pause(const Runtime& runtime, const std::string& id) {
  TRY(container::pause(TRY(store_of(runtime)), id));
  return Done{};
}

Result<Done> resume(const Runtime& runtime, const std::string& id) {
  TRY(container::resume(TRY(store_of(runtime)), id));
  return Done{};
}

Result<Done> update(const Runtime& runtime, const std::string& id, const std::string& resources) {
  const oci::Resources limits =
      TRY(container::from_spec(oci::read_resources(resources, "resources")));
  TRY(container::update(TRY(store_of(runtime)), id, limits));
  return Done{};
}

Result<Done> stats(const Runtime& runtime, const std::string& id) {
  return Done{.text = TRY(container::stats(TRY(store_of(runtime)), id))};
}

Result<Done> pids(const Runtime& runtime, const std::string& id) {
  Done done;
  for (pid_t pid : TRY(container::processes(TRY(store_of(runtime)), id)))
    done.text += cat(done.text.empty() ? "" : " ", pid);
  return done;
}

}  // namespace ocirt::shim
