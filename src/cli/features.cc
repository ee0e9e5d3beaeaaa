// `features`: what containerd, CRI-O and docker ask before they use something (features.md).
#include "src/container/features.h"

#include "oci-spec/documents.h"
#include "src/cli/command_options.h"
#include "src/cli/commands.h"
#include "src/cli/version.h"
#include "src/sys/file.h"

namespace ocirt::cli {
namespace {

Result<int> features(Call&, NoOptions&, std::span<const std::string_view>) {
  sys::print(oci::write(container::features(version(), commit()), true));
  return 0;
}

}  // namespace

constinit const Command kFeaturesCommand = {
    .name = "features",
    .summary = "Prints what this runtime can do as JSON",
    .rights = Rights::anybody,
    .run = run<NoOptions, features>,
};

}  // namespace ocirt::cli
