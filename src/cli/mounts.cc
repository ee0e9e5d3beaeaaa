// `mounts add` and `mounts remove`: not in the specification; the command line is crun's.
#include <unistd.h>

#include <cerrno>

#include "oci-spec/documents.h"
#include "src/cli/command_options.h"
#include "src/cli/commands.h"
#include "src/container/change_mounts.h"
#include "src/container/oci_result.h"
#include "src/sys/file.h"

namespace ocirt::cli {
namespace {

Result<std::vector<oci::Mount>> read_document(const std::string& file) {
  const bool from_input = file == "-";
  Result<std::string> text =
      from_input ? sys::read_all(Fd(STDIN_FILENO), "standard input", oci::kMaxDocumentSize)
                 : sys::read_file(sys::kCwd, file, oci::kMaxDocumentSize);
  if (!text && text.error().code == ENOENT) return refuse(cat(quoted(file), " is missing"));
  std::string content = TRY(std::move(text));
  return container::from_spec(
      oci::read_mounts(content, from_input ? "standard input" : std::string_view(file)));
}

Result<int> mounts(Call& call, NoOptions&, std::span<const std::string_view> arguments) {
  const bool add = arguments[0] == "add";
  if (!add && arguments[0] != "remove") {
    return usage_error(cat("expected add or remove, found ", quoted(arguments[0])));
  }
  const std::string file(arguments[2]);
  std::vector<oci::Mount> list = TRY(read_document(file));
  container::Store store = TRY(store_of(call));
  container::MountChange change{call.id, file, std::move(list)};
  TRY(add ? container::add_mounts(store, change, call.warnings)
          : container::remove_mounts(store, change));
  return 0;
}

}  // namespace

constinit const Command kMountsCommand = {
    .name = "mounts",
    .arguments = "add|remove ID FILE",
    .summary = "Adds the mounts listed in a JSON file to a running container, or removes them",
    .fewest = 3,
    .most = 3,
    .run = run<NoOptions, mounts>,
};

}  // namespace ocirt::cli
