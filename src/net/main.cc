// ocirt-net: the program that ocirt executes for linux.netDevices, and a pod's shim for the pod's
// network. A program of its own because
// libmnl is a shared library in distributions, which ocirt, linked statically, cannot have, and
// because it enters the container's network namespace and need not come back.
#include "src/net/devices.h"
#include "src/net/pod.h"
#include "src/net/pod_request.h"
#include "src/sys/companion.h"

namespace ocirt::net {
namespace {

constexpr Fd kNamespace{3};

Result<std::string> answer() {
  const std::string text = TRY(sys::companion_request());
  if (text.starts_with(kPodWord)) {
    // A request of a shim that has died is nobody's: the pod's next shim undoes what was made.
    sys::end_with_caller();
    const PodRequest request = TRY(read_pod_request(text));
    return answer_pod(request);
  }
  const Request request = TRY(read_request(text));
  if (request.kind == Request::Kind::give_back) {
    TRY(give_back(kNamespace, request.moved));
    return std::string();
  }
  const std::vector<Moved> moved = TRY(move_in(kNamespace, request.wanted));
  return write_moved(moved);
}

}  // namespace
}  // namespace ocirt::net

int main() { return ocirt::sys::companion_answer(ocirt::net::answer()); }
