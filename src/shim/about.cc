// -v and -info: what containerd asks before it uses a runtime.
#include <utility>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/base/version.h"
#include "src/container/features.h"
#include "src/shim/containerd.h"
#include "src/sys/file.h"
#include "src/wire/any.h"

namespace ocirt::shim {
namespace {

constexpr size_t kMostInput = 4 << 20;

}  // namespace

void print_version(std::string_view program) {
  // The words are those of containerd's own shims, which have a line for their compiler.
  sys::print(cat(program, ":\n  Version:  ", version(), "\n  Revision: ", commit(),
                 "\n  Go version: none\n\n"));
}

Result<> print_info() {
  const std::string input = TRY(sys::read_all(Fd(0), "standard input", kMostInput));
  Result<wire::Owned<wire::Any>> options =
      input.empty() ? Result<wire::Owned<wire::Any>>(nullptr) : wire::parse<wire::Any>(input);
  if (!options) return within("standard input", Result<>(std::unexpected(options.error())));
  const std::string version_text(version()), commit_text(commit());
  auto version_message = wire::blank<wire::RuntimeVersion>();
  version_message.version = wire::lend(version_text);
  version_message.revision = wire::lend(commit_text);
  const wire::AnyValue features{std::string(wire::kFeaturesUrl),
                                oci::write(container::features(version(), commit()), false)};
  wire::Any features_any = features.lend();
  auto info = wire::blank<wire::RuntimeInfo>();
  info.name = wire::lend("io.containerd.ocirt.v2");
  info.version = &version_message;
  info.options = options->get();
  info.features = &features_any;
  return sys::write_all(Fd(1), "standard output", wire::pack(info));
}

}  // namespace ocirt::shim
