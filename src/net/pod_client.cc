#include "src/net/pod_client.h"

#include "src/base/text.h"
#include "src/net/request.h"
#include "src/sys/companion.h"

namespace ocirt::net {
namespace {

// Ours, not the plugins': a pool that is locked by others, a kernel that takes its time.
constexpr int kOwnSeconds = 60;
constexpr int kMostPlugins = 8;  // that may take all of their time, one after the other

int timeout_ms(const PodRequest& request) {
  const int plugins = request.mode == PodMode::kCni
                          ? static_cast<int>(request.plugin_timeout_seconds) * kMostPlugins
                          : 0;
  return (kOwnSeconds + plugins) * 1000;
}

}  // namespace

Result<PodNetwork> ask_pod_network(const PodRequest& request) {
  Result<std::string> program = sys::find_companion(kProgram);
  if (!program) {
    return std::unexpected(within("not supported: pod networks", std::move(program)).error());
  }
  const std::string text = write_pod_request(request);
  const std::string answer = TRY(
      sys::ask_companion({.path = *program, .request = text, .timeout_ms = timeout_ms(request)}));
  if (answer.empty()) return PodNetwork{.mode = request.mode};
  return read_pod_network(answer);
}

}  // namespace ocirt::net
