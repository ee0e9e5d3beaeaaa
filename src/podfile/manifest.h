// A Kubernetes v1 Pod as people write it, and the ConfigMaps and Secrets that stand beside it in
// the same file: plain structs whose members are the fields that ocirt-pod honours, under their
// names in snake_case. rows.cc has a row for each member and nothing else knows a field by its name
// in the file; fields of Kubernetes that cannot be honoured are in refused.cc.
//
// Numbers with units ("100m", "64Mi") and ports that may be names stay texts here; quantity.h and
// check.cc read them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/enumeration.h"
#include "oci-spec/map.h"
#include "src/pod/pod.h"

namespace ocirt::podfile::manifest {

using Names = std::span<const std::string_view>;

// These three mean the same in the resolved pod.
using pod::Protocol;
using pod::RestartPolicy;
using pod::Scheme;

// "Always" is refused by check.cc: nothing is ever pulled.
enum class PullPolicy : uint8_t { kAlways, kIfNotPresent, kNever };
inline constexpr std::string_view kPullPolicies[] = {"Always", "IfNotPresent", "Never"};
constexpr Names names_of(PullPolicy) { return kPullPolicies; }
static_assert(oci::names_agree(PullPolicy::kNever));

enum class ProfileType : uint8_t { kLocalhost, kRuntimeDefault, kUnconfined };
inline constexpr std::string_view kProfileTypes[] = {"Localhost", "RuntimeDefault", "Unconfined"};
constexpr Names names_of(ProfileType) { return kProfileTypes; }
static_assert(oci::names_agree(ProfileType::kUnconfined));

enum class Propagation : uint8_t { kBidirectional, kHostToContainer, kNone };
inline constexpr std::string_view kPropagations[] = {"Bidirectional", "HostToContainer", "None"};
constexpr Names names_of(Propagation) { return kPropagations; }
static_assert(oci::names_agree(Propagation::kNone));

enum class HostPathType : uint8_t {
  kBlockDevice,
  kCharDevice,
  kDirectory,
  kDirectoryOrCreate,
  kFile,
  kFileOrCreate,
  kSocket
};
inline constexpr std::string_view kHostPathTypes[] = {
    "BlockDevice", "CharDevice",   "Directory", "DirectoryOrCreate",
    "File",        "FileOrCreate", "Socket"};
constexpr Names names_of(HostPathType) { return kHostPathTypes; }
static_assert(oci::names_agree(HostPathType::kSocket));

enum class DnsPolicy : uint8_t { kClusterFirst, kClusterFirstWithHostNet, kDefault, kNone };
inline constexpr std::string_view kDnsPolicies[] = {"ClusterFirst", "ClusterFirstWithHostNet",
                                                    "Default", "None"};
constexpr Names names_of(DnsPolicy) { return kDnsPolicies; }
static_assert(oci::names_agree(DnsPolicy::kNone));

struct Metadata {
  std::string name = {};
  oci::Map<std::string> labels = {};
  oci::Map<std::string> annotations = {};
  std::optional<std::string> uid = {};
};

// ---- environment
// ----------------------------------------------------------------------------------
struct KeySelector {
  std::string name = {};  // of a ConfigMap or Secret
  std::string key = {};
  bool optional = false;
};
struct FieldSelector {
  std::optional<std::string> api_version = {};
  std::string field_path = {};
};
struct ResourceSelector {
  std::optional<std::string> container_name = {};  // absent: the one whose variable it is
  std::string resource = {};                       // "limits.memory"
  std::optional<std::string> divisor = {};
};
struct EnvSource {
  std::optional<KeySelector> config_map_key_ref = {};
  std::optional<KeySelector> secret_key_ref = {};
  std::optional<FieldSelector> field_ref = {};
  std::optional<ResourceSelector> resource_field_ref = {};
};
struct EnvVar {
  std::string name = {};
  std::optional<std::string> value = {};
  std::optional<EnvSource> value_from = {};
};
struct Reference {
  std::string name = {};
  bool optional = false;
};
struct EnvFrom {
  std::string prefix = {};
  std::optional<Reference> config_map_ref = {};
  std::optional<Reference> secret_ref = {};
};

// ---- security
// -------------------------------------------------------------------------------------
struct Capabilities {
  std::vector<std::string> add = {};
  std::vector<std::string> drop = {};
};
struct Profile {  // seccomp or AppArmor
  ProfileType type = ProfileType::kUnconfined;
  std::optional<std::string> localhost_profile = {};
};
struct SecurityContext {
  std::optional<int64_t> run_as_user = {};
  std::optional<int64_t> run_as_group = {};
  std::optional<bool> run_as_non_root = {};
  std::optional<Capabilities> capabilities = {};
  std::optional<bool> read_only_root_filesystem = {};
  std::optional<bool> privileged = {};
  std::optional<bool> allow_privilege_escalation = {};
  std::optional<Profile> seccomp_profile = {};
  std::optional<Profile> app_armor_profile = {};
};
struct Sysctl {
  std::string name = {};
  std::string value = {};
};
struct PodSecurityContext {
  std::optional<int64_t> run_as_user = {};
  std::optional<int64_t> run_as_group = {};
  std::optional<bool> run_as_non_root = {};
  std::optional<int64_t> fs_group = {};
  std::vector<int64_t> supplemental_groups = {};
  std::vector<Sysctl> sysctls = {};
  std::optional<Profile> seccomp_profile = {};
  std::optional<Profile> app_armor_profile = {};
};

// ---- probes and hooks
// -----------------------------------------------------------------------------
struct ExecAction {
  std::vector<std::string> command = {};
};
struct Header {
  std::string name = {};
  std::string value = {};
};
struct HttpGet {
  std::string path = "/";
  std::string port = {};  // a number, or the name of a port of the container
  std::optional<std::string> host = {};
  Scheme scheme = Scheme::kHttp;
  std::vector<Header> http_headers = {};
};
struct TcpSocket {
  std::string port = {};
  std::optional<std::string> host = {};
};
struct Sleep {
  int64_t seconds = 0;
};
struct Probe {
  std::optional<ExecAction> exec = {};
  std::optional<HttpGet> http_get = {};
  std::optional<TcpSocket> tcp_socket = {};
  std::optional<uint32_t> initial_delay_seconds = {};
  std::optional<uint32_t> period_seconds = {};
  std::optional<uint32_t> timeout_seconds = {};
  std::optional<uint32_t> success_threshold = {};
  std::optional<uint32_t> failure_threshold = {};
  std::optional<uint32_t> termination_grace_period_seconds = {};
};
struct Handler {
  std::optional<ExecAction> exec = {};
  std::optional<HttpGet> http_get = {};
  std::optional<TcpSocket> tcp_socket = {};
  std::optional<Sleep> sleep = {};
};
struct Lifecycle {
  std::optional<Handler> post_start = {};
  std::optional<Handler> pre_stop = {};
};

// ---- containers
// -----------------------------------------------------------------------------------
struct ContainerPort {
  std::string name = {};
  uint16_t container_port = 0;
  uint16_t host_port = 0;  // 0: not published
  std::string host_ip = {};
  Protocol protocol = Protocol::kTcp;
};
struct VolumeMount {
  std::string name = {};
  std::string mount_path = {};
  std::string sub_path = {};
  bool read_only = false;
  std::optional<Propagation> mount_propagation = {};
};
struct Resources {
  oci::Map<std::string> limits = {};
  oci::Map<std::string> requests = {};
};
struct Container {
  std::string name = {};
  std::string image = {};
  std::optional<PullPolicy> image_pull_policy = {};
  std::vector<std::string> command = {};
  std::vector<std::string> args = {};
  std::optional<std::string> working_dir = {};
  std::vector<ContainerPort> ports = {};
  std::vector<EnvFrom> env_from = {};
  std::vector<EnvVar> env = {};
  std::optional<Resources> resources = {};
  std::optional<RestartPolicy> restart_policy = {};  // init containers: Always makes it a sidecar
  std::vector<VolumeMount> volume_mounts = {};
  std::optional<Probe> liveness_probe = {};
  std::optional<Probe> readiness_probe = {};
  std::optional<Probe> startup_probe = {};
  std::optional<Lifecycle> lifecycle = {};
  std::optional<SecurityContext> security_context = {};
  bool standard_input = false;
  bool standard_input_once = false;
  bool tty = false;
};

// ---- volumes
// --------------------------------------------------------------------------------------
struct KeyToPath {
  std::string key = {};
  std::string path = {};
  std::optional<uint32_t> mode = {};
};
struct HostPath {
  std::string path = {};
  std::optional<HostPathType> type = {};
};
struct EmptyDir {
  std::string medium = {};  // "" or "Memory"
  std::optional<std::string> size_limit = {};
};
struct ConfigMapVolume {
  std::string name = {};
  std::vector<KeyToPath> items = {};
  uint32_t default_mode = 0644;
  bool optional = false;
};
struct SecretVolume {
  std::string secret_name = {};
  std::vector<KeyToPath> items = {};
  uint32_t default_mode = 0644;
  bool optional = false;
};
struct DownwardFile {  // exactly one of the two
  std::string path = {};
  std::optional<FieldSelector> field_ref = {};
  std::optional<ResourceSelector> resource_field_ref = {};
  std::optional<uint32_t> mode = {};
};
struct DownwardVolume {
  std::vector<DownwardFile> items = {};
  uint32_t default_mode = 0644;
};
struct KeyProjection {
  std::string name = {};  // of a ConfigMap or Secret
  std::vector<KeyToPath> items = {};
  bool optional = false;
};
struct DownwardProjection {
  std::vector<DownwardFile> items = {};
};
struct Projection {  // exactly one of the three
  std::optional<KeyProjection> config_map = {};
  std::optional<KeyProjection> secret = {};
  std::optional<DownwardProjection> downward = {};
};
struct ProjectedVolume {
  std::vector<Projection> sources = {};
  uint32_t default_mode = 0644;
};
struct Volume {  // exactly one of the six
  std::string name = {};
  std::optional<HostPath> host_path = {};
  std::optional<EmptyDir> empty_dir = {};
  std::optional<ConfigMapVolume> config_map = {};
  std::optional<SecretVolume> secret = {};
  std::optional<DownwardVolume> downward = {};
  std::optional<ProjectedVolume> projected = {};
};

// ---- the pod
// --------------------------------------------------------------------------------------
struct DnsOption {
  std::string name = {};
  std::optional<std::string> value = {};
};
struct DnsConfig {
  std::vector<std::string> nameservers = {};
  std::vector<std::string> searches = {};
  std::vector<DnsOption> options = {};
};
struct HostAlias {
  std::string ip = {};
  std::vector<std::string> hostnames = {};
};
struct PodSpec {
  std::vector<Container> init_containers = {};
  std::vector<Container> containers = {};
  std::vector<Volume> volumes = {};
  RestartPolicy restart_policy = RestartPolicy::kAlways;
  std::optional<uint32_t> termination_grace_period_seconds = {};
  std::optional<uint64_t> active_deadline_seconds = {};
  std::optional<std::string> hostname = {};
  bool host_network = false;
  bool host_pid = false;
  bool host_ipc = false;
  bool share_process_namespace = false;
  std::optional<DnsPolicy> dns_policy = {};
  std::optional<DnsConfig> dns_config = {};
  std::vector<HostAlias> host_aliases = {};
  std::optional<PodSecurityContext> security_context = {};
  std::optional<Resources> resources = {};
};
struct Pod {
  std::string api_version = {};
  std::string kind = {};
  Metadata metadata = {};
  PodSpec spec = {};
};

// ---- beside the pod
// -------------------------------------------------------------------------------
struct ConfigMap {
  std::string api_version = {};
  std::string kind = {};
  Metadata metadata = {};
  oci::Map<std::string> data = {};
  oci::Map<std::string> binary_data = {};  // in base64; when it is read, only the names of those
                                           // in `data` that are for volumes alone
  std::optional<bool> immutable = {};
};
struct Secret {
  std::string api_version = {};
  std::string kind = {};
  Metadata metadata = {};
  oci::Map<std::string> data = {};  // in base64
  oci::Map<std::string> string_data = {};
  std::optional<bool> immutable = {};
  std::optional<std::string> type = {};
};

}  // namespace ocirt::podfile::manifest
