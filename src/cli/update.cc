// `update`: engines give a document, people give options.
#include "src/container/update.h"

#include <unistd.h>

#include <cerrno>

#include "oci-spec/documents.h"
#include "src/cli/command_options.h"
#include "src/cli/commands.h"
#include "src/container/oci_result.h"
#include "src/linux/resctrl.h"
#include "src/sys/file.h"

namespace ocirt::cli {
namespace {

template <auto Member>
Result<> set_size(UpdateOptions& options, std::string_view text) {
  options.*Member = TRY(parse_size(text));
  return {};
}

template <auto Member>
consteval Option size(std::string_view name, std::string_view help) {
  return custom<UpdateOptions, set_size<Member>>(name, 0, "BYTES", help);
}

template <auto Member>
consteval Option number(std::string_view name, std::string_view placeholder,
                        std::string_view help) {
  return option<Member, UpdateOptions>(name, 0, placeholder, help);
}

constexpr Option kOptions[] = {
    option<&UpdateOptions::resources_file>(
        "resources", 'r', "FILE", "read the limits from a JSON document; - is standard input"),
    size<&Limits::memory>("memory", "most memory; 512m, 1.5g, or -1 for unlimited"),
    size<&Limits::memory_reservation>("memory-reservation", "memory that is protected"),
    size<&Limits::memory_swap>("memory-swap", "most memory and swap together"),
    number<&Limits::cpu_quota>("cpu-quota", "MICROSECONDS",
                               "CPU time per period; -1 for unlimited"),
    number<&Limits::cpu_period>("cpu-period", "MICROSECONDS", "length of the period"),
    number<&Limits::cpu_burst>("cpu-burst", "MICROSECONDS", "unused CPU time that may be saved up"),
    number<&Limits::cpu_shares>("cpu-share", "N", "relative weight, 2 to 262144"),
    number<&Limits::cpu_realtime_period>("cpu-rt-period", "MICROSECONDS", "realtime period"),
    number<&Limits::cpu_realtime_runtime>("cpu-rt-runtime", "MICROSECONDS",
                                          "realtime CPU time per period"),
    number<&Limits::cpu_idle>("cpu-idle", "N", "1: runs only when nobody else wants to"),
    number<&Limits::cpuset_cpus>("cpuset-cpus", "LIST", "CPUs to use, such as 0-3,7"),
    number<&Limits::cpuset_mems>("cpuset-mems", "LIST", "memory nodes to use"),
    number<&Limits::block_io_weight>("blkio-weight", "N", "relative weight, 10 to 1000"),
    number<&Limits::pids>("pids-limit", "N", "most processes; -1 for unlimited"),
    option<&UpdateOptions::l3_cache_schema>("l3-cache-schema", 0, "SCHEMA",
                                            "share of the L3 cache, such as L3:0=ff"),
    option<&UpdateOptions::mem_bw_schema>("mem-bw-schema", 0, "SCHEMA",
                                          "share of memory bandwidth, such as MB:0=50"),
    size<&Limits::kernel_memory>("kernel-memory", ""),
    size<&Limits::kernel_memory_tcp>("kernel-memory-tcp", ""),
};

Result<oci::Resources> read_document(const std::string& file) {
  Result<std::string> text =
      file == "-" ? sys::read_all(Fd(STDIN_FILENO), "standard input", oci::kMaxDocumentSize)
                  : sys::read_file(sys::kCwd, file, oci::kMaxDocumentSize);
  if (!text && text.error().code == ENOENT) {
    return refuse(cat("--resources: ", quoted(file), " is missing"));
  }
  std::string content = TRY(within("--resources", std::move(text)));
  return container::from_spec(
      oci::read_resources(content, file == "-" ? "standard input" : std::string_view(file)));
}

// As config.json would have them.
std::vector<std::string> schemata_of(const UpdateOptions& options) {
  oci::IntelRdt rdt;
  if (!options.l3_cache_schema.empty()) rdt.l3_cache_schema = options.l3_cache_schema;
  if (!options.mem_bw_schema.empty()) rdt.mem_bw_schema = options.mem_bw_schema;
  return resctrl::schemata_lines(rdt);
}

Result<int> update(Call& call, UpdateOptions& options, std::span<const std::string_view>) {
  bool has_limits = static_cast<const Limits&>(options) != Limits{};
  const bool has_document = !options.resources_file.empty();
  const std::vector<std::string> schemata = schemata_of(options);
  if (has_limits && has_document)
    return usage_error("limits are given both by --resources and by other options");
  if (!options.mem_bw_schema.empty() && !options.mem_bw_schema.starts_with("MB:"))
    return usage_error("--mem-bw-schema: begins with MB:, such as MB:0=50;1=50");
  if (options.kernel_memory || options.kernel_memory_tcp) {
    call.warnings.emplace_back(
        "--kernel-memory and --kernel-memory-tcp have no effect: kernels no longer have these "
        "limits");
  }
  Result<oci::Resources> resources = has_document ? read_document(options.resources_file)
                                                  : Result<oci::Resources>(resources_of(options));
  oci::Resources wanted = TRY(std::move(resources));
  container::Store store = TRY(store_of(call));
  TRY(container::update(store, call.id, wanted,
                        has_document ? container::LimitsOf::document : container::LimitsOf::options,
                        schemata));
  return 0;
}

}  // namespace

constinit const Command kUpdateCommand = {
    .name = "update",
    .arguments = "ID",
    .summary = "Changes the limits of a container",
    .options = kOptions,
    .fewest = 1,
    .most = 1,
    .run = run<UpdateOptions, update>,
};

}  // namespace ocirt::cli
