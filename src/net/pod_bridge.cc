#include "src/net/pod_bridge.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "src/base/text.h"
#include "src/net/conntrack.h"
#include "src/net/pod_host.h"
#include "src/net/pod_hosts.h"
#include "src/net/pod_link.h"
#include "src/net/pod_listeners.h"
#include "src/net/pod_netns.h"
#include "src/net/pod_rules.h"
#include "src/net/pod_subnets.h"
#include "src/net/pool.h"
#include "src/sys/file.h"

namespace ocirt::net {
namespace {

// Keeps the first error of several.
class First {
 public:
  void operator()(Result<> result) {
    if (!result && first_) first_ = std::move(result);
  }
  Result<> take() { return std::move(first_); }

 private:
  Result<> first_;
};

bool publishes_udp(const PoolPod& pod) {
  return std::ranges::any_of(
      pod.ports, [](const PodPort& port) { return port.protocol == PodProtocol::kUdp; });
}

// One run for one pod, under the pool's lock.
class Bridge {
 public:
  static Result<Bridge> open(const PodRequest& request) {
    PoolFile file = TRY(PoolFile::open(request.pool, request.bridge));
    Session session = TRY(Session::open());
    return Bridge(request, std::move(file), std::move(session));
  }

  Result<> up(PodRecord& record);
  Result<> down();
  Result<> forget();
  Result<> check();

 private:
  Bridge(const PodRequest& request, PoolFile file, Session session)
      : request_(request), file_(std::move(file)), session_(std::move(session)) {}

  Pool& pool() { return file_.pool; }
  Result<> decide(PodRecord& record);
  Result<> heal();
  Result<> check_ports() const;
  Result<> check_device();
  Result<> enter_pool();
  Result<> make(PodRecord& record);
  Result<> make_device();
  Result<> make_eth0(Fd ns);
  Result<> take_away(PoolPod pod);
  Result<bool> remove_device();
  Result<> clear();
  Result<> restore_host();
  Result<> settle(Result<> taken);
  Result<> write_names();

