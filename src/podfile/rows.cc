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
    OCI_FIELD(Metadata, name, "name", kRequired),
    OCI_FIELD(Metadata, labels, "labels"),
    OCI_FIELD(Metadata, annotations, "annotations"),
    OCI_FIELD(Metadata, uid, "uid"),
};
constexpr Field kKeySelector[] = {
    OCI_FIELD(KeySelector, name, "name", kRequired),
    OCI_FIELD(KeySelector, key, "key", kRequired),
    OCI_FIELD(KeySelector, optional, "optional"),
};
constexpr Field kFieldSelector[] = {
    OCI_FIELD(FieldSelector, api_version, "apiVersion"),
    OCI_FIELD(FieldSelector, field_path, "fieldPath", kRequired),
};
constexpr Field kResourceSelector[] = {
    OCI_FIELD(ResourceSelector, container_name, "containerName"),
    OCI_FIELD(ResourceSelector, resource, "resource", kRequired),
    OCI_FIELD(ResourceSelector, divisor, "divisor"),
};
constexpr Field kEnvSource[] = {
    OCI_FIELD(EnvSource, config_map_key_ref, "configMapKeyRef"),
    OCI_FIELD(EnvSource, secret_key_ref, "secretKeyRef"),
    OCI_FIELD(EnvSource, field_ref, "fieldRef"),
    OCI_FIELD(EnvSource, resource_field_ref, "resourceFieldRef"),
};
constexpr Field kEnvVar[] = {
    OCI_FIELD(EnvVar, name, "name", kRequired),
    OCI_FIELD(EnvVar, value, "value"),
    OCI_FIELD(EnvVar, value_from, "valueFrom"),
};
constexpr Field kReference[] = {
    OCI_FIELD(Reference, name, "name", kRequired),
    OCI_FIELD(Reference, optional, "optional"),
};
constexpr Field kEnvFrom[] = {
    OCI_FIELD(EnvFrom, prefix, "prefix"),
    OCI_FIELD(EnvFrom, config_map_ref, "configMapRef"),
    OCI_FIELD(EnvFrom, secret_ref, "secretRef"),
};
constexpr Field kCapabilities[] = {
    OCI_FIELD(ocirt::podfile::manifest::Capabilities, add, "add"),
    OCI_FIELD(ocirt::podfile::manifest::Capabilities, drop, "drop"),
};
constexpr Field kProfile[] = {
    OCI_FIELD(Profile, type, "type", kRequired),
    OCI_FIELD(Profile, localhost_profile, "localhostProfile"),
};
constexpr Field kSecurityContext[] = {
    OCI_FIELD(SecurityContext, run_as_user, "runAsUser", kId),
    OCI_FIELD(SecurityContext, run_as_group, "runAsGroup", kId),
    OCI_FIELD(SecurityContext, run_as_non_root, "runAsNonRoot"),
    OCI_FIELD(SecurityContext, capabilities, "capabilities"),
    OCI_FIELD(SecurityContext, read_only_root_filesystem, "readOnlyRootFilesystem"),
    OCI_FIELD(SecurityContext, privileged, "privileged"),
    OCI_FIELD(SecurityContext, allow_privilege_escalation, "allowPrivilegeEscalation"),
    OCI_FIELD(SecurityContext, seccomp_profile, "seccompProfile"),
    OCI_FIELD(SecurityContext, app_armor_profile, "appArmorProfile"),
};
constexpr Field kSysctl[] = {
    OCI_FIELD(Sysctl, name, "name", kRequired),
    OCI_FIELD(Sysctl, value, "value", kRequired),
};
constexpr Field kPodSecurityContext[] = {
    OCI_FIELD(PodSecurityContext, run_as_user, "runAsUser", kId),
    OCI_FIELD(PodSecurityContext, run_as_group, "runAsGroup", kId),
    OCI_FIELD(PodSecurityContext, run_as_non_root, "runAsNonRoot"),
    OCI_FIELD(PodSecurityContext, fs_group, "fsGroup", kId),
    OCI_FIELD(PodSecurityContext, supplemental_groups, "supplementalGroups", kId),
    OCI_FIELD(PodSecurityContext, sysctls, "sysctls"),
    OCI_FIELD(PodSecurityContext, seccomp_profile, "seccompProfile"),
    OCI_FIELD(PodSecurityContext, app_armor_profile, "appArmorProfile"),
};
constexpr Field kExecAction[] = {
    OCI_FIELD(ExecAction, command, "command", {.required = true, .min_items = 1}),
};
constexpr Field kHeader[] = {
    OCI_FIELD(Header, name, "name", kRequired),
    OCI_FIELD(Header, value, "value", kRequired),
};
constexpr Field kHttpGet[] = {
    OCI_FIELD(HttpGet, path, "path"),
    OCI_FIELD(HttpGet, port, "port", kRequired),
    OCI_FIELD(HttpGet, host, "host"),
    OCI_FIELD(HttpGet, scheme, "scheme"),
    OCI_FIELD(HttpGet, http_headers, "httpHeaders"),
};
constexpr Field kTcpSocket[] = {
    OCI_FIELD(TcpSocket, port, "port", kRequired),
    OCI_FIELD(TcpSocket, host, "host"),
};
constexpr Field kSleep[] = {
    OCI_FIELD(Sleep, seconds, "seconds",
              {.required = true, .minimum = 0, .maximum = 1'000'000'000}),
};
constexpr Field kProbe[] = {
    OCI_FIELD(Probe, exec, "exec"),
    OCI_FIELD(Probe, http_get, "httpGet"),
    OCI_FIELD(Probe, tcp_socket, "tcpSocket"),
    OCI_FIELD(Probe, initial_delay_seconds, "initialDelaySeconds", kSeconds),
    OCI_FIELD(Probe, period_seconds, "periodSeconds", kSeconds),
    OCI_FIELD(Probe, timeout_seconds, "timeoutSeconds", kSeconds),
    OCI_FIELD(Probe, success_threshold, "successThreshold", kSeconds),
    OCI_FIELD(Probe, failure_threshold, "failureThreshold", kSeconds),
    OCI_FIELD(Probe, termination_grace_period_seconds, "terminationGracePeriodSeconds", kPositive),
};
constexpr Field kHandler[] = {
    OCI_FIELD(Handler, exec, "exec"),
    OCI_FIELD(Handler, http_get, "httpGet"),
    OCI_FIELD(Handler, tcp_socket, "tcpSocket"),
    OCI_FIELD(Handler, sleep, "sleep"),
};
constexpr Field kLifecycle[] = {
    OCI_FIELD(Lifecycle, post_start, "postStart"),
    OCI_FIELD(Lifecycle, pre_stop, "preStop"),
};
constexpr Field kContainerPort[] = {
    OCI_FIELD(ContainerPort, name, "name"),
    OCI_FIELD(ContainerPort, container_port, "containerPort", kPort),
    OCI_FIELD(ContainerPort, host_port, "hostPort"),
    OCI_FIELD(ContainerPort, host_ip, "hostIP"),
    OCI_FIELD(ContainerPort, protocol, "protocol"),
};
constexpr Field kVolumeMount[] = {
    OCI_FIELD(VolumeMount, name, "name", kRequired),
    OCI_FIELD(VolumeMount, mount_path, "mountPath", kRequired),
    OCI_FIELD(VolumeMount, sub_path, "subPath"),
    OCI_FIELD(VolumeMount, read_only, "readOnly"),
    OCI_FIELD(VolumeMount, mount_propagation, "mountPropagation"),
};
constexpr Field kResources[] = {
    OCI_FIELD(ocirt::podfile::manifest::Resources, limits, "limits"),
    OCI_FIELD(ocirt::podfile::manifest::Resources, requests, "requests"),
};
constexpr Field kContainer[] = {
    OCI_FIELD(Container, name, "name", kRequired),
    OCI_FIELD(Container, image, "image", kRequired),
    OCI_FIELD(Container, image_pull_policy, "imagePullPolicy"),
    OCI_FIELD(Container, command, "command"),
    OCI_FIELD(Container, args, "args"),
    OCI_FIELD(Container, working_dir, "workingDir"),
    OCI_FIELD(Container, ports, "ports"),
    OCI_FIELD(Container, env_from, "envFrom"),
    OCI_FIELD(Container, env, "env"),
    OCI_FIELD(Container, resources, "resources"),
    OCI_FIELD(Container, restart_policy, "restartPolicy"),
    OCI_FIELD(Container, volume_mounts, "volumeMounts"),
    OCI_FIELD(Container, liveness_probe, "livenessProbe"),
    OCI_FIELD(Container, readiness_probe, "readinessProbe"),
    OCI_FIELD(Container, startup_probe, "startupProbe"),
    OCI_FIELD(Container, lifecycle, "lifecycle"),
    OCI_FIELD(Container, security_context, "securityContext"),
    OCI_FIELD(Container, standard_input, "stdin"),
    OCI_FIELD(Container, standard_input_once, "stdinOnce"),
    OCI_FIELD(Container, tty, "tty"),
};
constexpr Field kKeyToPath[] = {
    OCI_FIELD(KeyToPath, key, "key", kRequired),
    OCI_FIELD(KeyToPath, path, "path", kRequired),
    OCI_FIELD(KeyToPath, mode, "mode", kMode),
};
constexpr Field kHostPath[] = {
    OCI_FIELD(HostPath, path, "path", kRequired),
    OCI_FIELD(HostPath, type, "type"),
};
constexpr Field kEmptyDir[] = {
    OCI_FIELD(EmptyDir, medium, "medium"),
    OCI_FIELD(EmptyDir, size_limit, "sizeLimit"),
};
constexpr Field kConfigMapVolume[] = {
    OCI_FIELD(ConfigMapVolume, name, "name", kRequired),
    OCI_FIELD(ConfigMapVolume, items, "items"),
    OCI_FIELD(ConfigMapVolume, default_mode, "defaultMode", kMode),
    OCI_FIELD(ConfigMapVolume, optional, "optional"),
};
constexpr Field kSecretVolume[] = {
    OCI_FIELD(SecretVolume, secret_name, "secretName", kRequired),
    OCI_FIELD(SecretVolume, items, "items"),
    OCI_FIELD(SecretVolume, default_mode, "defaultMode", kMode),
    OCI_FIELD(SecretVolume, optional, "optional"),
};
constexpr Field kDownwardFile[] = {
    OCI_FIELD(DownwardFile, path, "path", kRequired),
    OCI_FIELD(DownwardFile, field_ref, "fieldRef"),
    OCI_FIELD(DownwardFile, resource_field_ref, "resourceFieldRef"),
    OCI_FIELD(DownwardFile, mode, "mode", kMode),
};
constexpr Field kDownwardVolume[] = {
    OCI_FIELD(DownwardVolume, items, "items"),
    OCI_FIELD(DownwardVolume, default_mode, "defaultMode", kMode),
};
constexpr Field kKeyProjection[] = {
    OCI_FIELD(KeyProjection, name, "name", kRequired),
    OCI_FIELD(KeyProjection, items, "items"),
    OCI_FIELD(KeyProjection, optional, "optional"),
};
constexpr Field kDownwardProjection[] = {
    OCI_FIELD(DownwardProjection, items, "items"),
};
constexpr Field kProjection[] = {
    OCI_FIELD(Projection, config_map, "configMap"),
    OCI_FIELD(Projection, secret, "secret"),
    OCI_FIELD(Projection, downward, "downwardAPI"),
};
constexpr Field kProjectedVolume[] = {
    OCI_FIELD(ProjectedVolume, sources, "sources"),
    OCI_FIELD(ProjectedVolume, default_mode, "defaultMode", kMode),
};
constexpr Field kVolume[] = {
    OCI_FIELD(Volume, name, "name", kRequired), OCI_FIELD(Volume, host_path, "hostPath"),
    OCI_FIELD(Volume, empty_dir, "emptyDir"),   OCI_FIELD(Volume, config_map, "configMap"),
    OCI_FIELD(Volume, secret, "secret"),        OCI_FIELD(Volume, downward, "downwardAPI"),
    OCI_FIELD(Volume, projected, "projected"),
};
constexpr Field kDnsOption[] = {
    OCI_FIELD(DnsOption, name, "name", kRequired),
    OCI_FIELD(DnsOption, value, "value"),
};
constexpr Field kDnsConfig[] = {
    OCI_FIELD(DnsConfig, nameservers, "nameservers"),
    OCI_FIELD(DnsConfig, searches, "searches"),
    OCI_FIELD(DnsConfig, options, "options"),
};
constexpr Field kHostAlias[] = {
    OCI_FIELD(HostAlias, ip, "ip", kRequired),
    OCI_FIELD(HostAlias, hostnames, "hostnames", {.required = true, .min_items = 1}),
};
constexpr Field kPodSpec[] = {
    OCI_FIELD(PodSpec, init_containers, "initContainers"),
    OCI_FIELD(PodSpec, containers, "containers", {.required = true, .min_items = 1}),
    OCI_FIELD(PodSpec, volumes, "volumes"),
    OCI_FIELD(PodSpec, restart_policy, "restartPolicy"),
    OCI_FIELD(PodSpec, termination_grace_period_seconds, "terminationGracePeriodSeconds", kSeconds),
    OCI_FIELD(PodSpec, active_deadline_seconds, "activeDeadlineSeconds", kPositive),
    OCI_FIELD(PodSpec, hostname, "hostname"),
    OCI_FIELD(PodSpec, host_network, "hostNetwork"),
    OCI_FIELD(PodSpec, host_pid, "hostPID"),
    OCI_FIELD(PodSpec, host_ipc, "hostIPC"),
    OCI_FIELD(PodSpec, share_process_namespace, "shareProcessNamespace"),
    OCI_FIELD(PodSpec, dns_policy, "dnsPolicy"),
    OCI_FIELD(PodSpec, dns_config, "dnsConfig"),
    OCI_FIELD(PodSpec, host_aliases, "hostAliases"),
    OCI_FIELD(PodSpec, security_context, "securityContext"),
    OCI_FIELD(PodSpec, resources, "resources"),
};
constexpr Field kPod[] = {
    OCI_FIELD(Pod, api_version, "apiVersion", kRequired),
    OCI_FIELD(Pod, kind, "kind", kRequired),
    OCI_FIELD(Pod, metadata, "metadata", kRequired),
    OCI_FIELD(Pod, spec, "spec", kRequired),
};
constexpr Field kConfigMap[] = {
    OCI_FIELD(ConfigMap, api_version, "apiVersion", kRequired),
    OCI_FIELD(ConfigMap, kind, "kind", kRequired),
    OCI_FIELD(ConfigMap, metadata, "metadata", kRequired),
    OCI_FIELD(ConfigMap, data, "data"),
    OCI_FIELD(ConfigMap, binary_data, "binaryData"),
    OCI_FIELD(ConfigMap, immutable, "immutable"),
};
constexpr Field kSecret[] = {
    OCI_FIELD(Secret, api_version, "apiVersion", kRequired),
    OCI_FIELD(Secret, kind, "kind", kRequired),
    OCI_FIELD(Secret, metadata, "metadata", kRequired),
    OCI_FIELD(Secret, data, "data"),
    OCI_FIELD(Secret, string_data, "stringData"),
    OCI_FIELD(Secret, immutable, "immutable"),
    OCI_FIELD(Secret, type, "type"),
};

}  // namespace

#define OCIRT_DEFINE(name) \
  template <>              \
  constinit const Type Object<ocirt::podfile::manifest::name>::type = object(k##name);
OCIRT_MANIFEST_STRUCTS(OCIRT_DEFINE)
#undef OCIRT_DEFINE

}  // namespace oci::schema
