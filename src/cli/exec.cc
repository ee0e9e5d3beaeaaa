// `exec`: the options of one more process. Engines give a process document, people give options.
#include "src/container/exec.h"

#include "src/cli/commands.h"

namespace ocirt::cli {
namespace {

using container::ExecOptions;

// UID[:GID], numbers only: a name would have to be looked up in files of the container, which it
// can change, and half a number read from one ("0x", "1000abc") would be somebody else.
Result<> set_user(ExecOptions& options, std::string_view text) {
  size_t colon = text.find(':');
  options.uid = to_number<uint32_t>(text.substr(0, colon));
  options.gid.reset();
  bool good = options.uid.has_value();
  if (good && colon != std::string_view::npos) {
    options.gid = to_number<uint32_t>(text.substr(colon + 1));
    good = options.gid.has_value();
  }
  // 2^32-1 stands for "no change" in setresuid(2).
  if (!good || options.uid == UINT32_MAX || options.gid == UINT32_MAX) {
    return refuse("expected UID or UID:GID, as numbers");
  }
  return {};
}

constexpr Option kOptions[] = {
    option<&ExecOptions::process_file>("process", 'p', "FILE", "process document (JSON) to run"),
    option<&ExecOptions::cwd>("cwd", 0, "DIR", "working directory in the container"),
    option<&ExecOptions::env>("env", 'e', "NAME=VALUE", "environment variable; repeatable"),
    toggle<&ExecOptions::tty>("tty", 't', "give it a terminal"),
    custom<ExecOptions, set_user>("user", 'u', "UID[:GID]", "run as this user"),
    option<&ExecOptions::additional_gids>("additional-gids", 'g', "GID",
                                          "supplementary group; repeatable"),
    option<&ExecOptions::capabilities>("cap", 'c', "CAP", "capability to add; repeatable"),
    toggle<&ExecOptions::no_new_privileges>("no-new-privs", 0,
                                            "forbid to gain privileges by execve"),
    option<&ExecOptions::apparmor>("apparmor", 0, "PROFILE", "AppArmor profile of the process"),
    option<&ExecOptions::process_label>("process-label", 0, "LABEL",
                                        "SELinux label of the process"),
    option<&ExecOptions::cgroup>("cgroup", 0, "[CONTROLLERS:]PATH",
                                 "cgroup below the container's to put it in"),
    toggle<&ExecOptions::detach>("detach", 'd', "return when the program runs"),
    option<&ExecOptions::pid_file>("pid-file", 0, "FILE", "write the pid of the process here"),
    option<&ExecOptions::console_socket>("console-socket", 0, "SOCKET",
                                         "send the terminal's descriptor to this UNIX socket"),
    option<&ExecOptions::pidfd_socket>("pidfd-socket", 0, "SOCKET",
                                       "send a pidfd of it to this UNIX socket"),
    option<&ExecOptions::preserve_fds>("preserve-fds", 0, "N",
                                       "leave N more descriptors open, from 3 on"),
    toggle<&ExecOptions::ignore_paused>("ignore-paused", 0, "do not refuse a paused container"),
};

// A process document says all but the terminal; another option beside it would have no effect.
Result<> check(const ExecOptions& options) {
  if (!options.cwd.empty() && options.cwd[0] != '/')
    return refuse("--cwd: expected an absolute path");
  for (std::string_view entry : options.env) {
    const size_t equals = entry.find('=');
    if (equals == 0 || equals == std::string_view::npos)
      return refuse(cat("--env: expected NAME=VALUE, found ", quoted(entry)));
  }
  if (options.process_file.empty()) {
    if (!options.args.empty()) return {};
    return refuse("a command (ID COMMAND ...) or --process FILE is missing");
  }
  auto clash = [](std::string_view what) -> Result<> {
    return refuse(cat(what, " cannot be given together with --process, write it into the file"));
  };
  if (!options.args.empty()) return clash("a command");
  if (!options.cwd.empty()) return clash("--cwd");
  if (!options.env.empty()) return clash("--env");
  if (options.uid) return clash("--user");
  if (!options.additional_gids.empty()) return clash("--additional-gids");
  if (!options.capabilities.empty()) return clash("--cap");
  if (options.no_new_privileges) return clash("--no-new-privs");
  if (!options.apparmor.empty()) return clash("--apparmor");
  if (!options.process_label.empty()) return clash("--process-label");
  return {};
}

Result<int> exec(Call& call, ExecOptions& options, std::span<const std::string_view> arguments) {
  options.id = arguments[0];
  arguments = arguments.subspan(1);
  // Between the id and the command: `exec c1 -- ls -l`.
  if (!arguments.empty() && arguments[0] == "--") arguments = arguments.subspan(1);
  options.args.assign(arguments.begin(), arguments.end());
  TRY(check(options));
  container::Store store = TRY(store_of(call));
  return container::exec(store, call.global, options);
}

}  // namespace

constinit const Command kExecCommand = {
    .name = "exec",
    .arguments = "ID [COMMAND [ARGUMENT...]]",
    .summary = "Runs one more process in a container; ends as the process does",
    .options = kOptions,
    .order = Order::options_first,
    .fewest = 1,
    .most = kAny,
    .failure = 255,  // tells our failures from the command's own status 1 (runc has it so)
    .run = run<ExecOptions, exec>,
};

}  // namespace ocirt::cli
