#include "src/net/pod.h"

#include <cerrno>
#include <optional>

#include "src/base/text.h"
#include "src/net/pod_bridge.h"
#include "src/net/pod_cni.h"
#include "src/net/pod_listeners.h"
#include "src/net/pod_netns.h"
#include "src/net/pod_record.h"
#include "src/net/pod_user.h"
#include "src/net/pool.h"
#include "src/sys/file.h"
#include "src/sys/namespace.h"
#include "src/sys/process.h"

namespace ocirt::net {
namespace {

Result<> none_up(PodRecord& record) {
  const PodRequest& request = record.request;
  if (!request.ports.empty()) {
    return refuse("ports cannot be published without a network: use bridge or cni");
  }
  record.network.netns = request.netns;
  record.network.interface = "lo";
  TRY(save_record(record));
  Result<> made = make_netns(request.netns);
  if (made) {
    record.complete = true;
    made = save_record(record);
    if (!made) (void)remove_netns(request.netns);
  }
  if (!made) (void)remove_record(request.directory);
  return made;
}

Result<> host_up(const PodRequest& request) {
  for (const PodPort& port : request.ports) {
    if (port.host_port == port.pod_port) continue;
    return refuse(cat("host port ", port_text(port), " leads to port ", port.pod_port,
                      ": with the host's network both are the same"));
  }
  return within(cat("pod ", request.name), check_unused(request.ports));
}

Result<> undo(const PodRecord& record, bool force) {
  Result<> undone;
  switch (record.request.mode) {
    case PodMode::kBridge:
      undone = bridge_down(record.request);
      break;
    case PodMode::kNone:
      undone = remove_netns(record.request.netns);
      break;
    case PodMode::kCni:
      undone = cni_down(record, force);
      break;
    case PodMode::kUser:
      undone = user_down(record.request);
      break;
    case PodMode::kHost:
      break;
  }
  TRY(std::move(undone));
  return remove_record(record.request.directory);
}

// Whether this host's network is ours to change.
Result<> check_rights() {
  UniqueFd network = TRY(sys::open(sys::kCwd, "/proc/self/ns/net", O_RDONLY));
  UniqueFd user = TRY(sys::open(sys::kCwd, "/proc/self/ns/user", O_RDONLY));
  if (sys::effective_uid() == 0 && sys::is_owned_by(network, user)) return {};
  return std::unexpected(
      Error{EPERM,
            "not supported: a bridge for an ordinary user, who may not change the host's "
            "network: use the mode user"});
}

// Each undoes what it has begun.
Result<> make(PodRecord& record) {
  switch (record.request.mode) {
    case PodMode::kBridge:
      TRY(check_rights());
      return bridge_up(record);
    case PodMode::kNone:
      return none_up(record);
    case PodMode::kCni:
      return cni_up(record);
    case PodMode::kHost:
      return host_up(record.request);
    case PodMode::kUser:
      return user_up(record);
  }
  return {};
}

Result<PodNetwork> up(const PodRequest& request) {
  PodRecord record{.request = request, .network = {.mode = request.mode}};
  if (request.mode == PodMode::kHost) {
    TRY(host_up(request));
    return record.network;
  }
  const std::optional<PodRecord> earlier = TRY(load_record(request.directory));
  if (earlier && earlier->complete) return refuse("it has a network already");
  if (earlier) TRY(within("what an earlier attempt has left", undo(*earlier, false)));
  if (sys::exists(sys::kCwd, request.netns)) {
    return std::unexpected(Error{EEXIST, cat(request.netns, " exists already")});
  }
  TRY(make(record));
  return record.network;
}

Result<> down(const PodRequest& request) {
  if (request.mode == PodMode::kHost) return {};
  const std::optional<PodRecord> record = TRY(load_record(request.directory));
  if (record) return undo(*record, request.force);
  TRY(remove_record(request.directory));  // one that was not written to its end
  // Nothing was made, unless its directory has been removed before this.
  const bool may_know =
      request.mode == PodMode::kBridge && !sys::is_absent(sys::kCwd, request.pool);
  return may_know ? bridge_forget(request) : Result<>();
}

Result<PodNetwork> check(const PodRequest& request) {
  if (request.mode == PodMode::kHost) return PodNetwork{.mode = PodMode::kHost};
  const std::optional<PodRecord> record = TRY(load_record(request.directory));
  if (!record || !record->complete) return refuse("it has no network");
  if (!is_netns(record->request.netns)) {
    return refuse(cat("there is no network namespace at ", record->request.netns, " any more"));
  }
  if (record->request.mode == PodMode::kBridge) TRY(bridge_check(*record));
  if (record->request.mode == PodMode::kCni) TRY(cni_check(*record));
  if (record->request.mode == PodMode::kUser) TRY(user_check(record->request));
  return record->network;
}

Result<std::string> carry_out(const PodRequest& request) {
  switch (request.verb) {
    case PodVerb::kUp: {
      const PodNetwork made = TRY(up(request));
      return write_pod_network(made);
    }
    case PodVerb::kCheck: {
      const PodNetwork found = TRY(check(request));
      return write_pod_network(found);
    }
    case PodVerb::kDown:
      TRY(down(request));
      return std::string();
  }
  return std::string();
}

}  // namespace

Result<std::string> answer_pod(const PodRequest& request) {
  return within(cat("network of pod ", request.name), carry_out(request));
}

}  // namespace ocirt::net
