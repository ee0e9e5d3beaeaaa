// `list`: not in the specification; crictl, scripts and completions live on it.
#include "src/container/list.h"

#include "src/cli/command_options.h"
#include "src/cli/commands.h"
#include "src/cli/table.h"
#include "src/sys/file.h"

namespace ocirt::cli {
namespace {

using container::Entry;
using container::Listing;

constexpr Option kOptions[] = {
    choice<&ListOptions::format, kOutputFormats>("format", 'f', "FORMAT",
                                                 "table (default) or json"),
    toggle<&ListOptions::quiet>("quiet", 'q', "ids only"),
};

std::string as_ids(const Listing& listing) {
  std::string out;
  for (const Entry& entry : listing.entries) out += cat(entry.record.id, "\n");
  return out;
}

std::string as_json(const Listing& listing) {
  std::string out = "[";
  for (const Entry& entry : listing.entries) {
    if (out.size() > 1) out += ',';
    out += container::state_document(entry, false);
  }
  return out + "]\n";
}

std::string as_table(const Listing& listing) {
  Table table({"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"});
  for (const Entry& entry : listing.entries) {
    bool ended = entry.status == oci::Status::kStopped;
    table.add({entry.record.id, cat(ended ? 0 : entry.record.pid),
               std::string(oci::to_string(entry.status)), entry.record.bundle, entry.record.created,
               container::user_name(entry.record.owner)});
  }
  return table.text();
}

Result<int> list(Call& call, ListOptions& options, std::span<const std::string_view>) {
  Listing listing;
  std::optional<container::Store> store = TRY(store_if_any(call));
  if (store) listing = TRY(container::list(*store));
  call.complaints = std::move(listing.broken);  // the others are still an answer
  if (options.quiet) {
    sys::print(as_ids(listing));
  } else {
    sys::print(options.format == OutputFormat::json ? as_json(listing) : as_table(listing));
  }
  return 0;
}

}  // namespace

constinit const Command kListCommand = {
    .name = "list",
    .summary = "Lists the containers of the state directory",
    .options = kOptions,
    .rights = Rights::anybody,
    .run = run<ListOptions, list>,
};

}  // namespace ocirt::cli
