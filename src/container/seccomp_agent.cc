#include "src/container/seccomp_agent.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "oci-spec/documents.h"
#include "oci-spec/json/text.h"
#include "src/base/text.h"
#include "src/container/oci_result.h"
#include "src/sys/file.h"
#include "src/sys/socket.h"

namespace ocirt::container {

Result<> check_notify(const oci::Seccomp& profile) {
  if (!profile.listener_path) {
    return refuse("linux.seccomp.listenerPath: missing, but the profile has SCMP_ACT_NOTIFY");
  }
  if (profile.default_action == oci::SeccompAction::kNotify) {
    return refuse(
        "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY would stop the process before its listener "
        "has arrived");
  }
  for (size_t i = 0; i < profile.syscalls.size(); ++i) {
    if (profile.syscalls[i].action != oci::SeccompAction::kNotify) continue;
    for (const std::string& name : profile.syscalls[i].names) {
      if (name == "write") {
        // Programs report with it that they are there, before an agent is sure to listen; runc
        // refuses it too.
        return refuse(cat("linux.seccomp.syscalls[", i,
                          "]: SCMP_ACT_NOTIFY cannot be used for the write syscall"));
      }
      if (name != "sendmsg" && name != "recvmsg") continue;
      return refuse(cat("linux.seccomp.syscalls[", i, "]: SCMP_ACT_NOTIFY for ", name,
                        " would stop the process before its listener has arrived"));
    }
  }
  return {};
}

Result<> hand_to_agent(const SeccompAgent& agent, Fd listener, pid_t pid, const oci::State& state,
                       int limit_ms) {
  oci::ContainerProcessState document;
  document.oci_version = state.oci_version;
  document.fds = {"seccompFd"};
  document.pid = pid;
  document.metadata = agent.metadata;
  document.state = state;
  UniqueFd socket = TRY(within("linux.seccomp.listenerPath: failed to connect with seccomp agent",
                               sys::connect_stream_within(agent.path, limit_ms)));
  Result<> sent = sys::send_message(socket, oci::write(document, false), listener);
  if (!sent && sent.error().code == EAGAIN) {
    return std::unexpected(Error{
        ETIMEDOUT, cat("linux.seccomp.listenerPath: send to ", agent.path, ": not read within ",
                       limit_ms, " ms: the seccomp agent has to read, or to be restarted")});
  }
  return within("linux.seccomp.listenerPath", std::move(sent));
}

std::string complete_listener(std::optional<oci::Seccomp>& profile, const std::string& receiver) {
  if (!profile) return {};
  const bool has_listener = profile->listener_path && !profile->listener_path->empty();
  auto notifies = [](const oci::Syscall& rule) {
    return rule.action == oci::SeccompAction::kNotify;
  };
  if (has_listener || std::ranges::none_of(profile->syscalls, notifies)) return {};
  const char* variable = std::getenv("RUN_OCI_SECCOMP_RECEIVER");
  const std::string path = !receiver.empty() || variable == nullptr ? receiver : variable;
  if (!path.empty()) profile->listener_path = path;
  return path;
}

Result<std::optional<SeccompAgent>> saved_agent(const Directory& directory, const Record& record) {
  if (!record.seccomp_receiver.empty()) return SeccompAgent{record.seccomp_receiver, std::nullopt};
  if (record.plain) return std::nullopt;
  std::string text = TRY(directory.config());
  if (!oci::json::may_name(text, "listenerPath")) return std::nullopt;
  oci::Spec spec = TRY(from_spec(oci::read_config(text)));
  if (!spec.linux || !spec.linux->seccomp || !spec.linux->seccomp->listener_path)
    return std::nullopt;
  return SeccompAgent{*spec.linux->seccomp->listener_path, spec.linux->seccomp->listener_metadata};
}

}  // namespace ocirt::container
