// Rules between the properties of `linux.seccomp` (config-linux.md, "Seccomp").
#include "oci-spec/validate.h"

namespace oci::rules {
namespace {

// "When the action doesn't support an errno, the runtime MUST print and error and fail."
constexpr bool has_errno(SeccompAction action) {
  return action == SeccompAction::kErrno || action == SeccompAction::kTrace;
}

std::string needs_errno_action(SeccompAction action) {
  std::string text = "is only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, the action is ";
  text += to_string(action);
  return text;
}

}  // namespace

Finding check_seccomp(const Seccomp& seccomp, const Path& path) {
  if (seccomp.default_errno_ret && !has_errno(seccomp.default_action)) {
    return finding(path / "defaultErrnoRet", needs_errno_action(seccomp.default_action));
  }
  // "listenerMetadata ... MUST NOT be set if listenerPath is not set."
  const bool listens = seccomp.listener_path && !seccomp.listener_path->empty();
  if (seccomp.listener_metadata && !seccomp.listener_metadata->empty() && !listens) {
    return finding(path / "listenerMetadata", "must not be set without listenerPath");
  }
  for (std::size_t i = 0; i < seccomp.syscalls.size(); ++i) {
    const Syscall& rule = seccomp.syscalls[i];
    const auto here = [&] { return (path / "syscalls")[i]; };
    // "names MUST contain at least one entry."
    if (rule.names.empty()) return finding(here() / "names", "must have at least 1 element");
    if (rule.errno_ret && !has_errno(rule.action)) {
      return finding(here() / "errnoRet", needs_errno_action(rule.action));
    }
    // seccomp(2), struct seccomp_data: a call has six arguments.
    for (std::size_t j = 0; j < rule.args.size(); ++j) {
      if (rule.args[j].index > 5) {
        return finding((here() / "args")[j] / "index", "must be from 0 to 5");
      }
    }
  }
  return {};
}

}  // namespace oci::rules
