#include "src/net/pod_subnets.h"

#include <string>
#include <utility>
#include <vector>

#include "src/base/text.h"
#include "src/net/pod_host.h"
#include "src/net/pod_link.h"
#include "src/sys/file.h"

namespace ocirt::net {

Result<Subnets> subnets_of(const Pool& pool) {
  Subnets subnets;
  subnets.v4 = TRY(parse_subnet(pool.subnet4));
  if (!pool.subnet6.empty()) subnets.v6 = TRY(parse_subnet(pool.subnet6));
  return subnets;
}

Result<Subnets> choose_subnets(const PodRequest& request, Pool& pool, Session& session) {
  const bool v6 = request.subnet6 != "none" && has_ipv6();
  if (!pool.pods.empty()) {
    for (auto [wanted, used] :
         {std::pair(&request.subnet4, &pool.subnet4), std::pair(&request.subnet6, &pool.subnet6)}) {
      if (wanted->empty() || *wanted == *used || (*wanted == "none" && used->empty())) continue;
      return refuse(cat("subnet ", *wanted, ": bridge ", request.bridge, " has pods in ",
                        used->empty() ? "none" : *used));
    }
    return subnets_of(pool);
  }
  const std::vector<Subnet> used = TRY(subnets_in_use(session));
  if (request.subnet4.empty()) {
    const std::optional<Subnet> chosen = choose_subnet4(used);
    if (!chosen) {
      return refuse(
          "no subnet from 10.130.0.0/16 to 10.159.0.0/16 is free of routes: name another");
    }
    pool.subnet4 = subnet_text(*chosen);
  } else {
    pool.subnet4 = request.subnet4;
  }
  pool.subnet6.clear();
  if (v6 && request.subnet6.empty()) {
    const Result<std::string> seed = sys::read_file(sys::kCwd, "/etc/machine-id");
    const std::optional<Subnet> chosen = choose_subnet6(used, cat(seed ? *seed : "", "ocirt"));
    if (chosen) pool.subnet6 = subnet_text(*chosen);
  } else if (v6) {
    pool.subnet6 = request.subnet6;
  }
  Subnets subnets = TRY(subnets_of(pool));
  for (const Subnet& other : used) {
    if (overlap(subnets.v4, other) || (subnets.v6 && overlap(*subnets.v6, other))) {
      return refuse(cat("subnet ", pool.subnet4, " or ", pool.subnet6, ": the host has a route to ",
                        subnet_text(other), " in it"));
    }
  }
  if (subnets.v4.v6 || (subnets.v6 && !subnets.v6->v6)) {
    return refuse("subnet4 wants an IPv4 subnet and subnet6 an IPv6 one");
  }
  return subnets;
}

std::vector<HostLine> host_lines(const Pool& pool, const Subnets& subnets, const PoolPod& reader) {
  std::vector<HostLine> lines;
  for (const PoolPod& pod : pool.pods) {
    std::string names = pod.name;
    const bool is_reader = pod.is(reader.name, reader.uid);
    if (is_reader && !pod.hostname.empty() && pod.hostname != pod.name) {
      names = cat(pod.hostname, " ", pod.name);
    }
    lines.push_back({address_text(address_at(subnets.v4, pod.number)), names});
    if (!subnets.v6) continue;
    lines.push_back({address_text(address_at(*subnets.v6, pod.number)), std::move(names)});
  }
  return lines;
}

}  // namespace ocirt::net
