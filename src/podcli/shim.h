// The shim of a pod: starting it, finding it again, and what it is asked.
#pragma once

#include <string>

#include "src/base/result.h"
#include "src/pod/status.h"
#include "src/podcli/command.h"
#include "src/podcli/metrics.h"
#include "src/wire/client.h"

namespace ocirt::podcli {

class Shim {
 public:
  // Starts one for a pod's directory that has been written, and connects to it.
  static Result<Shim> launch(const Globals& globals, const std::string& pod);
  // Connects to the one that there is. A pod whose shim has died gets another one, which adopts
  // what still runs.
  static Result<Shim> reach(const Globals& globals, const std::string& pod);
  // Connects to the one that there is, and starts none.
  static Result<Shim> connect(const Globals& globals, const std::string& pod);
  // Removes everything of a pod that has no shim, also half of one.
  static Result<> remove(const Globals& globals, const std::string& pod);

  // Makes everything but the containers; `pod_json` is the resolved pod.
  Result<> create(const std::string& directory, std::string_view pod_json);
  Result<> start();
  Result<> stop(uint32_t grace_seconds);
  // Waits for the pod's end; whether it succeeded.
  Result<bool> wait();
  // Stops it, removes everything and ends the shim.
  Result<> shut_down();
  Result<pod::PodStatus> status();
  Result<> kill(const std::string& container, int signal);
  Result<Metrics> stats(const std::string& container);
  Result<std::vector<uint32_t>> pids(const std::string& container);

  wire::Client& client() { return client_; }

 private:
  Shim(wire::Client client, std::string pod) : client_(std::move(client)), pod_(std::move(pod)) {}
  wire::Client client_;
  std::string pod_;
};

}  // namespace ocirt::podcli
