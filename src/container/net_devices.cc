#include "src/container/net_devices.h"

#include <sched.h>

#include <cerrno>
#include <utility>

#include "src/base/text.h"
#include "src/sys/companion.h"
#include "src/sys/namespace.h"
#include "src/sys/network_device.h"

namespace ocirt::container {
namespace {

constexpr std::string_view kPlace = "linux.netDevices";

Result<std::string> ask(const std::string& program, const net::Request& request, Fd ns) {
  const std::string text = net::write_request(request);
  const Fd descriptors[] = {ns};
  return sys::ask_companion({.path = program, .request = text, .descriptors = descriptors});
}

}  // namespace

Result<std::vector<net::Wanted>> draft_net_devices(const oci::Spec& spec) {
  std::vector<net::Wanted> wanted;
  for (const auto& [host, device] : spec.linux->net_devices) {
    const bool renamed = device.name && !device.name->empty();
    wanted.push_back({std::string(host), renamed ? *device.name : std::string(host)});
  }
  if (wanted.empty()) return wanted;
  for (const oci::Namespace& ns : spec.linux->namespaces) {
    if (ns.type != oci::NamespaceType::kNetwork || !ns.path || ns.path->empty()) continue;
    if (sys::is_own_namespace(*ns.path, CLONE_NEWNET)) {
      return refuse(cat(kPlace, ": needs a network namespace other than the runtime's, and ",
                        *ns.path, " is the runtime's"));
    }
  }
  return wanted;
}

NetDevices::NetDevices(NetDevices&& other) noexcept
    : program_(std::move(other.program_)),
      wanted_(std::move(other.wanted_)),
      moved_(std::exchange(other.moved_, {})),
      namespace_(std::move(other.namespace_)) {}

Result<NetDevices> NetDevices::find(std::vector<net::Wanted> wanted) {
  NetDevices devices;
  if (wanted.empty()) return devices;
  Result<std::string> program = sys::find_companion(net::kProgram);
  if (!program) {
    return std::unexpected(within(cat("not supported: ", kPlace), std::move(program)).error());
  }
  devices.program_ = *std::move(program);
  for (const net::Wanted& device : wanted) {
    if (sys::has_network_device(device.host)) continue;
    return std::unexpected(
        Error{ENODEV, cat(kPlace, "[", quoted(device.host),
                          "]: there is no such device in the runtime's network namespace")});
  }
  devices.wanted_ = std::move(wanted);
  return devices;
}

Result<> NetDevices::move_in(pid_t init) {
  if (wanted_.empty()) return {};
  const std::string path = cat("/proc/", init, "/ns/net");
  // Who speaks as init may be somebody who traces it: it must have left our namespace.
  if (sys::is_own_namespace(path, CLONE_NEWNET)) {
    return refuse(cat(kPlace, ": init is still in the runtime's network namespace"));
  }
  namespace_ = TRY(within(kPlace, sys::open_namespace(path, CLONE_NEWNET)));
  net::Request request;
  request.wanted = wanted_;
  std::string answer = TRY(within(kPlace, ask(program_, request, namespace_)));
  moved_ = TRY(within(kPlace, net::read_moved(answer)));
  return {};
}

Result<> NetDevices::give_back() {
  if (moved_.empty()) return {};
  net::Request request;
  request.kind = net::Request::Kind::give_back;
  request.moved = std::exchange(moved_, {});
  TRY(within(kPlace, ask(program_, request, namespace_)));
  return {};
}

}  // namespace ocirt::container
