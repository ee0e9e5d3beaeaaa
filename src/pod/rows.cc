// Rows of pod.json (oci-spec/schema/field.h). The form is ours and may change: `version` says which
// one it is, and another one is refused instead of half understood, since the shim that reads it
// may be older or newer than the ocirt-pod that wrote it.
#include "oci-spec/json/reader.h"
#include "oci-spec/json/writer.h"
#include "oci-spec/schema/schema.h"
#include "src/base/text.h"
#include "src/pod/pod.h"

namespace ocirt::pod {

// Not in the anonymous namespace: the tables below are found by type.
struct PodDocument {
  int32_t version = 0;
  Pod pod;
};

static_assert(oci::names_agree(RestartPolicy::kOnFailure));
static_assert(oci::names_agree(Role::kSidecar));
static_assert(oci::names_agree(NetworkMode::kUser));
static_assert(oci::names_agree(Protocol::kUdp));
static_assert(oci::names_agree(Scheme::kHttps));
static_assert(oci::names_agree(RootfsType::kOverlay));
static_assert(oci::names_agree(MountType::kTmpfs));

}  // namespace ocirt::pod

namespace oci::schema {

namespace pod = ocirt::pod;

template <>
const Type Object<pod::Port>::type;
template <>
const Type Object<pod::Network>::type;
template <>
const Type Object<pod::HttpHeader>::type;
template <>
const Type Object<pod::HttpGet>::type;
template <>
const Type Object<pod::TcpSocket>::type;
template <>
const Type Object<pod::Probe>::type;
template <>
const Type Object<pod::Handler>::type;
template <>
const Type Object<pod::Rootfs>::type;
template <>
const Type Object<pod::Container>::type;
template <>
const Type Object<pod::PodMount>::type;
template <>
const Type Object<pod::Pod>::type;
template <>
const Type Object<pod::PodDocument>::type;

namespace {

constexpr Rules kPositive{.minimum = 1};

constexpr Field kPort[] = {
    OCI_FIELD(pod::Port, container, "container", kRequired),
    OCI_FIELD(pod::Port, name, "name"),
    OCI_FIELD(pod::Port, host_ip, "hostIP"),
    OCI_FIELD(pod::Port, container_port, "containerPort", {.required = true, .minimum = 1}),
    OCI_FIELD(pod::Port, host_port, "hostPort"),
    OCI_FIELD(pod::Port, protocol, "protocol"),
};

constexpr Field kPodNetwork[] = {
    OCI_FIELD(pod::Network, mode, "mode", kRequired),
    OCI_FIELD(pod::Network, cni, "cni"),
    OCI_FIELD(pod::Network, netns, "netns"),
    OCI_FIELD(pod::Network, ports, "ports"),
};

constexpr Field kHttpHeader[] = {
    OCI_FIELD(pod::HttpHeader, name, "name", kRequired),
    OCI_FIELD(pod::HttpHeader, value, "value", kRequired),
};

constexpr Field kHttpGet[] = {
    OCI_FIELD(pod::HttpGet, host, "host"),
    OCI_FIELD(pod::HttpGet, port, "port", {.required = true, .minimum = 1}),
    OCI_FIELD(pod::HttpGet, path, "path"),
    OCI_FIELD(pod::HttpGet, scheme, "scheme"),
    OCI_FIELD(pod::HttpGet, headers, "httpHeaders"),
};

constexpr Field kTcpSocket[] = {
    OCI_FIELD(pod::TcpSocket, host, "host"),
    OCI_FIELD(pod::TcpSocket, port, "port", {.required = true, .minimum = 1}),
};

constexpr Field kProbe[] = {
    OCI_FIELD(pod::Probe, exec, "exec"),
    OCI_FIELD(pod::Probe, http, "httpGet"),
    OCI_FIELD(pod::Probe, tcp, "tcpSocket"),
    OCI_FIELD(pod::Probe, initial_delay_seconds, "initialDelaySeconds"),
    OCI_FIELD(pod::Probe, period_seconds, "periodSeconds", kPositive),
    OCI_FIELD(pod::Probe, timeout_seconds, "timeoutSeconds", kPositive),
    OCI_FIELD(pod::Probe, success_threshold, "successThreshold", kPositive),
    OCI_FIELD(pod::Probe, failure_threshold, "failureThreshold", kPositive),
    OCI_FIELD(pod::Probe, termination_grace_seconds, "terminationGracePeriodSeconds", kPositive),
};

constexpr Field kHandler[] = {
    OCI_FIELD(pod::Handler, exec, "exec"),
    OCI_FIELD(pod::Handler, http, "httpGet"),
    OCI_FIELD(pod::Handler, sleep_seconds, "sleep"),
};

constexpr Field kRootfs[] = {
    OCI_FIELD(pod::Rootfs, type, "type", kRequired),
    OCI_FIELD(pod::Rootfs, source, "source", kRequired),
    OCI_FIELD(pod::Rootfs, options, "options"),
};

constexpr Field kContainer[] = {
    OCI_FIELD(pod::Container, name, "name", kRequired),
    OCI_FIELD(pod::Container, role, "role", kRequired),
    OCI_FIELD(pod::Container, bundle, "bundle", kRequired),
    OCI_FIELD(pod::Container, rootfs, "rootfs"),
    OCI_FIELD(pod::Container, restart, "restart"),
    OCI_FIELD(pod::Container, tty, "tty"),
    OCI_FIELD(pod::Container, stdin_open, "stdin"),
    OCI_FIELD(pod::Container, stdin_once, "stdinOnce"),
    OCI_FIELD(pod::Container, startup, "startupProbe"),
    OCI_FIELD(pod::Container, liveness, "livenessProbe"),
    OCI_FIELD(pod::Container, readiness, "readinessProbe"),
    OCI_FIELD(pod::Container, post_start, "postStart"),
    OCI_FIELD(pod::Container, pre_stop, "preStop"),
    OCI_FIELD(pod::Container, stop_signal, "stopSignal", {.minimum = 1, .maximum = 64}),
    OCI_FIELD(pod::Container, log_max_bytes, "logMaxBytes", kPositive),
    OCI_FIELD(pod::Container, log_max_files, "logMaxFiles", kPositive),
};

constexpr Field kPodMount[] = {
    OCI_FIELD(pod::PodMount, target, "target", kRequired),
    OCI_FIELD(pod::PodMount, type, "type", kRequired),
    OCI_FIELD(pod::PodMount, source, "source"),
    OCI_FIELD(pod::PodMount, inside, "inside"),
    OCI_FIELD(pod::PodMount, options, "options"),
};

constexpr Field kPod[] = {
    OCI_FIELD(pod::Pod, name, "name", kRequired),
    OCI_FIELD(pod::Pod, uid, "uid", kRequired),
    OCI_FIELD(pod::Pod, hostname, "hostname"),
    OCI_FIELD(pod::Pod, labels, "labels"),
    OCI_FIELD(pod::Pod, annotations, "annotations"),
    OCI_FIELD(pod::Pod, cgroup, "cgroup", kRequired),
    OCI_FIELD(pod::Pod, resources, "resources"),
    OCI_FIELD(pod::Pod, share_pid, "sharePid"),
    OCI_FIELD(pod::Pod, host_ipc, "hostIPC"),
    OCI_FIELD(pod::Pod, host_uts, "hostUTS"),
    OCI_FIELD(pod::Pod, network, "network", kRequired),
    OCI_FIELD(pod::Pod, wants_addresses, "wantsAddresses"),
    OCI_FIELD(pod::Pod, grace_seconds, "terminationGracePeriodSeconds"),
    OCI_FIELD(pod::Pod, active_deadline_seconds, "activeDeadlineSeconds", kPositive),
    OCI_FIELD(pod::Pod, restart_backoff_ms, "restartBackoffMs", kPositive),
    OCI_FIELD(pod::Pod, restart_backoff_max_ms, "restartBackoffMaxMs", kPositive),
    OCI_FIELD(pod::Pod, restart_backoff_reset_ms, "restartBackoffResetMs", kPositive),
    OCI_FIELD(pod::Pod, mounts, "mounts"),
    OCI_FIELD(pod::Pod, sysctls, "sysctls"),
    OCI_FIELD(pod::Pod, containers, "containers", {.required = true, .min_items = 1}),
};

constexpr Field kPodDocument[] = {
    OCI_FIELD(pod::PodDocument, version, "version", kRequired),
    OCI_FIELD(pod::PodDocument, pod, "pod", kRequired),
};

// What every later version keeps, whatever else it changes.
struct PodVersion {
  std::int32_t version = 0;
};
constexpr Field kPodVersion[] = {OCI_FIELD(PodVersion, version, "version", kRequired)};
constexpr Type kPodVersionType = object(kPodVersion);

}  // namespace

template <>
constinit const Type Object<pod::Port>::type = object(kPort);
template <>
constinit const Type Object<pod::Network>::type = object(kPodNetwork);
template <>
constinit const Type Object<pod::HttpHeader>::type = object(kHttpHeader);
template <>
constinit const Type Object<pod::HttpGet>::type = object(kHttpGet);
template <>
constinit const Type Object<pod::TcpSocket>::type = object(kTcpSocket);
template <>
constinit const Type Object<pod::Probe>::type = object(kProbe);
template <>
constinit const Type Object<pod::Handler>::type = object(kHandler);
template <>
constinit const Type Object<pod::Rootfs>::type = object(kRootfs);
template <>
constinit const Type Object<pod::Container>::type = object(kContainer);
template <>
constinit const Type Object<pod::PodMount>::type = object(kPodMount);
template <>
constinit const Type Object<pod::Pod>::type = object(kPod);
template <>
constinit const Type Object<pod::PodDocument>::type = object(kPodDocument);

}  // namespace oci::schema

namespace ocirt::pod {
namespace {

constexpr int32_t kVersion = 1;

Result<> check_version(std::string_view document, int32_t version) {
  if (version == kVersion) return {};
  return refuse(cat(document, ": written in form ", version,
                    " by another version of ocirt, this one reads form ", kVersion));
}

}  // namespace

std::string write_pod(const Pod& pod) {
  PodDocument document;
  document.version = kVersion;
  document.pod = pod;
  return oci::json::write(oci::schema::Object<PodDocument>::type, &document, false);
}

Result<Pod> read_pod(std::string_view json, std::string_view document) {
  PodDocument value;
  if (auto error =
          oci::json::read(json, document, oci::schema::Object<PodDocument>::type, &value)) {
    // A newer form may lack what is required here: then the version is the reason to give.
    oci::schema::PodVersion form;
    if (!oci::json::read(json, document, oci::schema::kPodVersionType, &form)) {
      TRY(check_version(document, form.version));
    }
    return refuse(error->message());
  }
  TRY(check_version(document, value.version));
  TRY(within(document, check_pod(value.pod)));
  return std::move(value.pod);
}

}  // namespace ocirt::pod
