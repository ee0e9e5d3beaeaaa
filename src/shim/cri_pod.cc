#include "src/shim/cri_pod.h"

#include "src/base/text.h"
#include "src/wire/any.h"

namespace ocirt::shim {
namespace {

constexpr int kPod = 0;
constexpr int kNode = 2;
// Of containerd, also of its second generation.
constexpr std::string_view kPlugin = "/io.containerd.grpc.v1.cri/sandboxes/";

// As containerd writes it for a pause container.
std::string resolv_conf(const wire::DnsConfig& dns) {
  std::string text, line;
  for (size_t i = 0; i < dns.n_searches; ++i) line += cat(" ", dns.searches[i]);
  if (!line.empty()) text += cat("search", line, "\n");
  for (size_t i = 0; i < dns.n_servers; ++i) text += cat("nameserver ", dns.servers[i], "\n");
  line.clear();
  for (size_t i = 0; i < dns.n_options; ++i) line += cat(" ", dns.options[i]);
  if (!line.empty()) text += cat("options", line, "\n");
  return text;
}

// Without its last three components, PLUGIN, NAMESPACE and ID.
Result<std::string> top_of(const std::string& path) {
  size_t end = path.size();
  for (int i = 0; i < 3; ++i) {
    end = end == 0 ? std::string::npos : path.rfind('/', end - 1);
    if (end == std::string::npos || end == 0)
      return refuse(cat(path, " is not a directory of containerd's for a sandbox"));
  }
  return path.substr(0, end);
}

Result<std::string> id_map(const char* what, wire::PodIdMapping* const* rows, size_t count) {
  std::string lines;
  bool maps_root = false;
  for (size_t i = 0; i < count; ++i) {
    const wire::PodIdMapping& row = *rows[i];
    lines += cat(row.container_id, " ", row.host_id, " ", row.length, "\n");
    maps_root |= row.container_id == 0 && row.length != 0;
  }
  if (maps_root) return lines;
  return refuse(cat("userns_options.", what, ": id 0 is not mapped"));
}

Result<CriUsers> read_users(const wire::PodUserNamespace& options) {
  CriUsers users;
  users.uid_map = TRY(id_map("uids", options.uids, options.n_uids));
  users.gid_map = TRY(id_map("gids", options.gids, options.n_gids));
  return users;
}

}  // namespace

Result<CriPod> read_cri_pod(const wire::CreateSandboxRequest& request) {
  CriPod pod;
  pod.netns = request.netns_path;
  if (request.n_rootfs != 0) return refuse("not supported: a sandbox with a root file system");
  if (request.options == nullptr || request.options->type_url[0] == '\0') return pod;
  if (!wire::is_a(request.options, wire::kTypeUrl<wire::PodSandboxConfig>)) {
    return refuse(cat("not supported: options of a sandbox of type ", request.options->type_url,
                      ", expected ", wire::kTypeUrl<wire::PodSandboxConfig>));
  }
  const auto config = TRY(wire::parse_any<wire::PodSandboxConfig>(request.options));
  pod.hostname = config->hostname;
  if (config->dns_config != nullptr) pod.resolv_conf = resolv_conf(*config->dns_config);
  if (config->linux_config == nullptr) return pod;
  const wire::PodLinuxConfig& own = *config->linux_config;
  pod.cgroup_parent = own.cgroup_parent;
  for (size_t i = 0; i < own.n_sysctls; ++i)
    pod.sysctls.emplace_back(own.sysctls[i]->key, own.sysctls[i]->value);
  const wire::PodNamespaces* namespaces =
      own.security_context == nullptr ? nullptr : own.security_context->namespace_options;
  if (namespaces == nullptr) return pod;
  if (namespaces->userns_options != nullptr && namespaces->userns_options->mode == kPod) {
    pod.users = TRY(read_users(*namespaces->userns_options));
    pod.makes_network = pod.netns.empty() && namespaces->network == kPod;
  }
  pod.host_ipc = namespaces->ipc == kNode;
  pod.share_pid = namespaces->pid == kPod;
  return pod;
}

Result<CriPlaces> cri_places(const std::string& bundle, const std::string& work) {
  CriPlaces places;
  const std::string id = bundle.substr(bundle.rfind('/') + 1);
  places.files = cat(TRY(top_of(work)), kPlugin, id);
  places.shared_memory_parent = cat(TRY(top_of(bundle)), kPlugin, id);
  places.shared_memory = cat(places.shared_memory_parent, "/shm");
  places.own_shared_memory = cat(bundle, "/shm");
  places.first_process = cat(bundle, "/first-process");
  places.empty = cat(bundle, "/empty");
  return places;
}

}  // namespace ocirt::shim
