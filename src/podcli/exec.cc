// exec and attach.
#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/oci_result.h"
#include "src/podcli/exec_session.h"
#include "src/podcli/pods.h"
#include "src/podcli/shim.h"
#include "src/sys/file.h"
#include "src/sys/terminal.h"

namespace ocirt::podcli {
namespace {

struct ExecOptions {
  bool interactive = false;
  bool tty = false;
  std::string container;
  std::vector<std::string> env;
  std::optional<std::string> workdir;
};
constexpr Option kExecOptions[] = {
    toggle<&ExecOptions::interactive>("interactive", 'i', "give it our input"),
    toggle<&ExecOptions::tty>("tty", 't', "give it a terminal"),
    option<&ExecOptions::container>("container", 'c', "CONTAINER", "as POD/CONTAINER"),
    option<&ExecOptions::env>("env", 'e', "NAME=VALUE", "a variable; can be repeated"),
    option<&ExecOptions::workdir>("workdir", 'w', "DIR", "its working directory"),
};

void set_variable(std::vector<std::string>& env, std::string_view assignment) {
  const std::string_view name = assignment.substr(0, assignment.find('=') + 1);
  std::erase_if(env, [&](const std::string& old) { return old.starts_with(name); });
  env.emplace_back(assignment);
}

// The container's own process with another program.
Result<oci::Process> process_for(const pod::Layout& layout, const pod::Container& container,
                                 const ExecOptions& options,
                                 std::span<const std::string_view> words) {
  const std::string path = layout.config_json(container.name);
  const std::string json = TRY(sys::read_file(sys::kCwd, path, oci::kMaxDocumentSize));
  const oci::Spec spec = TRY(container::from_spec(oci::read_config(json, path)));
  oci::Process process = *spec.process;
  process.args.assign(words.begin(), words.end());
  process.terminal = options.tty;
  process.console_size.reset();
  if (options.tty) set_variable(process.env, "TERM=xterm");
  for (const std::string& variable : options.env) {
    if (!variable.contains('=') || variable.starts_with('=')) {
      return cli::usage_error(cat("--env: expected NAME=VALUE, found ", quoted(variable)));
    }
    set_variable(process.env, variable);
  }
  if (options.workdir) process.cwd = *options.workdir;
  return process;
}

Result<int> exec(Call& call, ExecOptions& options, std::span<const std::string_view> arguments) {
  Target target = TRY(find_target(call.globals, arguments[0]));
  if (!options.container.empty()) target.container = options.container;
  std::span<const std::string_view> words = arguments.subspan(1);
  if (!words.empty() && words.front() == "--") words = words.subspan(1);
  if (words.empty()) return cli::usage_error("the program to run is missing");
  if (options.tty && !sys::is_terminal(Fd(0)) && options.interactive) {
    return cli::usage_error("--tty with --interactive needs a terminal as our input");
  }
  const pod::Layout layout = layout_of(call.globals, target.pod);
  const pod::Pod pod = TRY(read_pod_json(layout));
  const std::string name = TRY(container_of(pod, target.container));
  TRY(Shim::reach(call.globals, target.pod));
  ExecRequest request{.container = name,
                      .process = TRY(process_for(layout, *pod.find(name), options, words)),
                      .interactive = options.interactive};
  ExecSession session(layout, std::move(request));
  std::string complaint;
  const int status = TRY(within(cat(target.pod, "/", name), session.run(complaint)));
  if (!complaint.empty())
    sys::print_error(cat("ocirt-pod: exec: ", target.pod, "/", name, ": ", complaint, "\n"));
  return status;
}

}  // namespace

constinit const Command kExec{
    .name = "exec",
    .arguments = "POD[/CONTAINER] PROGRAM [ARGUMENTS]",
    .summary = "Run a program in a container; ends with the program's status",
    .options = kExecOptions,
    .order = Order::options_first,
    .fewest = 1,
    .most = kAny,
    .run = run<ExecOptions, exec>};

}  // namespace ocirt::podcli
