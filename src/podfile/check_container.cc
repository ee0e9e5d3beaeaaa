// Rules of one container: its environment, limits, probes and hooks, and what it may do.
#include <algorithm>

#include "oci-spec/json/text.h"
#include "src/linux/capabilities.h"
#include "src/podfile/check.h"
#include "src/podfile/environment.h"
#include "src/podfile/quantity.h"

namespace ocirt::podfile {
namespace {

using manifest::Container;

std::optional<Finding> check_handlers(size_t count, std::string_view where,
                                      std::string_view known) {
  if (count == 1) return std::nullopt;
  return Finding{std::string(where),
                 cat(count == 0 ? "needs one of " : "has more than one of ", known)};
}

std::optional<Finding> check_port(const Container& container, std::string_view port,
                                  std::string where) {
  if (port_of(container, port)) return std::nullopt;
  return Finding{std::move(where), cat("expected a port from 1 to 65535 or the name of one of the "
                                       "container's ports, found ",
                                       quoted(port))};
}

// Looking names up takes a resolver of the pod's, and time that a probe has not got.
std::optional<Finding> check_host(const std::optional<std::string>& host, std::string where) {
  if (!host || host->empty() || is_address(*host)) return std::nullopt;
  return Finding{std::move(where),
                 cat("not supported: ", quoted(*host),
                     " is a name; expected an address, or none for the pod itself")};
}

std::optional<Finding> check_probe(const Container& container, const manifest::Probe& probe,
                                   std::string_view name, std::string_view container_place) {
  const std::string where = cat(container_place, ".", name);
  POD_CHECK(check_handlers(static_cast<size_t>(probe.exec.has_value()) +
                               static_cast<size_t>(probe.http_get.has_value()) +
                               static_cast<size_t>(probe.tcp_socket.has_value()),
                           where, "exec, httpGet and tcpSocket"));
  if (probe.http_get && probe.http_get->scheme == manifest::Scheme::kHttps) {
    return Finding{cat(where, ".httpGet.scheme"), "not supported: HTTPS; use exec"};
  }
  if (probe.http_get) {
    POD_CHECK(check_port(container, probe.http_get->port, cat(where, ".httpGet.port")));
    POD_CHECK(check_host(probe.http_get->host, cat(where, ".httpGet.host")));
  }
  if (probe.tcp_socket) {
    POD_CHECK(check_port(container, probe.tcp_socket->port, cat(where, ".tcpSocket.port")));
    POD_CHECK(check_host(probe.tcp_socket->host, cat(where, ".tcpSocket.host")));
  }
  if (name == "readinessProbe") {
    if (!probe.termination_grace_period_seconds) return std::nullopt;
    return Finding{cat(where, ".terminationGracePeriodSeconds"),
                   "a readiness probe ends no container"};
  }
  if (probe.success_threshold.value_or(1) <= 1) return std::nullopt;
  return Finding{cat(where, ".successThreshold"), "must be 1 but for a readiness probe"};
}

std::optional<Finding> check_hook(const Container& container, const manifest::Handler& hook,
                                  const std::string& where) {
  POD_CHECK(check_handlers(static_cast<size_t>(hook.exec.has_value()) +
                               static_cast<size_t>(hook.http_get.has_value()) +
                               static_cast<size_t>(hook.tcp_socket.has_value()) +
                               static_cast<size_t>(hook.sleep.has_value()),
                           where, "exec, httpGet and sleep"));
  if (hook.tcp_socket) {
    return Finding{cat(where, ".tcpSocket"), "not supported; use exec, httpGet or sleep"};
  }
  if (!hook.http_get) return std::nullopt;
  if (hook.http_get->scheme == manifest::Scheme::kHttps) {
    return Finding{cat(where, ".httpGet.scheme"), "not supported: HTTPS; use exec"};
  }
  POD_CHECK(check_host(hook.http_get->host, cat(where, ".httpGet.host")));
  return check_port(container, hook.http_get->port, cat(where, ".httpGet.port"));
}

// A config.json is UTF-8, and a variable ends at its first NUL.
std::optional<Finding> check_value(std::string_view value, std::string_view kind,
                                   std::string_view name, std::string_view key, std::string where) {
  if (!value.contains('\0') && oci::json::find_invalid_utf8(value) == std::string_view::npos)
    return std::nullopt;
  return Finding{std::move(where), cat("the ", kind, " ", quoted(name), " has bytes in ",
                                       quoted(key), " that cannot be in a variable")};
}

template <class Source>
std::optional<Finding> check_key(const Source* source, const manifest::KeySelector& selector,
                                 std::string_view kind, const std::string& where) {
  if (source == nullptr) {
    if (selector.optional) return std::nullopt;
    return Finding{cat(where, ".name"),
                   cat("there is no ", kind, " ", quoted(selector.name), " in the file")};
  }
  if (const std::string* value = value_in(*source, selector.key))
    return check_value(*value, kind, selector.name, selector.key, cat(where, ".key"));
  if (selector.optional) return std::nullopt;
  return Finding{cat(where, ".key"),
                 cat("the ", kind, " ", quoted(selector.name), " has no ", quoted(selector.key))};
}

std::optional<Finding> check_source(const File& file, const Container& container,
                                    const manifest::EnvSource& source, const std::string& where) {
  POD_CHECK(check_handlers(static_cast<size_t>(source.config_map_key_ref.has_value()) +
                               static_cast<size_t>(source.secret_key_ref.has_value()) +
                               static_cast<size_t>(source.field_ref.has_value()) +
                               static_cast<size_t>(source.resource_field_ref.has_value()),
                           where, "configMapKeyRef, secretKeyRef, fieldRef and resourceFieldRef"));
  if (source.config_map_key_ref) {
    return check_key(file.config_map(source.config_map_key_ref->name), *source.config_map_key_ref,
                     "ConfigMap", cat(where, ".configMapKeyRef"));
  }
  if (source.secret_key_ref) {
    return check_key(file.secret(source.secret_key_ref->name), *source.secret_key_ref, "Secret",
                     cat(where, ".secretKeyRef"));
  }
  if (source.resource_field_ref) {
    Result<std::string> value =
        resource_value(file.pod.spec, container, *source.resource_field_ref);
    if (value) return std::nullopt;
    return Finding{cat(where, ".resourceFieldRef"), std::move(value).error().text};
  }
  if (field_value(file.pod, source.field_ref->field_path, {})) return std::nullopt;
  return Finding{
      cat(where, ".fieldRef.fieldPath"),
      cat("not supported: ", quoted(source.field_ref->field_path), "; there are ", kKnownFields)};
}

std::optional<Finding> check_profile(const std::optional<manifest::Profile>& profile,
                                     std::string where) {
  if (!profile) return std::nullopt;
  const bool is_local = profile->type == manifest::ProfileType::kLocalhost;
  if (is_local == profile->localhost_profile.has_value()) return std::nullopt;
  return Finding{std::move(where), is_local ? "type Localhost needs localhostProfile"
                                            : "localhostProfile needs type Localhost"};
}

std::optional<Finding> check_app_armor(const std::optional<manifest::Profile>& profile,
                                       const std::string& where) {
  if (profile && profile->type == manifest::ProfileType::kRuntimeDefault) {
    return Finding{cat(where, ".type"),
                   "not supported: ocirt brings no AppArmor profile; Localhost names a loaded one"};
  }
  return check_profile(profile, where);
}

std::optional<Finding> check_capability_list(const std::vector<std::string>& names,
                                             std::string_view where) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "ALL") continue;
    const std::string full = names[i].starts_with("CAP_") ? names[i] : cat("CAP_", names[i]);
    if (capability_number(full)) continue;
    return Finding{cat(where, "[", i, "]"), cat("unknown capability ", quoted(names[i]))};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Finding> check_pod_security(const manifest::PodSecurityContext& security) {
  POD_CHECK(check_profile(security.seccomp_profile, "spec.securityContext.seccompProfile"));
  return check_app_armor(security.app_armor_profile, "spec.securityContext.appArmorProfile");
}

std::optional<uint16_t> port_of(const Container& container, std::string_view port) {
  if (const auto number = to_number<uint16_t>(port)) {
    return *number == 0 ? std::nullopt : number;
  }
  for (const manifest::ContainerPort& named : container.ports) {
    if (!port.empty() && named.name == port) return named.container_port;
  }
  return std::nullopt;
}

std::optional<Finding> check_actions(const Container& container, bool is_init,
                                     std::string_view where) {
  constexpr std::string_view kInit = "not for an init container, unless it is a sidecar";
  const struct {
    std::string_view name;
    const std::optional<manifest::Probe>& probe;
  } probes[] = {{"livenessProbe", container.liveness_probe},
                {"readinessProbe", container.readiness_probe},
                {"startupProbe", container.startup_probe}};
  for (const auto& [name, probe] : probes) {
    if (!probe) continue;
    if (is_init) return Finding{cat(where, ".", name), std::string(kInit)};
    POD_CHECK(check_probe(container, *probe, name, where));
  }
  if (!container.lifecycle) return std::nullopt;
  if (is_init) return Finding{cat(where, ".lifecycle"), std::string(kInit)};
  if (container.lifecycle->post_start) {
    POD_CHECK(check_hook(container, *container.lifecycle->post_start,
                         cat(where, ".lifecycle.postStart")));
  }
  if (container.lifecycle->pre_stop) {
    POD_CHECK(
        check_hook(container, *container.lifecycle->pre_stop, cat(where, ".lifecycle.preStop")));
  }
  return std::nullopt;
}

std::optional<Finding> check_environment(const File& file, const Container& container,
                                         std::string_view where) {
  for (size_t i = 0; i < container.env.size(); ++i) {
    const manifest::EnvVar& var = container.env[i];
    const std::string place = cat(where, ".env[", i, "]");
    if (var.name.empty() || var.name.contains('=')) {
      return Finding{cat(place, ".name"),
                     cat("expected a name without \"=\", found ", quoted(var.name))};
    }
    if (var.value && !var.value->empty() && var.value_from) {
      return Finding{cat(place, ".valueFrom"), "contradicts value"};
    }
    if (var.value_from)
      POD_CHECK(check_source(file, container, *var.value_from, cat(place, ".valueFrom")));
  }
  for (size_t i = 0; i < container.env_from.size(); ++i) {
    const manifest::EnvFrom& from = container.env_from[i];
    const std::string place = cat(where, ".envFrom[", i, "]");
    POD_CHECK(check_handlers(static_cast<size_t>(from.config_map_ref.has_value()) +
                                 static_cast<size_t>(from.secret_ref.has_value()),
                             place, "configMapRef and secretRef"));
    if (const manifest::Secret* secret =
            from.secret_ref ? file.secret(from.secret_ref->name) : nullptr) {
      for (const auto& [key, value] : secret->data) {
        if (!is_variable_name(cat(from.prefix, key))) continue;
        POD_CHECK(check_value(value, "Secret", from.secret_ref->name, key,
                              cat(place, ".secretRef.name")));
      }
    }
    if (from.config_map_ref && !from.config_map_ref->optional &&
        file.config_map(from.config_map_ref->name) == nullptr) {
      return Finding{
          cat(place, ".configMapRef.name"),
          cat("there is no ConfigMap ", quoted(from.config_map_ref->name), " in the file")};
    }
    if (from.secret_ref && !from.secret_ref->optional &&
        file.secret(from.secret_ref->name) == nullptr) {
      return Finding{cat(place, ".secretRef.name"),
                     cat("there is no Secret ", quoted(from.secret_ref->name), " in the file")};
    }
  }
  return std::nullopt;
}

bool is_resource(std::string_view list, std::string_view name) {
  // To ask for room on the disk is for schedulers; a limit to it would have to be kept.
  const bool for_schedulers = name == "ephemeral-storage" && list == "requests";
  return name == "cpu" || name == "memory" || name.starts_with("hugepages-") || for_schedulers;
}

std::optional<Finding> check_resources(const manifest::Resources& resources,
                                       std::string_view where) {
  const struct {
    std::string_view name;
    const oci::Map<std::string>& values;
  } lists[] = {{"limits", resources.limits}, {"requests", resources.requests}};
  for (const auto& [list, values] : lists) {
    for (const auto& [name, text] : values) {
      std::string place = cat(where, ".", list);
      oci::json::append_key(place, name);
      const bool huge = name.starts_with("hugepages-");
      if (!is_resource(list, name)) return Finding{std::move(place), std::string(kNoResource)};
      if (Result<int64_t> size = huge ? units(name.substr(10)) : int64_t{1}; !size || *size == 0) {
        return Finding{std::move(place), "expected a page size as in hugepages-2Mi"};
      }
      const Result<int64_t> value = name == "cpu" ? thousandths(text) : units(text);
      if (!value) return Finding{std::move(place), value.error().text};
      if (list != "limits") continue;
      if (*value == 0) return Finding{std::move(place), "must not be 0; leave it out for no limit"};
      const std::string* request = resources.requests.find(name);
      if (request == nullptr) continue;
      const Result<int64_t> asked = name == "cpu" ? thousandths(*request) : units(*request);
      if (asked && *asked > *value) {
        return Finding{cat(where, ".requests[\"", name, "\"]"),
                       cat(*request, " is more than the limit, ", text)};
      }
    }
  }
  return std::nullopt;
}

std::optional<Finding> check_security(const Container& container, std::string_view where) {
  if (!container.security_context) return std::nullopt;
  const manifest::SecurityContext& security = *container.security_context;
  const std::string place = cat(where, ".securityContext");
  POD_CHECK(check_profile(security.seccomp_profile, cat(place, ".seccompProfile")));
  POD_CHECK(check_app_armor(security.app_armor_profile, cat(place, ".appArmorProfile")));
  if (security.capabilities) {
    POD_CHECK(check_capability_list(security.capabilities->add, cat(place, ".capabilities.add")));
    POD_CHECK(check_capability_list(security.capabilities->drop, cat(place, ".capabilities.drop")));
  }
  if (security.allow_privilege_escalation == false) {
    if (security.privileged.value_or(false)) {
      return Finding{cat(place, ".allowPrivilegeEscalation"), "contradicts privileged: true"};
    }
    const auto& added =
        security.capabilities ? security.capabilities->add : std::vector<std::string>{};
    if (std::any_of(added.begin(), added.end(), [](const std::string& name) {
          return name == "ALL" || name == "SYS_ADMIN" || name == "CAP_SYS_ADMIN";
        })) {
      return Finding{cat(place, ".allowPrivilegeEscalation"),
                     "contradicts the capability SYS_ADMIN"};
    }
  }
  return std::nullopt;
}

}  // namespace ocirt::podfile
