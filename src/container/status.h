// A container's status as the kernel knows it now (runtime.md, "State").
#pragma once

#include "oci-spec/state.h"
#include "src/container/record.h"
#include "src/container/store.h"

namespace ocirt::container {

// The socket on which an init that has been created waits for Start, in the container's directory.
inline constexpr const char kGate[] = "start";

// creating: no init in the record yet; stopped: init has ended (or its pid is another process by
// now); created: init still listens at its gate (it takes a connection that closes without a
// message as a mere question); paused: cgroup frozen; else running.
Result<oci::Status> status_of(const Directory& directory, const Record& record);

// The same with a descriptor of its init, for those who go on to do something with it; invalid when
// it is stopped or being created. `gate`: gets the connection to an init that waits, which hears
// nobody else until that is closed; without one nothing of the question is left, and it is never
// waited for.
struct Standing {
  oci::Status status = oci::Status::kStopped;
  UniqueFd init;
};
Result<Standing> standing_of(const Directory& directory, const Record& record,
                             UniqueFd* gate = nullptr);

// The pidfd of a living init, or nothing when it has ended: opened first, then start time compared,
// so that it can only refer to the recorded process.
Result<UniqueFd> open_init(const Record& record);  // invalid descriptor: ended

// The same for hooks that run in the container: its pid as the container sees it (runtime.md,
// "State").
Result<oci::State> state_inside(const Record& record, oci::Status status);

// The OCI state document for hooks and for `ocirt state` (pid 0 when stopped).
oci::State state_of(const Record& record, oci::Status status);

}  // namespace ocirt::container
