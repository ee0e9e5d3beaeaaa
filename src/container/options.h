// What the lifecycle commands are told: the options of `ocirt`'s command line as plain values, so
// that a second front end can call the same functions without a command line of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/base/fd.h"

namespace ocirt::container {

class Timeline;

enum class LogFormat : uint8_t { text, json };

// Who makes the cgroups: we ourselves in the file system, systemd on our behalf, or nobody.
enum class CgroupManager : uint8_t { cgroupfs, systemd, disabled };

enum class Rootless : uint8_t { automatic, yes, no };

// Options before the command.
struct GlobalOptions {
  std::string root;              // state directory; never empty after parsing
  bool root_given = false;       // by --root, not by default
  bool debug = false;            // by --debug or --log-level
  std::string trace;             // file for a timeline of the command; empty: none
  Timeline* timeline = nullptr;  // where phases are noted, with `trace`
  std::string log;  // what gets errors too: a file, or journald:ID, syslog:ID; empty: none
  LogFormat log_format = LogFormat::text;
  bool systemd_cgroup = false;
  CgroupManager cgroup_manager = CgroupManager::cgroupfs;
  Rootless rootless = Rootless::automatic;
};

// Whether we act for an ordinary user, who may lack the right to make cgroups.
bool is_rootless(const GlobalOptions& global);

// What a worker of `ocirt-shim` asks for, and no command line: the process belongs to the worker's
// parent, who waits for it and holds its terminal.
struct Adopted {
  bool by_parent = false;  // init is our parent's child; `run` and `exec` have to be detached
  Fd console = {};         // connected socket for the terminal's master, in place of a path
};

// `create` and `run`. Paths are as given, relative to the working directory.
struct CreateOptions {
  std::string id;
  std::string bundle = ".";
  std::string config_file;     // empty: config.json in the bundle
  std::string console_socket;  // empty: none, here and below
  std::string pid_file;
  std::string pidfd_socket;
  bool no_pivot = false;
  bool no_new_keyring = false;
  int preserve_fds = 0;  // descriptors 3 to 3+N-1 stay open in the container; >= 0
  Adopted adopted;
  // `run` only.
  bool no_subreaper = false;
  bool detach = false;
  bool keep = false;  // the stopped container stays until `delete`
};

struct ExecOptions {
  std::string id;
  std::vector<std::string> args;  // empty: those of `process_file`
  std::string
      process_file;  // a process document, instead of the options from `args` to `process_label`
  std::string cwd;
  std::optional<uint32_t> uid, gid;  // --user UID[:GID]
  std::vector<uint32_t> additional_gids;
  std::vector<std::string> env;           // "NAME=value", in the order given
  std::vector<std::string> capabilities;  // "CAP_..."
  std::string apparmor;
  std::string process_label;
  std::vector<std::string> cgroup;  // "[CONTROLLERS:]PATH" below the container's cgroup
  std::string console_socket;
  std::string pid_file;
  std::string pidfd_socket;
  std::optional<bool> tty;  // also with `process_file`; absent: as that says
  bool detach = false;
  std::optional<bool> no_new_privileges;  // absent: as config.json says
  bool ignore_paused = false;
  int preserve_fds = 0;  // >= 0
  Adopted adopted;
};

}  // namespace ocirt::container