  const PodRequest& request_;
  PoolFile file_;
  Session session_;
  Subnets subnets_;
  PoolPod own_;
};

// Pods whose directory or namespace has gone, and what had our directory before us.
Result<> Bridge::heal() {
  std::vector<PoolPod> stale;
  for (const PoolPod& pod : pool().pods) {
    const bool was_ours = pod.directory == request_.directory && is_in_sight(pod);
    if (was_ours || !is_alive(pod)) stale.push_back(pod);
  }
  for (PoolPod& pod : stale) {
    const std::string where = cat("what the lost pod ", pod.name, " has left");
    TRY(within(where, take_away(std::move(pod))));
  }
  return stale.empty() ? Result<>() : file_.save();
}

// After take_away(): what is left is written down.
Result<> Bridge::settle(Result<> taken) {
  TRY(std::move(taken));
  if (!pool().pods.empty()) return file_.save();
  return file_.remove();
}

Result<> Bridge::check_ports() const {
  TRY(file_.check_ports(request_.name, request_.ports));
  return within(cat("pod ", request_.name), check_unused(request_.ports));
}

// Without pods there is no bridge, or one that was left by somebody who was killed.
Result<> Bridge::check_device() {
  if (!pool().pods.empty()) return {};
  const std::optional<Link> link = TRY(find_link(session_, request_.bridge));
  if (!link) return {};
  const bool ours = TRY(is_our_bridge(session_, request_.bridge));
  if (!ours) {
    return std::unexpected(Error{EEXIST, cat("a device named ", request_.bridge,
                                             " is there already, and ocirt has not made it")});
  }
  if (TRY(has_ports(session_, link->index))) {
    return std::unexpected(
        Error{EBUSY, cat("the bridge ", request_.bridge, " has pods that ", request_.pool,
                         " does not know: of another pool, or "
                         "its file was lost")});
  }
  return delete_link(session_, request_.bridge);
}

Result<> Bridge::enter_pool() {
  const std::optional<uint32_t> number = next_number(pool(), subnets_.last());
  if (!number) {
    return std::unexpected(
        Error{ENOSPC, cat("the addresses of bridge ", request_.bridge, " (", pool().subnet4,
                          ") are exhausted: ", pool().pods.size(), " pods have them")});
  }
  own_ = {.name = request_.name,
          .uid = request_.uid,
          .directory = request_.directory,
          .netns = request_.netns,
          .hosts = request_.hosts,
          .hostname = request_.hostname,
          .number = *number,
          .ports = request_.ports,
          .device = host_device(request_.name, request_.uid)};
  mark_as_made_here(own_);
  return {};
}

Result<> Bridge::make_device() {
  const std::string& name = request_.bridge;
  if (pool().pods.size() > 1 && TRY(find_link(session_, name))) return {};
  TRY(make_bridge(session_, name));
  const std::optional<Link> bridge = TRY(find_link(session_, name));
  if (!bridge) return refuse("it has gone");
  TRY(set_device_value("ipv4", name, "route_localnet", "1"));
  if (subnets_.v6) TRY(tame_ipv6(name));
  TRY(add_address(session_, bridge->index, subnets_.v4, kBridgeNumber));
  if (subnets_.v6) TRY(add_address(session_, bridge->index, *subnets_.v6, kBridgeNumber));
  return set_up(session_, bridge->index);
}

Result<> Bridge::make_eth0(Fd ns) {
  const std::optional<Link> bridge = TRY(find_link(session_, request_.bridge));
  if (!bridge) return refuse(cat("the bridge ", request_.bridge, " has gone"));
  TRY(make_pair(session_, host_device(own_.name, own_.uid), bridge->index, ns));
  return inside_netns(ns, [&]() -> Result<> {
    Session inside = TRY(Session::open());
    const std::optional<Link> eth0 = TRY(find_link(inside, kInside));
    if (!eth0) return refuse("it has gone");
    if (subnets_.v6) TRY(tame_ipv6(kInside));
    TRY(add_address(inside, eth0->index, subnets_.v4, own_.number));
    if (subnets_.v6) TRY(add_address(inside, eth0->index, *subnets_.v6, own_.number));
    TRY(set_up(inside, eth0->index));
    TRY(add_default_route(inside, eth0->index, address_at(subnets_.v4, kBridgeNumber)));
    if (!subnets_.v6) return {};
    return add_default_route(inside, eth0->index, address_at(*subnets_.v6, kBridgeNumber));
  });
}

// From here on the record and then the pool know of it.
Result<> Bridge::make(PodRecord& record) {
  Result<> pinned = make_netns(own_.netns);
  if (!pinned && pinned.error().code == EEXIST) own_.netns.clear();  // it is somebody else's
  TRY(std::move(pinned));
  UniqueFd ns = TRY(open_netns(own_.netns));
  const std::vector<HostValue> values = TRY(needed_values(subnets_.v6.has_value()));
  bool rules = false;  // those of the others are there; without others, there may be old ones
  if (!pool().pods.empty()) rules = TRY(are_rules_whole(request_.bridge, pool()));
  pool().pods.push_back(own_);
  pool().last = own_.number;
  pool().host.insert(pool().host.end(), values.begin(), values.end());
  if (!values.empty()) pool().newest_device = TRY(newest_device(session_));
  TRY(file_.save());
  TRY(set_values(values));
  record.network.notes = notes_about(values);
  TRY(within(cat("bridge ", request_.bridge), make_device()));
  TRY(within(kInside, make_eth0(ns)));
  if (!rules) {
    TRY(write_rules(request_.bridge, pool()));
  } else if (!own_.ports.empty()) {
    TRY(add_ports(request_.bridge, pool(), own_));
  }
  for (const PodPort& port : own_.ports) forget_port(port);
  return write_names();
}

// The others' files are theirs: one that cannot be written is no reason to refuse this pod.
Result<> Bridge::write_names() {
  Result<> own;
  for (const PoolPod& pod : pool().pods) {
    if (pod.hosts.empty()) continue;
    Result<> written = write_hosts(pod.hosts, host_lines(pool(), subnets_, pod));
    if (pod.is(own_.name, own_.uid)) own = within("names of pods", std::move(written));
  }
  return own;
}

// Nothing of this pod is made here, so nothing has to be undone but what had to be there to look.
Result<> Bridge::decide(PodRecord& record) {
  TRY(heal());
  if (find_pod(pool(), request_.name, request_.uid) != nullptr) {
    return std::unexpected(Error{
        EEXIST, cat("a pod of this name and uid ", request_.uid, " is on the bridge already")});
  }
  TRY(check_ports());
  TRY(check_device());
  subnets_ = TRY(choose_subnets(request_, pool(), session_));
  TRY(enter_pool());
  PodNetwork& network = record.network;
  network.netns = own_.netns;
  network.interface = kInside;
  network.host_interface = host_device(own_.name, own_.uid);
  network.bridge = request_.bridge;
  network.ports = own_.ports;
  std::vector<Subnet> families = {subnets_.v4};
  if (subnets_.v6) families.push_back(*subnets_.v6);
  for (const Subnet& subnet : families) {
    network.addresses.push_back(
        cat(address_text(address_at(subnet, own_.number)), "/", subnet.length));
    network.gateways.push_back(address_text(address_at(subnet, kBridgeNumber)));
  }
  return save_record(record);
}

Result<> Bridge::up(PodRecord& record) {
  Result<> decided = decide(record);
  if (!decided) {
    if (pool().pods.empty()) (void)settle(clear());
    return decided;
  }
  Result<> made = make(record);
  if (made) {
    record.complete = true;
    made = save_record(record);
  }
  if (made) return {};
  Result<> undone = settle(take_away(own_));
  if (undone) undone = remove_record(own_.directory);
  if (!undone) made.error().text += cat("; then, while undoing this: ", undone.error().text);
  return made;
}

// The device, unless it is somebody else's. False: it has ports of a pool that is not this one.
Result<bool> Bridge::remove_device() {
  const bool ours = TRY(is_our_bridge(session_, request_.bridge));
  if (!ours) return true;
  const std::optional<Link> link = TRY(find_link(session_, request_.bridge));
  if (!link) return true;
  const bool busy = TRY(has_ports(session_, link->index));
  if (busy) return false;
  TRY(delete_link(session_, request_.bridge));
  return true;
}

// The last pod's end is the bridge's. What cannot be looked at is not taken for absent: the pod
// would be forgotten, and nobody would ever look again.
Result<> Bridge::clear() {
  First first;
  Result<bool> removed = remove_device();
  if (removed && !*removed) return {};
  if (!removed) first(std::unexpected(removed.error()));
  const Result<bool> rules = has_rules(request_.bridge);
  if (rules && *rules) first(remove_rules(request_.bridge));
  // A kernel without nftables has none; the network could not be made then.
  if (!rules && rules.error().code != EOPNOTSUPP && rules.error().code != EPROTONOSUPPORT)
    first(std::unexpected(rules.error()));
  first(restore_host());
  pool().host.clear();
  return first.take();
}

// Not when somebody may have begun to rely on it: docker, for one, finds that the host forwards and
// has nothing to change, so the value does not tell. A host that forwards without need is a
// smaller harm than networks of others that stop, and other programs never put it back.
Result<> Bridge::restore_host() {
  if (pool().host.empty()) return {};
  const bool relied_on = TRY(has_virtual_device_since(session_, pool().newest_device));
  return relied_on ? Result<>() : restore_values(pool().host);
}

// In this order, so that nobody gets the address while something still has it. The file is not
// touched: a pod of which something is left stays in it.
Result<> Bridge::take_away(PoolPod pod) {
  First first;
  first(delete_link(session_, host_device(pod.name, pod.uid)));
  if (!pod.netns.empty()) first(remove_netns(pod.netns));
  const Result<bool> rules =
      pool().pods.size() > 1 ? are_rules_whole(request_.bridge, pool()) : Result<bool>(true);
  const size_t entries =
      std::erase_if(pool().pods, [&](const PoolPod& other) { return other.is(pod.name, pod.uid); });
  if (pool().pods.empty()) {
    first(clear());
    return first.take();
  }
  if (entries == 0) return first.take();
  if (rules && !*rules) {
    first(write_rules(request_.bridge, pool()));
  } else if (!pod.ports.empty()) {
    first(remove_ports(request_.bridge, pool(), pod));
  }
  const Result<Subnets> subnets = subnets_of(pool());
  if (!subnets) return first.take();
  subnets_ = *subnets;
  if (publishes_udp(pod)) forget_pod(address_at(subnets_.v4, pod.number));
  if (publishes_udp(pod) && subnets_.v6) forget_pod(address_at(*subnets_.v6, pod.number));
  (void)write_names();
  return first.take();
}

Result<> Bridge::down() {
  const PoolPod* found = find_pod(pool(), request_.name, request_.uid);
  if (found != nullptr) return settle(take_away(*found));
  // It was killed before it had a number, or after it had none any more.
  PoolPod pod;
  pod.name = request_.name;
  pod.uid = request_.uid;
  pod.netns = request_.netns;
  return settle(take_away(std::move(pod)));
}

Result<> Bridge::forget() {
  const PoolPod* found = find_pod(pool(), request_.name, request_.uid);
  if (found != nullptr) return settle(take_away(*found));
  return settle(pool().pods.empty() ? clear() : Result<>());
}

Result<> Bridge::check() {
  if (find_pod(pool(), request_.name, request_.uid) == nullptr) {
    return refuse("the pool of addresses does not know it");
  }
  const std::string device = host_device(request_.name, request_.uid);
  const std::optional<Link> bridge = TRY(find_link(session_, request_.bridge));
  if (!bridge) return refuse(cat("the bridge ", request_.bridge, " has gone"));
  const std::optional<Link> port = TRY(find_link(session_, device));
  if (!port) return refuse(cat("its device ", device, " has gone"));
  if (!port->up || port->master != bridge->index) {
    return refuse(cat("its device ", device, " is down or no longer on ", request_.bridge));
  }
  const bool rules = TRY(has_rules(request_.bridge));
  if (!rules)
    return refuse(cat("the nftables table inet ", table_name(request_.bridge), " has gone"));
  const bool whole = TRY(are_rules_whole(request_.bridge, pool()));
  if (whole) return {};
  return refuse(cat("something of the nftables table inet ", table_name(request_.bridge),
                    " has been taken away"));
}

}  // namespace

Result<> bridge_up(PodRecord& record) {
  Bridge bridge = TRY(Bridge::open(record.request));
  return bridge.up(record);
}

Result<> bridge_down(const PodRequest& request) {
  Bridge bridge = TRY(Bridge::open(request));
  return bridge.down();
}

Result<> bridge_forget(const PodRequest& request) {
  Bridge bridge = TRY(Bridge::open(request));
  return bridge.forget();
}

Result<> bridge_check(const PodRecord& record) {
  Bridge bridge = TRY(Bridge::open(record.request));
  return bridge.check();
}

}  // namespace ocirt::net
