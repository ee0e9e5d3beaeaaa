#include "src/shim/containerd.h"

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::shim {
namespace {

Result<> carry_out(std::string_view program, const Invocation& call) {
  switch (call.action) {
    case Action::kStart:
      return start_shim(call);
    case Action::kDelete:
      return delete_container(call);
    case Action::kVersion:
      print_version(program);
      return {};
    case Action::kInfo:
      return print_info();
    case Action::kNone:
      break;
  }
  return refuse("an action is missing: start or delete (containerd runs this program)");
}

}  // namespace

int run_for_containerd(std::string_view program, std::span<const char* const> words) {
  Result<Invocation> call = parse_invocation(words);
  Result<> done =
      call ? carry_out(program, *call) : Result<>(std::unexpected(std::move(call).error()));
  if (done) return 0;
  sys::print_error(cat("ocirt-shim: ", done.error().text, "\n"));
  return 1;
}

}  // namespace ocirt::shim
