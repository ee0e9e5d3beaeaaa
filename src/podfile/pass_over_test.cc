#include "src/podfile/pass_over.h"

#include <gmock/gmock.h>

#include "src/base/text.h"
#include "src/podfile/file.h"

namespace ocirt::podfile {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PassOver : public testing::Test {
 protected:
  // `container` and `spec` are YAML in flow style, a line each.
  File read(std::string_view container, std::string_view spec, std::string_view more = "") {
    const std::string text =
        cat("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [\n{name: c, "
            "image: 'rootfs:/r', ",
            container, "}],\n", spec, "}\n", more);
    ignored.clear();
    auto file = read_pod_file(text, "f", {.ignore_unknown = true, .ignored = &ignored});
    EXPECT_TRUE(file) << file.error().message();
    // Without the option each of it is an error.
    EXPECT_EQ(read_pod_file(text, "f", {}).has_value(), ignored.empty());
    return file ? *std::move(file) : File{};
  }

  std::vector<std::string> ignored;
};

TEST_F(PassOver, ResourcesThatNoCgroupLimits) {
  const File file = read(
      "resources: {limits: {ephemeral-storage: 1Gi, memory: 1Mi, 'nvidia.com/gpu': 1}, requests: "
      "{ephemeral-storage: 1Gi, x: 1}}",
      "resources: {limits: {y: 1}}");
  const manifest::Resources& left = *file.pod.spec.containers.at(0).resources;
  EXPECT_EQ(left.limits.size(), 1U);
  EXPECT_EQ(left.requests.size(), 1U);
  EXPECT_THAT(
      ignored,
      ElementsAre(
          "f:6:22: spec.resources.limits[\"y\"]: cannot be honoured: not supported; there are "
          "cpu, memory and hugepages-SIZE",
          "f:5:52: spec.containers[0].resources.limits[\"ephemeral-storage\"]: cannot be "
          "honoured: not supported; there are cpu, memory and hugepages-SIZE",
          "f:5:89: spec.containers[0].resources.limits[\"nvidia.com/gpu\"]: cannot be "
          "honoured: not supported; there are cpu, memory and hugepages-SIZE",
          "f:5:146: spec.containers[0].resources.requests[\"x\"]: cannot be honoured: not "
          "supported; there are cpu, memory and hugepages-SIZE"));
}

TEST_F(PassOver, ValuesThatAskForWhatThereIsNot) {
  const File file =
      read("imagePullPolicy: Always",
           "volumes: [{name: d, emptyDir: {sizeLimit: 1Gi}}, {name: m, emptyDir: {medium: Memory, "
           "sizeLimit: 1Mi}}]");
  EXPECT_EQ(file.pod.spec.containers.at(0).image_pull_policy, std::nullopt);
  EXPECT_EQ(file.pod.spec.volumes.at(0).empty_dir->size_limit, std::nullopt);
  EXPECT_EQ(file.pod.spec.volumes.at(1).empty_dir->size_limit, "1Mi");
  EXPECT_THAT(
      ignored,
      ElementsAre("f:5:31: spec.containers[0].imagePullPolicy: cannot be honoured: nothing is "
                  "pulled",
                  "f:6:32: spec.volumes[0].emptyDir.sizeLimit: cannot be honoured: not "
                  "supported but with medium: Memory"));
}

TEST_F(PassOver, AVolumeWithoutAnySourceThatIsLeftIsLeftOutWithItsMounts) {
  const File file = read(
      "volumeMounts: [{name: v, mountPath: /v}, {name: d, mountPath: /d}, {name: v, mountPath: "
      "/w}]",
      "volumes: [{name: v, persistentVolumeClaim: {claimName: x}}, {name: d, emptyDir: {}}]");
  EXPECT_EQ(file.pod.spec.volumes.at(0).name, "d");
  EXPECT_EQ(file.pod.spec.containers.at(0).volume_mounts.size(), 1U);
  EXPECT_THAT(
      ignored,
      ElementsAre("f:6:21: spec.volumes[0].persistentVolumeClaim: cannot be honoured: there "
                  "is no cluster to claim from; use hostPath",
                  "f:5:46: spec.containers[0].volumeMounts[0]: its volume \"v\" is left out",
                  "f:5:98: spec.containers[0].volumeMounts[2]: its volume \"v\" is left "
                  "out"));
}

// As a cluster writes it into every pod.
TEST_F(PassOver, OfAProjectedVolumeWhatIsOfACluster) {
  constexpr std::string_view kAccess =
      "volumes: [{name: v, projected: {defaultMode: 420, sources: [{serviceAccountToken: "
      "{expirationSeconds: 3607, path: token}}, {configMap: {name: kube-root-ca.crt, items: [{key: "
      "ca.crt, path: ca.crt}]}}, {downwardAPI: {items: [{path: namespace, fieldRef: {apiVersion: "
      "v1, fieldPath: metadata.namespace}}]}}]}}]";
  const File file = read("tty: false", kAccess);
  EXPECT_EQ(file.pod.spec.volumes.at(0).projected->sources.size(), 1U);
  EXPECT_THAT(
      ignored,
      ElementsAre("f:6:62: spec.volumes[0].projected.sources[0].serviceAccountToken: cannot be "
                  "honoured: it names an object of a cluster, and there is none",
                  "f:6:125: spec.volumes[0].projected.sources[1].configMap: cannot be honoured: a "
                  "cluster writes the ConfigMap \"kube-root-ca.crt\""));
  const File with = read("tty: false", kAccess,
                         "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: "
                         "kube-root-ca.crt}\ndata: {ca.crt: x}\n");
  EXPECT_EQ(with.pod.spec.volumes.at(0).projected->sources.size(), 2U);
  EXPECT_EQ(ignored.size(), 1U);
}

TEST_F(PassOver, AProjectedVolumeOfNothingElse) {
  const File file =
      read("volumeMounts: [{name: v, mountPath: /v}]",
           "volumes: [{name: v, projected: {sources: [{serviceAccountToken: {path: t}}]}}]");
  EXPECT_THAT(file.pod.spec.volumes, IsEmpty());
  EXPECT_THAT(file.pod.spec.containers.at(0).volume_mounts, IsEmpty());
  EXPECT_EQ(ignored.size(), 2U);
}

TEST_F(PassOver, WithOneLineWhateverTheNamesAre) {
  (void)read(
      "resources: {limits: {\"a\\nb\": 1}}, volumeMounts: [{name: \"v\\nw\", mountPath: /v}]",
      "volumes: [{name: \"v\\nw\", \"x\\ny\": {z: 1}}]");
  EXPECT_EQ(ignored.size(), 3U);
  for (const std::string& line : ignored) EXPECT_FALSE(line.contains('\n')) << line;
}

TEST_F(PassOver, NothingOfWhatIsThereAndWrong) {
  EXPECT_THAT(read("tty: false", "volumes: [{name: v, emptyDir: {}, csi: }]").pod.spec.volumes,
              testing::SizeIs(1));
  const auto refused = [&](std::string_view spec) {
    const std::string text = cat(
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: c, image: "
        "'rootfs:/r'}], ",
        spec, "}}");
    const auto file = read_pod_file(text, "f", {.ignore_unknown = true, .ignored = &ignored});
    return file ? "" : file.error().text;
  };
  EXPECT_EQ(refused("volumes: [{name: v}]"),
            "needs one of hostPath, emptyDir, configMap, secret, downwardAPI and projected");
  EXPECT_EQ(refused("volumes: [{name: v, projected: {sources: [{configMap: {name: m}}]}}]"),
            "there is no ConfigMap \"m\" in the file");
  EXPECT_EQ(refused("volumes: x"), "expected a list, found \"x\"");
  EXPECT_EQ(refused("resources: {limits: [x]}"), "expected a map, found a list");
}

}  // namespace
}  // namespace ocirt::podfile
