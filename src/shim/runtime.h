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
#include "src/shim/worker.h"

namespace ocirt::shim {

// Where the containers of a shim are on record: `ocirt --root ROOT` shows them.
struct Runtime {
  std::string root;
  bool systemd_cgroup = false;
  bool rootless = false;  // we are root of an ordinary user's namespace
  bool cgroups = true;    // false: containers get none, since that user has no right to one
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

// `console`: the process's end of a socket pair for the terminal's master, or invalid. Answers pid,
// start time and facts.
Result<Done> create(const Runtime& runtime, const std::string& id, const std::string& bundle,
                    Fd console);
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
// error.
Result<Done> remove(const Runtime& runtime, const std::string& id);
// To all processes.
Result<Done> kill_all(const Runtime& runtime, const std::string& id, int signal);
Result<Done> pause(const Runtime& runtime, const std::string& id);
Result<Done> resume(const Runtime& runtime, const std::string& id);
Result<Done> update(const Runtime& runtime, const std::string& id, const std::string& resources);
// Answers the line of `ocirt events --stats`.
Result<Done> stats(const Runtime& runtime, const std::string& id);
// Answers pids, separated by spaces.
Result<Done> pids(const Runtime& runtime, const std::string& id);

}  // namespace ocirt::shim
