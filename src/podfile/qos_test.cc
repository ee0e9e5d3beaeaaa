#include "src/podfile/qos.h"

#include <gtest/gtest.h>

#include "src/base/text.h"
#include "src/podfile/file.h"

namespace ocirt::podfile {
namespace {

constexpr uint64_t kMemory = uint64_t{10} << 30;

manifest::PodSpec spec_of(std::string_view spec) {
  const std::string text =
      cat("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {", spec, "}}\n");
  const auto file = read_pod_file(text, "f", {});
  if (file) return file->pod.spec;
  ADD_FAILURE() << file.error().message();
  return {};
}

// Resources of the pod's containers.
Qos qos(const std::vector<std::string>& all, std::string_view more = "") {
  std::string containers;
  for (size_t i = 0; i < all.size(); ++i)
    containers += cat("{name: c", i, ", image: 'rootfs:/r', resources: {", all[i], "}}, ");
  return qos_of(spec_of(cat("containers: [", containers, "]", more)));
}

int score(std::string_view spec, size_t index = 0) {
  return oom_score_of(spec_of(spec), index, kMemory);
}

std::string one(std::string_view requests) {
  return cat("containers: [{name: c, image: 'rootfs:/r', resources: {requests: {", requests,
             "}}}]");
}

TEST(QosClass, IsBestEffortWhereNobodyAsksForProcessorsOrMemory) {
  EXPECT_EQ(qos({"", "limits: {hugepages-2Mi: 2Mi}, requests: {ephemeral-storage: 1Gi}"}),
            Qos::kBestEffort);
  EXPECT_EQ(qos({"requests: {cpu: '0', memory: '0'}"}), Qos::kBestEffort);
}

TEST(QosClass, IsGuaranteedWhereAllMayHaveJustWhatTheyAskFor) {
  EXPECT_EQ(qos({"limits: {cpu: 1, memory: 1Gi}"}), Qos::kGuaranteed);
  EXPECT_EQ(qos({"limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1000m, memory: 1024Mi}"}),
            Qos::kGuaranteed);
  EXPECT_EQ(qos({"limits: {cpu: 1, memory: 1Gi}", "limits: {cpu: 2, memory: 2Gi}"}),
            Qos::kGuaranteed);
}

TEST(QosClass, IsBurstableElse) {
  EXPECT_EQ(qos({"limits: {cpu: 1, memory: 1Gi}", ""}), Qos::kBurstable);
  EXPECT_EQ(qos({"limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}"}), Qos::kBurstable);
  EXPECT_EQ(qos({"limits: {memory: 1Gi}"}), Qos::kBurstable);
  EXPECT_EQ(qos({"requests: {cpu: 1m}"}), Qos::kBurstable);
}

TEST(QosClass, IsThatOfThePodsOwnResourcesWhereItHasThem) {
  EXPECT_EQ(qos({"", "limits: {memory: 1Gi}"}, ", resources: {limits: {cpu: 2, memory: 2Gi}}"),
            Qos::kGuaranteed);
  EXPECT_EQ(qos({"limits: {cpu: 1, memory: 1Gi}"}, ", resources: {limits: {cpu: 2}}"),
            Qos::kBurstable);
}

TEST(OomScore, IsLowerTheMoreOfTheMachinesMemoryWasAskedFor) {
  EXPECT_EQ(score("containers: [{name: c, image: 'rootfs:/r'}]"), 1000);
  EXPECT_EQ(score("containers: [{name: c, image: 'rootfs:/r', resources: {limits: {cpu: 1, memory: "
                  "1Mi}}}]"),
            -997);
  EXPECT_EQ(score(one("cpu: 1")), 999);
  EXPECT_EQ(score(one("memory: 1Mi")), 999);
  EXPECT_EQ(score(one("memory: 1Gi")), 900);
  EXPECT_EQ(score(one("memory: 9Gi")), 100);
  EXPECT_EQ(score(one("memory: 10Gi")), 3);
  EXPECT_EQ(score(one("memory: 4Ei")), 3);
  const std::string huge = "image: 'rootfs:/r', resources: {requests: {memory: 7Ei}}}";
  EXPECT_EQ(score(cat("containers: [{name: a, ", huge, ", {name: b, ", huge, "]")), 3);
  EXPECT_EQ(oom_score_of(spec_of(one("cpu: 1")), 0, 0), 999);
}

TEST(OomScore, OfASidecarIsNotAboveThatOfWhomItIsFor) {
  const std::string spec =
      "initContainers: [{name: i, image: 'rootfs:/r'}, {name: s, image: 'rootfs:/r', "
      "restartPolicy: Always}], containers: [{name: c, image: 'rootfs:/r', resources: {requests: "
      "{memory: 1Gi}}}, {name: d, image: 'rootfs:/r', resources: {requests: {memory: 2Gi}}}]";
  EXPECT_EQ(score(spec, 0), 999);
  EXPECT_EQ(score(spec, 1), 900);
  EXPECT_EQ(score(spec, 3), 800);
}

TEST(OomScore, HasAShareOfWhatThePodAsksForBesidesItsContainers) {
  const std::string spec =
      "resources: {requests: {memory: 5Gi}}, initContainers: [{name: i, image: 'rootfs:/r', "
      "resources: {requests: {memory: 3Gi}}}], containers: [{name: c, image: 'rootfs:/r', "
      "resources: {requests: {memory: 1Gi}}}]";
  EXPECT_EQ(score(spec, 0), 600);
  EXPECT_EQ(score(spec, 1), 800);
}

}  // namespace
}  // namespace ocirt::podfile
