// `ps`: containerd's `ctr task ps` and `docker top` live on it.
#include "src/container/ps.h"

#include "src/cli/command_options.h"
#include "src/cli/commands.h"
#include "src/sys/file.h"

namespace ocirt::cli {
namespace {

constexpr Option kOptions[] = {
    choice<&PsOptions::format, kOutputFormats>("format", 'f', "FORMAT",
                                               "table (default) or json: the pids"),
};

Result<int> ps(Call& call, PsOptions& options, std::span<const std::string_view> arguments) {
  arguments = arguments.subspan(1);
  if (!arguments.empty() && options.format == OutputFormat::json) {
    return usage_error("arguments for ps(1) cannot be given together with --format json");
  }
  container::Store store = TRY(store_of(call));
  std::vector<pid_t> pids = TRY(container::processes(store, call.id));
  if (options.format == OutputFormat::table) {
    std::string table = TRY(container::process_table(pids, arguments));
    sys::print(table);
    return 0;
  }
  std::string out = "[";
  for (pid_t pid : pids) out += cat(out.size() > 1 ? "," : "", pid);
  sys::print(out + "]\n");
  return 0;
}

}  // namespace

constinit const Command kPsCommand = {
    .name = "ps",
    .arguments = "ID [PS ARGUMENTS]",
    .summary = "Lists the processes of a container",
    .options = kOptions,
    .order = Order::options_first,
    .rights = Rights::anybody,
    .fewest = 1,
    .most = kAny,
    .run = run<PsOptions, ps>,
};

}  // namespace ocirt::cli
