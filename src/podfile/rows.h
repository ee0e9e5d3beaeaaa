// The tables that describe the structs of manifest.h, by oci-spec's declare-once mechanism, and the
// fields of Kubernetes that are known and refused.
#pragma once

#include <optional>
#include <string_view>

#include "oci-spec/schema/field.h"
#include "src/podfile/manifest.h"
#include "src/podfile/tree.h"

// One line per struct, so that rows can refer to each other.
#define OCIRT_MANIFEST_STRUCTS(row)                                                               \
  row(Metadata) row(KeySelector) row(FieldSelector) row(ResourceSelector) row(EnvSource)          \
      row(EnvVar) row(Reference) row(EnvFrom) row(Capabilities) row(Profile) row(SecurityContext) \
          row(Sysctl) row(PodSecurityContext) row(ExecAction) row(Header) row(HttpGet)            \
              row(TcpSocket) row(Sleep) row(Probe) row(Handler) row(Lifecycle) row(ContainerPort) \
                  row(VolumeMount) row(Resources) row(Container) row(KeyToPath) row(HostPath)     \
                      row(EmptyDir) row(ConfigMapVolume) row(SecretVolume) row(DownwardFile)      \
                          row(DownwardVolume) row(KeyProjection) row(DownwardProjection)          \
                              row(Projection) row(ProjectedVolume) row(Volume) row(DnsOption)     \
                                  row(DnsConfig) row(HostAlias) row(PodSpec) row(Pod)             \
                                      row(ConfigMap) row(Secret)

namespace oci::schema {
#define OCIRT_ANNOUNCE(name) \
  template <>                \
  const Type Object<ocirt::podfile::manifest::name>::type;
OCIRT_MANIFEST_STRUCTS(OCIRT_ANNOUNCE)
#undef OCIRT_ANNOUNCE
}  // namespace oci::schema

namespace ocirt::podfile {

// Why a field of Kubernetes is refused in objects of this type, or nothing when there is no such
// field.
std::optional<std::string_view> why_refused(const oci::schema::Type& object,
                                            std::string_view field);

// Whether such a field stands there without a wish: null, an empty text, list or map, or the value
// that a cluster writes into every pod.
bool asks_for_nothing(const oci::schema::Type& object, const Node& member);

}  // namespace ocirt::podfile
