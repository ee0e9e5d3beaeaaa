#include "src/podcli/shim.h"

#include <cerrno>
#include <chrono>

#include "src/base/text.h"
#include "src/podcli/pods.h"
#include "src/sys/companion.h"
#include "src/sys/file.h"
#include "src/sys/program_output.h"
#include "src/sys/socket.h"
#include "src/wire/any.h"
#include "src/wire/service.h"

namespace ocirt::podcli {
namespace {

using wire::blank;
using wire::lend;

constexpr std::string_view kSandbox = wire::kSandboxV1;
constexpr std::string_view kTask = wire::kTaskV3;
constexpr sys::Nanoseconds kSoon = std::chrono::seconds(30);

// The shim's program: when it returns, its daemon listens, or it has said why it does not.
Result<> run_shim(const Globals& globals, std::string_view verb, const std::string& pod) {
  std::vector<std::string> words = {TRY(sys::find_companion("ocirt-shim")), "--pod",
                                    layout_of(globals, pod).directory(), "--state-dir",
                                    globals.state_dir};
  if (!verb.empty()) words.emplace_back(verb);
  TRY(sys::program_output(words, true));
  return {};
}

}  // namespace

ShimCall create_call(const std::string& pod, const std::string& directory,
                     std::string_view pod_json) {
  const wire::AnyValue value{std::string(wire::kPodUrl), std::string(pod_json)};
  wire::Any options = value.lend();
  auto request = blank<wire::CreateSandboxRequest>();
  request.sandbox_id = lend(pod);
  request.bundle_path = lend(directory);
  request.options = &options;
  return {kSandbox, "CreateSandbox", wire::pack(request)};
}

ShimCall start_call(const std::string& pod) {
  auto request = blank<wire::StartSandboxRequest>();
  request.sandbox_id = lend(pod);
  return {kSandbox, "StartSandbox", wire::pack(request)};
}

ShimCall stop_call(const std::string& pod, uint32_t grace_seconds) {
  auto request = blank<wire::StopSandboxRequest>();
  request.sandbox_id = lend(pod);
  request.timeout_secs = grace_seconds;
  return {kSandbox, "StopSandbox", wire::pack(request)};
}

ShimCall wait_call(const std::string& pod) {
  auto request = blank<wire::WaitSandboxRequest>();
  request.sandbox_id = lend(pod);
  return {kSandbox, "WaitSandbox", wire::pack(request)};
}

Result<bool> whether_succeeded(std::string_view payload) {
  auto answer = TRY(wire::parse<wire::WaitSandboxResponse>(payload));
  return answer->exit_status == 0;
}

ShimCall shut_down_call(const std::string& pod) {
  auto request = blank<wire::ShutdownSandboxRequest>();
  request.sandbox_id = lend(pod);
  return {kSandbox, "ShutdownSandbox", wire::pack(request)};
}

Result<> Shim::launch(const Globals& globals, const std::string& pod) {
  return run_shim(globals, "", pod);
}

Result<Shim> Shim::connect(const Globals& globals, const std::string& pod) {
  wire::Client client = TRY(wire::Client::connect(layout_of(globals, pod).socket()));
  return Shim(std::move(client), pod);
}

Result<UniqueFd> Shim::reach_socket(const Globals& globals, const std::string& pod) {
  const std::string path = layout_of(globals, pod).socket();
  Result<UniqueFd> socket = sys::connect_stream(path);
  if (socket || (socket.error().code != ECONNREFUSED && socket.error().code != ENOENT))
    return socket;
  TRY(within("the pod's shim has died", run_shim(globals, "--adopt", pod)));
  return sys::connect_stream(path);
}

Result<Shim> Shim::reach(const Globals& globals, const std::string& pod) {
  UniqueFd socket = TRY(reach_socket(globals, pod));
  return Shim(wire::Client(std::move(socket)), pod);
}

Result<> Shim::remove(const Globals& globals, const std::string& pod) {
  return run_shim(globals, "--remove", pod);
}

Result<> Shim::shut_down() {
  auto request = blank<wire::ShutdownSandboxRequest>();
  request.sandbox_id = lend(pod_);
  TRY(client_.call<wire::ShutdownSandboxResponse>(kSandbox, "ShutdownSandbox", request, kSoon));
  return {};
}

Result<pod::PodStatus> Shim::status() {
  auto request = blank<wire::SandboxStatusRequest>();
  request.sandbox_id = lend(pod_);
  request.verbose = 1;
  auto answer =
      TRY(client_.call<wire::SandboxStatusResponse>(kSandbox, "SandboxStatus", request, kSoon));
  for (size_t i = 0; i < answer->n_info; ++i) {
    if (std::string_view(answer->info[i]->key) == "pod") {
      return pod::read_status(answer->info[i]->value);
    }
  }
  return refuse(cat("the shim of pod ", pod_, " does not say how the pod is"));
}

Result<> Shim::kill(const std::string& container, int signal) {
  auto request = blank<wire::KillRequest>();
  request.id = lend(container);
  request.signal = static_cast<uint32_t>(signal);
  TRY(client_.call<wire::Empty>(kTask, "Kill", request, kSoon));
  return {};
}

Result<> Shim::close_input(const std::string& container) {
  auto request = blank<wire::CloseIORequest>();
  request.id = lend(container);
  request.stdin = 1;
  TRY(client_.call<wire::Empty>(kTask, "CloseIO", request, kSoon));
  return {};
}

Result<> Shim::resize(const std::string& container, uint32_t columns, uint32_t rows) {
  auto request = blank<wire::ResizePtyRequest>();
  request.id = lend(container);
  request.width = columns;
  request.height = rows;
  TRY(client_.call<wire::Empty>(kTask, "ResizePty", request, kSoon));
  return {};
}

Result<Metrics> Shim::stats(const std::string& container) {
  auto request = blank<wire::StatsRequest>();
  request.id = lend(container);
  auto answer = TRY(client_.call<wire::StatsResponse>(kTask, "Stats", request, kSoon));
  if (answer->stats == nullptr) return refuse("the shim has no figures");
  return read_metrics(*answer->stats);
}

Result<std::vector<uint32_t>> Shim::pids(const std::string& container) {
  auto request = blank<wire::PidsRequest>();
  request.id = lend(container);
  auto answer = TRY(client_.call<wire::PidsResponse>(kTask, "Pids", request, kSoon));
  std::vector<uint32_t> pids;
  pids.reserve(answer->n_processes);
  for (size_t i = 0; i < answer->n_processes; ++i) pids.push_back(answer->processes[i]->pid);
  return pids;
}

}  // namespace ocirt::podcli
