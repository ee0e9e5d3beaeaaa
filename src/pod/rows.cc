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
    field<&pod::Port::container>("container", kRequired),
    field<&pod::Port::name>("name"),
    field<&pod::Port::host_ip>("hostIP"),
    field<&pod::Port::container_port>("containerPort", {.required = true, .minimum = 1}),
    field<&pod::Port::host_port>("hostPort"),
    field<&pod::Port::protocol>("protocol"),
};

constexpr Field kPodNetwork[] = {
    field<&pod::Network::mode>("mode", kRequired),
    field<&pod::Network::cni>("cni"),
    field<&pod::Network::netns>("netns"),
    field<&pod::Network::ports>("ports"),
};

constexpr Field kHttpHeader[] = {
    field<&pod::HttpHeader::name>("name", kRequired),
    field<&pod::HttpHeader::value>("value", kRequired),
};

constexpr Field kHttpGet[] = {
    field<&pod::HttpGet::host>("host"),
    field<&pod::HttpGet::port>("port", {.required = true, .minimum = 1}),
    field<&pod::HttpGet::path>("path"),
    field<&pod::HttpGet::scheme>("scheme"),
    field<&pod::HttpGet::headers>("httpHeaders"),
};

constexpr Field kTcpSocket[] = {
    field<&pod::TcpSocket::host>("host"),
    field<&pod::TcpSocket::port>("port", {.required = true, .minimum = 1}),
};

constexpr Field kProbe[] = {
    field<&pod::Probe::exec>("exec"),
    field<&pod::Probe::http>("httpGet"),
    field<&pod::Probe::tcp>("tcpSocket"),
    field<&pod::Probe::initial_delay_seconds>("initialDelaySeconds"),
    field<&pod::Probe::period_seconds>("periodSeconds", kPositive),
    field<&pod::Probe::timeout_seconds>("timeoutSeconds", kPositive),
    field<&pod::Probe::success_threshold>("successThreshold", kPositive),
    field<&pod::Probe::failure_threshold>("failureThreshold", kPositive),
    field<&pod::Probe::termination_grace_seconds>("terminationGracePeriodSeconds", kPositive),
};

constexpr Field kHandler[] = {
    field<&pod::Handler::exec>("exec"),
    field<&pod::Handler::http>("httpGet"),
    field<&pod::Handler::sleep_seconds>("sleep"),
};

constexpr Field kRootfs[] = {
    field<&pod::Rootfs::type>("type", kRequired),
    field<&pod::Rootfs::source>("source", kRequired),
    field<&pod::Rootfs::options>("options"),
};

constexpr Field kContainer[] = {
    field<&pod::Container::name>("name", kRequired),
    field<&pod::Container::role>("role", kRequired),
    field<&pod::Container::bundle>("bundle", kRequired),
    field<&pod::Container::rootfs>("rootfs"),
    field<&pod::Container::restart>("restart"),
    field<&pod::Container::tty>("tty"),
    field<&pod::Container::stdin_open>("stdin"),
    field<&pod::Container::stdin_once>("stdinOnce"),
    field<&pod::Container::startup>("startupProbe"),
    field<&pod::Container::liveness>("livenessProbe"),
    field<&pod::Container::readiness>("readinessProbe"),
    field<&pod::Container::post_start>("postStart"),
    field<&pod::Container::pre_stop>("preStop"),
    field<&pod::Container::stop_signal>("stopSignal", {.minimum = 1, .maximum = 64}),
    field<&pod::Container::log_max_bytes>("logMaxBytes", kPositive),
    field<&pod::Container::log_max_files>("logMaxFiles", kPositive),
};

constexpr Field kPodMount[] = {
    field<&pod::PodMount::target>("target", kRequired),
    field<&pod::PodMount::type>("type", kRequired),
    field<&pod::PodMount::source>("source"),
    field<&pod::PodMount::inside>("inside"),
    field<&pod::PodMount::options>("options"),
};

constexpr Field kPod[] = {
    field<&pod::Pod::name>("name", kRequired),
    field<&pod::Pod::uid>("uid", kRequired),
    field<&pod::Pod::hostname>("hostname"),
    field<&pod::Pod::labels>("labels"),
    field<&pod::Pod::annotations>("annotations"),
    field<&pod::Pod::cgroup>("cgroup", kRequired),
    field<&pod::Pod::resources>("resources"),
    field<&pod::Pod::share_pid>("sharePid"),
    field<&pod::Pod::host_ipc>("hostIPC"),
    field<&pod::Pod::host_uts>("hostUTS"),
    field<&pod::Pod::network>("network", kRequired),
    field<&pod::Pod::wants_addresses>("wantsAddresses"),
    field<&pod::Pod::grace_seconds>("terminationGracePeriodSeconds"),
    field<&pod::Pod::active_deadline_seconds>("activeDeadlineSeconds", kPositive),
    field<&pod::Pod::restart_backoff_ms>("restartBackoffMs", kPositive),
    field<&pod::Pod::restart_backoff_max_ms>("restartBackoffMaxMs", kPositive),
    field<&pod::Pod::restart_backoff_reset_ms>("restartBackoffResetMs", kPositive),
    field<&pod::Pod::mounts>("mounts"),
    field<&pod::Pod::sysctls>("sysctls"),
    field<&pod::Pod::containers>("containers", {.required = true, .min_items = 1}),
};

constexpr Field kPodDocument[] = {
    field<&pod::PodDocument::version>("version", kRequired),
    field<&pod::PodDocument::pod>("pod", kRequired),
};

// What every later version keeps, whatever else it changes.
struct PodVersion {
  std::int32_t version = 0;
};
constexpr Field kPodVersion[] = {field<&PodVersion::version>("version", kRequired)};
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
