// `spec`: a configuration to start from.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "oci-spec/documents.h"
#include "src/cli/command_options.h"
#include "src/cli/commands.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/sys/file.h"

namespace ocirt::cli {
namespace {

constexpr Option kOptions[] = {
    option<&SpecOptions::bundle>("bundle", 'b', "DIR",
                                 "write it there (default: the working directory)"),
    option<&SpecOptions::file>("file", 'f', "FILE", "write it here instead of to config.json"),
    toggle<&SpecOptions::rootless>("rootless", 0, "for an ordinary user, in a user namespace"),
};

Result<int> spec(Call&, SpecOptions& options, std::span<const std::string_view>) {
  // A file of one's own choice is relative to the bundle unless it is absolute.
  const std::string name = options.file.empty() ? "config.json" : options.file;
  const bool is_below = !options.bundle.empty() && !name.starts_with('/');
  std::string path = is_below ? cat(options.bundle, "/", name) : name;
  // On v1 a namespace would hide which cgroups are whose from those who look into them by way of
  // the container's mounts, as engines of that time do; v2 has no such habits.
  const Result<cgroup::Host> host = cgroup::probe_host();
  const bool cgroup_v1 = host && host->layout != cgroup::Layout::unified && !options.rootless;
  std::string document =
      oci::write(oci::default_spec(options.rootless, ::geteuid(), ::getegid(), cgroup_v1), true);
  // Somebody may have put work into the one that is there.
  Result<UniqueFd> file = sys::open(sys::kCwd, path, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!file && file.error().code == EEXIST) {
    return refuse(cat(path, " is there already, remove it to get a new one"));
  }
  if (!file && file.error().code == ENOENT) {
    return refuse(cat("the directory of ", quoted(path), " is missing"));
  }
  UniqueFd fd = TRY(std::move(file));
  if (Result<> written = sys::write_all(fd, path, document); !written) {
    (void)sys::unlink(sys::kCwd, path);  // half a document is worse than none
    return std::unexpected(std::move(written).error());
  }
  return 0;
}

}  // namespace

constinit const Command kSpecCommand = {
    .name = "spec",
    .summary = "Writes a config.json to start from",
    .options = kOptions,
    .rights = Rights::anybody,
    .run = run<SpecOptions, spec>,
};

}  // namespace ocirt::cli
