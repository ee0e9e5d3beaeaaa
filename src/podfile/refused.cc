// Fields that Kubernetes has and a pod of one machine cannot honour. They are not unknown, so the
// message says why, and where there is one, what to write instead.
#include "src/base/text.h"
#include "src/podfile/rows.h"

namespace ocirt::podfile {
namespace {

struct Refused {
  std::string_view field;
  std::string_view why;
  // What it is in files that ask for nothing by it, words with blanks between: what a cluster
  // writes into every pod.
  std::string_view harmless = "";
};

constexpr std::string_view kScheduling = "there is one machine, and nothing to schedule";
constexpr std::string_view kCluster = "it names an object of a cluster, and there is none";
constexpr std::string_view kMessage = "not supported; `ocirt-pod logs` has what a container said";
constexpr std::string_view kWritten = "it is written by Kubernetes, and is no part of a pod file";

constexpr Refused kOfPod[] = {{"status", kWritten}};

constexpr Refused kOfMetadata[] = {
    {"namespace", "pods of one machine have one space of names", "default"},
    {"generateName", "a pod has the name that its file gives"},
    {"creationTimestamp", kWritten},
    {"deletionTimestamp", kWritten},
    {"deletionGracePeriodSeconds", kWritten},
    {"resourceVersion", kWritten},
    {"generation", kWritten},
    {"selfLink", kWritten},
    {"managedFields", kWritten},
    {"ownerReferences", kCluster},
    {"finalizers", kCluster},
};

constexpr Refused kOfPodSpec[] = {
    {"affinity", kScheduling},
    {"automountServiceAccountToken", kCluster, "false"},
    {"enableServiceLinks", kCluster, "false true"},  // of services, and there are none
    {"ephemeralContainers", "not supported; `ocirt-pod exec` runs programs in containers"},
    {"hostUsers", "not supported: user namespaces for pods", "true"},
    {"imagePullSecrets", "nothing is pulled: images are directories of this machine"},
    {"nodeName", kScheduling},
    {"nodeSelector", kScheduling},
    {"os", kScheduling},
    {"overhead", kScheduling},
    {"preemptionPolicy", kScheduling, "PreemptLowerPriority"},
    {"priority", kScheduling, "0"},
    {"priorityClassName", kScheduling},
    {"readinessGates", kCluster},
    {"resourceClaims", kCluster},
    {"runtimeClassName", "the runtime is ocirt"},
    {"schedulerName", kScheduling, "default-scheduler"},
    {"schedulingGates", kScheduling},
    {"serviceAccount", kCluster, "default"},
    {"serviceAccountName", kCluster, "default"},
    {"setHostnameAsFQDN", "there is no cluster that has a domain", "false"},
    {"subdomain", "there is no cluster that has a domain"},
    {"tolerations", kScheduling},
    {"topologySpreadConstraints", kScheduling},
};

constexpr Refused kOfContainer[] = {
    {"resizePolicy", "not supported"},
    {"restartPolicyRules", "not supported"},
    {"terminationMessagePath", kMessage, "/dev/termination-log"},
    {"terminationMessagePolicy", kMessage, "File"},
    {"volumeDevices", "not supported; a device is a hostPath of type BlockDevice or CharDevice"},
};

constexpr Refused kOfVolume[] = {
    {"awsElasticBlockStore", kCluster},
    {"azureDisk", kCluster},
    {"azureFile", kCluster},
    {"cephfs", "not supported; mount it on the host, and use hostPath"},
    {"cinder", kCluster},
    {"csi", kCluster},
    {"ephemeral", kCluster},
    {"fc", "not supported; mount it on the host, and use hostPath"},
    {"flexVolume", kCluster},
    {"flocker", kCluster},
    {"gcePersistentDisk", kCluster},
    {"gitRepo", "not supported; use hostPath"},
    {"glusterfs", "not supported; mount it on the host, and use hostPath"},
    {"image", "not supported; use hostPath"},
    {"iscsi", "not supported; mount it on the host, and use hostPath"},
    {"nfs", "not supported; mount it on the host, and use hostPath"},
    {"persistentVolumeClaim", "there is no cluster to claim from; use hostPath"},
    {"photonPersistentDisk", kCluster},
    {"portworxVolume", kCluster},
    {"quobyte", kCluster},
    {"rbd", "not supported; mount it on the host, and use hostPath"},
    {"scaleIO", kCluster},
    {"storageos", kCluster},
    {"vsphereVolume", kCluster},
};

constexpr Refused kOfProjection[] = {
    {"clusterTrustBundle", kCluster},
    {"podCertificate", kCluster},
    {"serviceAccountToken", kCluster},
};

constexpr Refused kOfVolumeMount[] = {
    {"recursiveReadOnly", "not supported; readOnly is"},
    {"subPathExpr", "not supported; subPath is"},
};

constexpr Refused kOfSecurity[] = {
    {"fsGroupChangePolicy",
     "not supported: fsGroup changes volumes of the pod only, when they are made"},
    {"procMount", "not supported", "Default"},
    {"seLinuxChangePolicy", "not supported"},
    {"seLinuxOptions", "not supported"},
    {"supplementalGroupsPolicy", "not supported", "Merge"},
    {"windowsOptions", "this is Linux"},
};

constexpr Refused kOfProbe[] = {{"grpc", "not supported; use exec, httpGet or tcpSocket"}};
constexpr Refused kOfLifecycle[] = {{"stopSignal", "not supported: containers get TERM"}};
constexpr Refused kOfEnvSource[] = {
    {"fileKeyRef", "not supported; use configMapKeyRef"},
};
constexpr Refused kOfResources[] = {{"claims", kCluster}};

struct Table {
  const oci::schema::Type* type;
  std::span<const Refused> fields;
};

template <class Struct>
constexpr const oci::schema::Type* type_of() {
  return &oci::schema::Object<Struct>::type;
}

constexpr Table kTables[] = {
    {type_of<manifest::Pod>(), kOfPod},
    {type_of<manifest::Metadata>(), kOfMetadata},
    {type_of<manifest::PodSpec>(), kOfPodSpec},
    {type_of<manifest::Container>(), kOfContainer},
    {type_of<manifest::Volume>(), kOfVolume},
    {type_of<manifest::Projection>(), kOfProjection},
    {type_of<manifest::VolumeMount>(), kOfVolumeMount},
    {type_of<manifest::SecurityContext>(), kOfSecurity},
    {type_of<manifest::PodSecurityContext>(), kOfSecurity},
    {type_of<manifest::Probe>(), kOfProbe},
    {type_of<manifest::Lifecycle>(), kOfLifecycle},
    {type_of<manifest::EnvSource>(), kOfEnvSource},
    {type_of<manifest::Resources>(), kOfResources},
};

const Refused* find(const oci::schema::Type& object, std::string_view field) {
  for (const Table& table : kTables) {
    if (table.type != &object) continue;
    for (const Refused& refused : table.fields) {
      if (refused.field == field) return &refused;
    }
  }
  return nullptr;
}

}  // namespace

std::optional<std::string_view> why_refused(const oci::schema::Type& object,
                                            std::string_view field) {
  const Refused* refused = find(object, field);
  return refused != nullptr ? std::optional(refused->why) : std::nullopt;
}

bool asks_for_nothing(const oci::schema::Type& object, const Node& member) {
  const Refused* refused = find(object, member.name);
  if (refused == nullptr) return false;
  switch (member.kind) {
    case Node::Kind::kNull:
      return true;
    case Node::Kind::kScalar:
      for (std::string_view harmless : split(refused->harmless, ' ')) {
        if (member.text == harmless) return true;  // an empty text too
      }
      return member.text.empty();
    case Node::Kind::kList:
    case Node::Kind::kMap:
      break;
  }
  return member.items.empty();
}

}  // namespace ocirt::podfile
