// The shim of a pod: starting it, finding it again, and what it is asked.
#pragma once

#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/pod/status.h"
#include "src/podcli/command.h"
#include "src/podcli/metrics.h"
#include "src/wire/client.h"

namespace ocirt::podcli {

// A call to a shim: of those that take as long as the pod does, and go on beside others (batch.h).
struct ShimCall {
  std::string_view service, method;
  std::string payload;
};
// Makes everything but the containers; `pod_json` is the resolved pod.
ShimCall create_call(const std::string& pod, const std::string& directory,
                     std::string_view pod_json);
// Answered when all containers have been started.
ShimCall start_call(const std::string& pod);
ShimCall stop_call(const std::string& pod, uint32_t grace_seconds);
// Answered at the pod's end; whether_succeeded() reads what with.
ShimCall wait_call(const std::string& pod);
Result<bool> whether_succeeded(std::string_view payload);
// Stops the pod, removes everything and ends the shim.
ShimCall shut_down_call(const std::string& pod);

class Shim {
 public:
  // Starts one for a pod's directory that has been written.
  static Result<> launch(const Globals& globals, const std::string& pod);
  // Connects to the one that there is. A pod whose shim has died gets another one, which adopts
  // what still runs.
  static Result<Shim> reach(const Globals& globals, const std::string& pod);
  // The same, but only the connection.
  static Result<UniqueFd> reach_socket(const Globals& globals, const std::string& pod);
  // Connects to the one that there is, and starts none.
  static Result<Shim> connect(const Globals& globals, const std::string& pod);
  // Removes everything of a pod that has no shim, also half of one.
  static Result<> remove(const Globals& globals, const std::string& pod);

  // Of one that nobody has asked for anything yet: it ends.
  Result<> shut_down();
  Result<pod::PodStatus> status();
  Result<> kill(const std::string& container, int signal);
  Result<> close_input(const std::string& container);
  Result<> resize(const std::string& container, uint32_t columns, uint32_t rows);
  Result<Metrics> stats(const std::string& container);
  Result<std::vector<uint32_t>> pids(const std::string& container);

 private:
  Shim(wire::Client client, std::string pod) : client_(std::move(client)), pod_(std::move(pod)) {}
  wire::Client client_;
  std::string pod_;
};

}  // namespace ocirt::podcli
