// Rules that compare the ports of a pod's containers with each other.
#include "src/pod/paths.h"
#include "src/podfile/check.h"

namespace ocirt::podfile {
namespace {

using manifest::Container;
using manifest::ContainerPort;
using manifest::PodSpec;

// Who listens where: two of them at the same time cannot.
struct Listener {
  const ContainerPort* port = nullptr;
  const Container* container = nullptr;
  std::string where;
};

std::optional<Finding> check_port_fields(const PodSpec& spec, const Listener& listener) {
  const ContainerPort& port = *listener.port;
  if (port.name.size() > 15 || (!port.name.empty() && !pod::is_dns_label(port.name))) {
    return Finding{cat(listener.where, ".name"),
                   "must be at most 15 of a-z, 0-9 and \"-\", which is not at an end"};
  }
  if (!port.host_ip.empty() && !is_address(port.host_ip)) {
    return Finding{cat(listener.where, ".hostIP"),
                   cat("expected an IP address, found ", quoted(port.host_ip))};
  }
  if (spec.host_network && port.host_port != 0 && port.host_port != port.container_port) {
    return Finding{
        cat(listener.where, ".hostPort"),
        cat("must be ", port.container_port, " as the containerPort: hostNetwork is true")};
  }
  return std::nullopt;
}

std::optional<Finding> compare(const Listener& a, const Listener& b) {
  if (a.container == b.container && !a.port->name.empty() && a.port->name == b.port->name) {
    return Finding{cat(a.where, ".name"), cat(quoted(a.port->name), " is already there")};
  }
  if (a.port->protocol != b.port->protocol) return std::nullopt;
  const std::string_view protocol = oci::to_string(a.port->protocol);
  if (a.port->container_port == b.port->container_port) {
    return Finding{cat(a.where, ".containerPort"),
                   cat(a.port->container_port, "/", protocol, " is already the port of container ",
                       quoted(b.container->name), ": containers of a pod share their ports")};
  }
  if (a.port->host_port != 0 && a.port->host_port == b.port->host_port &&
      pod::host_ips_meet(a.port->host_ip, b.port->host_ip)) {
    return Finding{cat(a.where, ".hostPort"),
                   cat(a.port->host_port, "/", protocol, " is already published by container ",
                       quoted(b.container->name))};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Finding> check_ports(const PodSpec& spec) {
  std::vector<Listener> listeners;
  for (size_t i = 0; i < container_count(spec); ++i) {
    const Container& container = container_at(spec, i);
    // An init container has ended before the next one begins; only sidecars are there all the time.
    const bool ends = i < spec.init_containers.size() && !container.restart_policy;
    const size_t first = listeners.size();
    for (size_t j = 0; j < container.ports.size(); ++j) {
      Listener listener{&container.ports[j], &container,
                        cat(place_of_container(spec, i), ".ports[", j, "]")};
      POD_CHECK(check_port_fields(spec, listener));
      for (const Listener& other : listeners) POD_CHECK(compare(listener, other));
      listeners.push_back(std::move(listener));
    }
    if (ends) listeners.resize(first);
  }
  return std::nullopt;
}

}  // namespace ocirt::podfile
