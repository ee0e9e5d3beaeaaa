// What workers do to containers: the functions of src/container, as `ocirt` calls them, with what
// differs for a process that is to be the shim's child. Everything here runs in a worker.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/resources.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/shim/rootfs_mounts.h"
#include "src/shim/worker.h"
#include "src/wire/any.h"

namespace ocirt::shim {

// Where the containers of a shim are on record: `ocirt --root ROOT` shows them.
struct Runtime {
  std::string root;
  bool systemd_cgroup = false;
  bool rootless = false;  // we are root of an ordinary user's namespace
  bool cgroups = true;    // false: containers get none, since that user has no right to one
  // Each bundle gets a file kRootFile that says the root, since nothing else would tell it to who
  // removes a container when its shim is gone.
  bool root_is_told = false;
};
inline constexpr std::string_view kRootFile = "ocirt.root";
// Writes it, if need be.
Result<> tell_root(const Runtime& runtime, const std::string& bundle);

// What a client wants of one container, beside its config.json.
struct Choices {
  bool systemd_cgroup = false;
  bool no_pivot = false;
  bool no_new_keyring = false;
};

// What `create` answers of a container, beside the pid and start time of its init.
struct Facts {
  bool own_pids = true;     // init's end is the end of all its processes
  std::string memory = {};  // memory.events, or v1's memory.oom_control; empty: no such controller
};
Facts read_facts(std::string_view text);
// The same of a container that a shim before us has made, from its record.
struct Recorded {
  Facts facts;
  bool paused = false;
};
Result<Recorded> recorded(const Runtime& runtime, const std::string& id);

// `rootfs` is mounted first, and not any more when the rest fails. `console`: the process's end of
// a socket pair for the terminal's master, or invalid. Answers pid, start time and facts.
Result<Done> create(const Runtime& runtime, const Choices& choices, const std::string& id,
                    const std::string& bundle, const std::vector<RootfsMount>& rootfs, Fd console);
Result<Done> start(const Runtime& runtime, const std::string& id);
// `process` is the JSON document of the process. Answers its pid.
Result<Done> exec(const Runtime& runtime, const std::string& id, const std::string& process,
                  bool terminal, Fd console);
// Runs a command in the container as one more process of its, and waits for its end, at most so
// long; then it is killed. Another status than 0 is an error. The worker's own output is what it
// says.
Result<Done> exec_and_wait(const Runtime& runtime, const std::string& id,
                           const std::vector<std::string>& args, sys::Nanoseconds timeout);
// Kills whoever is left and removes everything, also of a container that was half made. None is no
// error. `mounted`: the bundle on whose rootfs create() has mounted something, or empty.
Result<Done> remove(const Runtime& runtime, const std::string& id, const std::string& mounted);
// To all processes.
Result<Done> kill_all(const Runtime& runtime, const std::string& id, int signal);
// SIGKILL to those whom an init without a pid namespace of its own has left behind.
Result<Done> kill_survivors(const Runtime& runtime, const std::string& id);
Result<Done> pause(const Runtime& runtime, const std::string& id);
Result<Done> resume(const Runtime& runtime, const std::string& id);
Result<Done> update(const Runtime& runtime, const std::string& id, const std::string& resources);
// Answers metrics (metrics.h) as write_metrics() puts them. Code ENOENT when its cgroup is gone.
Result<Done> stats(const Runtime& runtime, const std::string& id);
// An Any in Done::text, and back.
Done write_metrics(const wire::AnyValue& metrics);
wire::AnyValue take_metrics(const Done& done);
// Answers pids, separated by spaces.
Result<Done> pids(const Runtime& runtime, const std::string& id);

}  // namespace ocirt::shim
