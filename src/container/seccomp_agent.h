// The agent that answers for system calls with SCMP_ACT_NOTIFY (config-linux.md, "Seccomp",
// listenerPath): it gets the listener's descriptor and a document that says whose it is.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "oci-spec/seccomp.h"
#include "oci-spec/state.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/container/peer.h"
#include "src/container/store.h"

namespace ocirt::container {

struct SeccompAgent {
  std::string path;  // linux.seccomp.listenerPath
  std::optional<std::string> metadata;
};

// Refuses what could never work: no listenerPath, or notifications of the very calls by which the
// listener is handed over (nobody would be there to answer them).
Result<> check_notify(const oci::Seccomp& profile);

// Connects to the agent and sends the descriptor with the container process state. `pid`: the
// process that the filter is for, as we see it. The agent has `limit_ms` milliseconds to accept,
// and to read what there is no room for otherwise.
Result<> hand_to_agent(const SeccompAgent& agent, Fd listener, pid_t pid, const oci::State& state,
                       int limit_ms = kPeerLimitMs);

// The agent of a container that has been made: of its saved config.json, or that which the record
// names; nothing when it has none.
Result<std::optional<SeccompAgent>> saved_agent(const Directory& directory, const Record& record);

// Gives a profile that notifies and has no listenerPath the one that `receiver` names: the
// annotation run.oci.seccomp.receiver, or the environment variable RUN_OCI_SECCOMP_RECEIVER. The
// answer is what the record has to keep of it.
std::string complete_listener(std::optional<oci::Seccomp>& profile, const std::string& receiver);

}  // namespace ocirt::container
