// A row per field: its name in the file, its member, whether it must be there, its bounds.
#include "src/podfile/rows.h"

namespace oci::schema {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace): the rows below are a page of names of that
// namespace
using namespace ocirt::podfile::manifest;

constexpr Rules kPort{.required = true, .minimum = 1};
constexpr Rules kId{.minimum = 0, .maximum = 4294967294};
constexpr Rules kMode{.maximum = 0777};
constexpr Rules kPositive{.minimum = 1, .maximum = 1'000'000'000};
constexpr Rules kSeconds{.maximum = 1'000'000'000};

constexpr Field kMetadata[] = {
    field<&Metadata::name>("name", kRequired),
    field<&Metadata::labels>("labels"),
    field<&Metadata::annotations>("annotations"),
    field<&Metadata::uid>("uid"),
};
constexpr Field kKeySelector[] = {
    field<&KeySelector::name>("name", kRequired),
    field<&KeySelector::key>("key", kRequired),
    field<&KeySelector::optional>("optional"),
};
constexpr Field kFieldSelector[] = {
    field<&FieldSelector::api_version>("apiVersion"),
    field<&FieldSelector::field_path>("fieldPath", kRequired),
};
constexpr Field kResourceSelector[] = {
    field<&ResourceSelector::container_name>("containerName"),
    field<&ResourceSelector::resource>("resource", kRequired),
    field<&ResourceSelector::divisor>("divisor"),
};
constexpr Field kEnvSource[] = {
    field<&EnvSource::config_map_key_ref>("configMapKeyRef"),
    field<&EnvSource::secret_key_ref>("secretKeyRef"),
    field<&EnvSource::field_ref>("fieldRef"),
    field<&EnvSource::resource_field_ref>("resourceFieldRef"),
};
constexpr Field kEnvVar[] = {
    field<&EnvVar::name>("name", kRequired),
    field<&EnvVar::value>("value"),
    field<&EnvVar::value_from>("valueFrom"),
};
constexpr Field kReference[] = {
    field<&Reference::name>("name", kRequired),
    field<&Reference::optional>("optional"),
};
constexpr Field kEnvFrom[] = {
    field<&EnvFrom::prefix>("prefix"),
    field<&EnvFrom::config_map_ref>("configMapRef"),
    field<&EnvFrom::secret_ref>("secretRef"),
};
constexpr Field kCapabilities[] = {
    field<&ocirt::podfile::manifest::Capabilities::add>("add"),
    field<&ocirt::podfile::manifest::Capabilities::drop>("drop"),
};
constexpr Field kProfile[] = {
    field<&Profile::type>("type", kRequired),
    field<&Profile::localhost_profile>("localhostProfile"),
};
constexpr Field kSecurityContext[] = {
    field<&SecurityContext::run_as_user>("runAsUser", kId),
    field<&SecurityContext::run_as_group>("runAsGroup", kId),
    field<&SecurityContext::run_as_non_root>("runAsNonRoot"),
    field<&SecurityContext::capabilities>("capabilities"),
    field<&SecurityContext::read_only_root_filesystem>("readOnlyRootFilesystem"),
    field<&SecurityContext::privileged>("privileged"),
    field<&SecurityContext::allow_privilege_escalation>("allowPrivilegeEscalation"),
    field<&SecurityContext::seccomp_profile>("seccompProfile"),
    field<&SecurityContext::app_armor_profile>("appArmorProfile"),
};
constexpr Field kSysctl[] = {
    field<&Sysctl::name>("name", kRequired),
    field<&Sysctl::value>("value", kRequired),
};
constexpr Field kPodSecurityContext[] = {
    field<&PodSecurityContext::run_as_user>("runAsUser", kId),
    field<&PodSecurityContext::run_as_group>("runAsGroup", kId),
    field<&PodSecurityContext::run_as_non_root>("runAsNonRoot"),
    field<&PodSecurityContext::fs_group>("fsGroup", kId),
    field<&PodSecurityContext::supplemental_groups>("supplementalGroups", kId),
    field<&PodSecurityContext::sysctls>("sysctls"),
    field<&PodSecurityContext::seccomp_profile>("seccompProfile"),
    field<&PodSecurityContext::app_armor_profile>("appArmorProfile"),
};
constexpr Field kExecAction[] = {
    field<&ExecAction::command>("command", {.required = true, .min_items = 1}),
};
constexpr Field kHeader[] = {
    field<&Header::name>("name", kRequired),
    field<&Header::value>("value", kRequired),
};
constexpr Field kHttpGet[] = {
    field<&HttpGet::path>("path"),
    field<&HttpGet::port>("port", kRequired),
    field<&HttpGet::host>("host"),
    field<&HttpGet::scheme>("scheme"),
    field<&HttpGet::http_headers>("httpHeaders"),
};
constexpr Field kTcpSocket[] = {
    field<&TcpSocket::port>("port", kRequired),
    field<&TcpSocket::host>("host"),
};
constexpr Field kSleep[] = {
    field<&Sleep::seconds>("seconds", {.required = true, .minimum = 0, .maximum = 1'000'000'000}),
};
constexpr Field kProbe[] = {
    field<&Probe::exec>("exec"),
    field<&Probe::http_get>("httpGet"),
    field<&Probe::tcp_socket>("tcpSocket"),
    field<&Probe::initial_delay_seconds>("initialDelaySeconds", kSeconds),
    field<&Probe::period_seconds>("periodSeconds", kPositive),
    field<&Probe::timeout_seconds>("timeoutSeconds", kPositive),
    field<&Probe::success_threshold>("successThreshold", kPositive),
    field<&Probe::failure_threshold>("failureThreshold", kPositive),
    field<&Probe::termination_grace_period_seconds>("terminationGracePeriodSeconds", kPositive),
};
constexpr Field kHandler[] = {
    field<&Handler::exec>("exec"),
    field<&Handler::http_get>("httpGet"),
    field<&Handler::tcp_socket>("tcpSocket"),
    field<&Handler::sleep>("sleep"),
};
constexpr Field kLifecycle[] = {
    field<&Lifecycle::post_start>("postStart"),
    field<&Lifecycle::pre_stop>("preStop"),
};
constexpr Field kContainerPort[] = {
    field<&ContainerPort::name>("name"),
    field<&ContainerPort::container_port>("containerPort", kPort),
    field<&ContainerPort::host_port>("hostPort"),
    field<&ContainerPort::host_ip>("hostIP"),
    field<&ContainerPort::protocol>("protocol"),
};
constexpr Field kVolumeMount[] = {
    field<&VolumeMount::name>("name", kRequired),
    field<&VolumeMount::mount_path>("mountPath", kRequired),
    field<&VolumeMount::sub_path>("subPath"),
    field<&VolumeMount::read_only>("readOnly"),
    field<&VolumeMount::mount_propagation>("mountPropagation"),
};
constexpr Field kResources[] = {
    field<&ocirt::podfile::manifest::Resources::limits>("limits"),
    field<&ocirt::podfile::manifest::Resources::requests>("requests"),
};
constexpr Field kContainer[] = {
    field<&Container::name>("name", kRequired),
    field<&Container::image>("image", kRequired),
    field<&Container::image_pull_policy>("imagePullPolicy"),
    field<&Container::command>("command"),
    field<&Container::args>("args"),
    field<&Container::working_dir>("workingDir"),
    field<&Container::ports>("ports"),
    field<&Container::env_from>("envFrom"),
    field<&Container::env>("env"),
    field<&Container::resources>("resources"),
    field<&Container::restart_policy>("restartPolicy"),
    field<&Container::volume_mounts>("volumeMounts"),
    field<&Container::liveness_probe>("livenessProbe"),
    field<&Container::readiness_probe>("readinessProbe"),
    field<&Container::startup_probe>("startupProbe"),
    field<&Container::lifecycle>("lifecycle"),
    field<&Container::security_context>("securityContext"),
    field<&Container::standard_input>("stdin"),
    field<&Container::standard_input_once>("stdinOnce"),
    field<&Container::tty>("tty"),
};
constexpr Field kKeyToPath[] = {
    field<&KeyToPath::key>("key", kRequired),
    field<&KeyToPath::path>("path", kRequired),
    field<&KeyToPath::mode>("mode", kMode),
};
constexpr Field kHostPath[] = {
    field<&HostPath::path>("path", kRequired),
    field<&HostPath::type>("type"),
};
constexpr Field kEmptyDir[] = {
    field<&EmptyDir::medium>("medium"),
    field<&EmptyDir::size_limit>("sizeLimit"),
};
constexpr Field kConfigMapVolume[] = {
    field<&ConfigMapVolume::name>("name", kRequired),
    field<&ConfigMapVolume::items>("items"),
    field<&ConfigMapVolume::default_mode>("defaultMode", kMode),
    field<&ConfigMapVolume::optional>("optional"),
};
constexpr Field kSecretVolume[] = {
    field<&SecretVolume::secret_name>("secretName", kRequired),
    field<&SecretVolume::items>("items"),
    field<&SecretVolume::default_mode>("defaultMode", kMode),
    field<&SecretVolume::optional>("optional"),
};
constexpr Field kVolume[] = {
    field<&Volume::name>("name", kRequired), field<&Volume::host_path>("hostPath"),
    field<&Volume::empty_dir>("emptyDir"),   field<&Volume::config_map>("configMap"),
    field<&Volume::secret>("secret"),
};
constexpr Field kDnsOption[] = {
    field<&DnsOption::name>("name", kRequired),
    field<&DnsOption::value>("value"),
};
constexpr Field kDnsConfig[] = {
    field<&DnsConfig::nameservers>("nameservers"),
    field<&DnsConfig::searches>("searches"),
    field<&DnsConfig::options>("options"),
};
constexpr Field kHostAlias[] = {
    field<&HostAlias::ip>("ip", kRequired),
    field<&HostAlias::hostnames>("hostnames", {.required = true, .min_items = 1}),
};
constexpr Field kPodSpec[] = {
    field<&PodSpec::init_containers>("initContainers"),
    field<&PodSpec::containers>("containers", {.required = true, .min_items = 1}),
    field<&PodSpec::volumes>("volumes"),
    field<&PodSpec::restart_policy>("restartPolicy"),
    field<&PodSpec::termination_grace_period_seconds>("terminationGracePeriodSeconds", kSeconds),
    field<&PodSpec::active_deadline_seconds>("activeDeadlineSeconds", kPositive),
    field<&PodSpec::hostname>("hostname"),
    field<&PodSpec::host_network>("hostNetwork"),
    field<&PodSpec::host_pid>("hostPID"),
    field<&PodSpec::host_ipc>("hostIPC"),
    field<&PodSpec::share_process_namespace>("shareProcessNamespace"),
    field<&PodSpec::dns_policy>("dnsPolicy"),
    field<&PodSpec::dns_config>("dnsConfig"),
    field<&PodSpec::host_aliases>("hostAliases"),
    field<&PodSpec::security_context>("securityContext"),
    field<&PodSpec::resources>("resources"),
};
constexpr Field kPod[] = {
    field<&Pod::api_version>("apiVersion", kRequired),
    field<&Pod::kind>("kind", kRequired),
    field<&Pod::metadata>("metadata", kRequired),
    field<&Pod::spec>("spec", kRequired),
};
constexpr Field kConfigMap[] = {
    field<&ConfigMap::api_version>("apiVersion", kRequired),
    field<&ConfigMap::kind>("kind", kRequired),
    field<&ConfigMap::metadata>("metadata", kRequired),
    field<&ConfigMap::data>("data"),
    field<&ConfigMap::binary_data>("binaryData"),
    field<&ConfigMap::immutable>("immutable"),
};
constexpr Field kSecret[] = {
    field<&Secret::api_version>("apiVersion", kRequired),
    field<&Secret::kind>("kind", kRequired),
    field<&Secret::metadata>("metadata", kRequired),
    field<&Secret::data>("data"),
    field<&Secret::string_data>("stringData"),
    field<&Secret::immutable>("immutable"),
    field<&Secret::type>("type"),
};

}  // namespace

#define OCIRT_DEFINE(name) \
  template <>              \
  constinit const Type Object<ocirt::podfile::manifest::name>::type = object(k##name);
OCIRT_MANIFEST_STRUCTS(OCIRT_DEFINE)
#undef OCIRT_DEFINE

}  // namespace oci::schema
