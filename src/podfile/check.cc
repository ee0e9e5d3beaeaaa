// Names, and the pod's own fields.
#include "src/podfile/check.h"

#include <arpa/inet.h>

#include <algorithm>

#include "oci-spec/json/text.h"
#include "src/pod/paths.h"
#include "src/podfile/backoff.h"
#include "src/podfile/image.h"

namespace ocirt::podfile {
namespace {

using manifest::Container;
using manifest::PodSpec;

std::optional<Finding> check_label(std::string_view name, std::string property) {
  if (pod::is_dns_label(name)) return std::nullopt;
  return Finding{std::move(property), cat(quoted(name), " ", pod::kNameRule)};
}

std::optional<Finding> check_names(const PodSpec& spec) {
  for (size_t i = 0; i < container_count(spec); ++i) {
    const std::string& name = container_at(spec, i).name;
    std::string where = cat(place_of_container(spec, i), ".name");
    POD_CHECK(check_label(name, where));
    for (size_t j = 0; j < i; ++j) {
      if (container_at(spec, j).name == name) {
        return Finding{std::move(where),
                       cat(quoted(name), " is already the name of ", place_of_container(spec, j))};
      }
    }
  }
  return std::nullopt;
}

std::optional<Finding> check_container(const File& file, size_t index) {
  const PodSpec& spec = file.pod.spec;
  const Container& container = container_at(spec, index);
  const std::string where = place_of_container(spec, index);
  const bool is_init = index < spec.init_containers.size();
  if (Result<Image> image = parse_image(container.image); !image) {
    return Finding{cat(where, ".image"), image.error().text};
  }
  if (container.image_pull_policy == manifest::PullPolicy::kAlways) {
    return Finding{cat(where, ".imagePullPolicy"),
                   "cannot be honoured: nothing is pulled; expected IfNotPresent or Never"};
  }
  if (container.working_dir && !container.working_dir->starts_with('/')) {
    return Finding{cat(where, ".workingDir"), "must be an absolute path"};
  }
  if (container.restart_policy &&
      (!is_init || *container.restart_policy != manifest::RestartPolicy::kAlways)) {
    return Finding{cat(where, ".restartPolicy"),
                   is_init ? "expected Always, which makes a sidecar of an init container"
                           : "not supported here: only an init container has one of its own"};
  }
  POD_CHECK(check_environment(file, container, where));
  if (container.resources) {
    POD_CHECK(check_resources(*container.resources, cat(where, ".resources")));
  }
  POD_CHECK(check_actions(container, is_init && !container.restart_policy, where));
  return check_security(container, where);
}

std::optional<Finding> check_dns(const PodSpec& spec) {
  if (spec.dns_policy == manifest::DnsPolicy::kNone &&
      (!spec.dns_config || spec.dns_config->nameservers.empty())) {
    return Finding{"spec.dnsPolicy", "None needs nameservers in spec.dnsConfig"};
  }
  if (!spec.dns_config) return std::nullopt;
  const std::vector<std::string>& servers = spec.dns_config->nameservers;
  for (size_t i = 0; i < servers.size(); ++i) {
    if (!is_address(servers[i])) {
      return Finding{cat("spec.dnsConfig.nameservers[", i, "]"),
                     cat("expected an IP address, found ", quoted(servers[i]))};
    }
  }
  if (servers.size() > 3) {
    return Finding{"spec.dnsConfig.nameservers", "resolvers look at three at most"};
  }
  const auto has_blank = [](std::string_view text) {
    return text.empty() || text.find_first_of(" \t\r\n#;") != std::string_view::npos;
  };
  for (size_t i = 0; i < spec.dns_config->searches.size(); ++i) {
    if (has_blank(spec.dns_config->searches[i])) {
      return Finding{cat("spec.dnsConfig.searches[", i, "]"), "expected the name of a domain"};
    }
  }
  for (size_t i = 0; i < spec.dns_config->options.size(); ++i) {
    const manifest::DnsOption& option = spec.dns_config->options[i];
    if (has_blank(option.name) || (option.value && has_blank(*option.value))) {
      return Finding{cat("spec.dnsConfig.options[", i, "]"),
                     "expected a word, and a word as value"};
    }
  }
  return std::nullopt;
}

std::optional<Finding> check_host_aliases(const PodSpec& spec) {
  for (size_t i = 0; i < spec.host_aliases.size(); ++i) {
    const manifest::HostAlias& alias = spec.host_aliases[i];
    if (!is_address(alias.ip)) {
      return Finding{cat("spec.hostAliases[", i, "].ip"),
                     cat("expected an IP address, found ", quoted(alias.ip))};
    }
    for (size_t j = 0; j < alias.hostnames.size(); ++j) {
      const std::string& name = alias.hostnames[j];
      if (name.empty() || name.find_first_of(" \t\r\n#") != std::string_view::npos) {
        return Finding{cat("spec.hostAliases[", i, "].hostnames[", j, "]"),
                       cat("expected a host name, found ", quoted(name))};
      }
    }
  }
  return std::nullopt;
}

// What is not of the pod's own namespaces would change the host.
std::optional<Finding> check_sysctls(const PodSpec& spec) {
  if (!spec.security_context) return std::nullopt;
  const std::vector<manifest::Sysctl>& sysctls = spec.security_context->sysctls;
  for (size_t i = 0; i < sysctls.size(); ++i) {
    const std::string& name = sysctls[i].name;
    std::string where = cat("spec.securityContext.sysctls[", i, "].name");
    const bool net = name.starts_with("net.");
    const bool ipc = name.starts_with("kernel.shm") || name.starts_with("kernel.msg") ||
                     name == "kernel.sem" || name.starts_with("fs.mqueue.");
    if ((!net && !ipc) || name.find_first_of("/ \n") != std::string_view::npos ||
        name.find("..") != std::string_view::npos) {
      return Finding{std::move(where),
                     cat(quoted(name),
                         " would change the host: a pod may set net.*, kernel.shm*, kernel.msg*, "
                         "kernel.sem and fs.mqueue.*")};
    }
    if (net && spec.host_network) {
      return Finding{std::move(where),
                     cat(quoted(name), " would change the host: hostNetwork is true")};
    }
    if (ipc && spec.host_ipc) {
      return Finding{std::move(where),
                     cat(quoted(name), " would change the host: hostIPC is true")};
    }
  }
  return std::nullopt;
}

std::optional<Finding> check_annotations(const File& file) {
  const auto& annotations = file.pod.metadata.annotations;
  for (const auto& [name, value] : annotations) {
    // Kubernetes still does as this one says, from before there was a field.
    const bool armor = name.starts_with("container.apparmor.security.beta.kubernetes.io/");
    if (!armor && !name.starts_with("ocirt.pod/")) continue;
    std::string where = "metadata.annotations";
    oci::json::append_key(where, name);
    if (armor) {
      if (value == "unconfined") continue;
      return Finding{std::move(where),
                     "not supported; securityContext.appArmorProfile of the container is"};
    }
    if (name == kBackoffAnnotation) {
      if (read_waits(value)) continue;
      return Finding{
          std::move(where),
          cat("expected the first wait and the longest, as in \"10s 5m\", found ", quoted(value))};
    }
    if (name != kNetworkAnnotation) {
      return Finding{std::move(where), cat("unknown annotation of ocirt; there are ",
                                           kNetworkAnnotation, " and ", kBackoffAnnotation)};
    }
    const bool is_cni = value.starts_with("cni:") && value.size() > 4;
    if (value != "bridge" && value != "none" && !is_cni) {
      return Finding{std::move(where),
                     cat("expected bridge, cni:NAME or none, found ", quoted(value))};
    }
    if (file.pod.spec.host_network) {
      return Finding{std::move(where), "contradicts spec.hostNetwork: true"};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Finding> check_pod_fields(const File& file) {
  const PodSpec& spec = file.pod.spec;
  POD_CHECK(check_label(file.pod.metadata.name, "metadata.name"));
  if (spec.hostname) POD_CHECK(check_label(*spec.hostname, "spec.hostname"));
  if (spec.host_pid && spec.share_process_namespace) {
    return Finding{"spec.shareProcessNamespace", "contradicts hostPID: true"};
  }
  POD_CHECK(check_annotations(file));
  POD_CHECK(check_dns(spec));
  POD_CHECK(check_host_aliases(spec));
  POD_CHECK(check_sysctls(spec));
  if (spec.security_context) POD_CHECK(check_pod_security(*spec.security_context));
  if (spec.resources) POD_CHECK(check_resources(*spec.resources, "spec.resources"));
  return std::nullopt;
}

std::optional<Finding> check(const File& file) {
  const PodSpec& spec = file.pod.spec;
  POD_CHECK(check_pod_fields(file));
  POD_CHECK(check_names(spec));
  POD_CHECK(check_volumes(file));
  for (size_t i = 0; i < container_count(spec); ++i) POD_CHECK(check_container(file, i));
  return check_ports(spec);
}

size_t container_count(const PodSpec& spec) {
  return spec.init_containers.size() + spec.containers.size();
}

const Container& container_at(const PodSpec& spec, size_t index) {
  const size_t inits = spec.init_containers.size();
  return index < inits ? spec.init_containers[index] : spec.containers[index - inits];
}

std::string place_of_container(const PodSpec& spec, size_t index) {
  const size_t inits = spec.init_containers.size();
  return index < inits ? cat("spec.initContainers[", index, "]")
                       : cat("spec.containers[", index - inits, "]");
}

bool is_address(const std::string& text) {
  in6_addr address = {};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

}  // namespace ocirt::podfile
