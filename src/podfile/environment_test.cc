#include "src/podfile/environment.h"

#include <gtest/gtest.h>

#include "src/pod/addresses.h"

namespace ocirt::podfile {
namespace {

TEST(Expand, FollowsKubernetesRules) {
  const Environment known = {{"A", "1"}, {"EMPTY", ""}, {"B", "$(A)"}};
  EXPECT_EQ(expand("x$(A)y", known), "x1y");
  EXPECT_EQ(expand("$(EMPTY)", known), "");
  EXPECT_EQ(expand("$(UNKNOWN)", known), "$(UNKNOWN)");
  EXPECT_EQ(expand("$$(A)", known), "$(A)");
  EXPECT_EQ(expand("$$$(A)", known), "$1");
  EXPECT_EQ(expand("$A $ $(A", known), "$A $ $(A");
  EXPECT_EQ(expand("$(B)", known), "$(A)");          // what was inserted is not looked at again
  EXPECT_EQ(expand("$(B$(A))", known), "$(B$(A))");  // one name, that nobody has
  EXPECT_EQ(expand("$(B$(A)$(A)", known), "$(B$(A)1");
  EXPECT_EQ(expand("", known), "");
  EXPECT_EQ(expand("$()", known), "$()");
}

File file_with(manifest::Container container) {
  File file;
  file.pod.metadata.name = "web";
  file.pod.metadata.labels = {{"tier", "front"}};
  file.config_maps.push_back(
      {.metadata = {.name = "settings"}, .data = {{"mode", "fast"}, {"A=B", "x"}}});
  file.secrets.push_back({.metadata = {.name = "keys"}, .data = {{"token", "secret"}}});
  file.pod.spec.containers.push_back(std::move(container));
  return file;
}

Environment read(manifest::Container container) {
  const File file = file_with(std::move(container));
  return environment_of(file, file.pod.spec.containers[0], {.uid = "the-uid", .node = "host"});
}

TEST(Environment, LaterVariablesSeeAndReplaceEarlierOnes) {
  const Environment result = read({.env = {{.name = "A", .value = "1"},
                                           {.name = "B", .value = "$(A)$(C)"},
                                           {.name = "C", .value = "3"},
                                           {.name = "A", .value = "2"}}});
  EXPECT_EQ(*result.find("A"), "2");
  EXPECT_EQ(*result.find("B"), "1$(C)");
}

TEST(Environment, ConfigMapsComeFirstWithTheirPrefixAndEnvWins) {
  const Environment result = read(
      {.env_from = {{.prefix = "P_", .config_map_ref = manifest::Reference{.name = "settings"}},
                    {.secret_ref = manifest::Reference{.name = "keys"}}},
       .env = {{.name = "P_mode", .value = "$(P_mode)er"}}});
  EXPECT_EQ(*result.find("P_mode"), "faster");
  EXPECT_EQ(*result.find("token"), "secret");
  EXPECT_EQ(result.find("P_A=B"), nullptr);  // no name of a variable
}

TEST(Environment, BinaryDataOfAConfigMapIsNoVariable) {
  const auto file = read_pod_file(
      "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, image: "
      "'rootfs:/r', envFrom: [{configMapRef: {name: m}}], env: [{name: B, valueFrom: "
      "{configMapKeyRef: {name: m, key: bytes, optional: true}}}]}]}}\n---\n{apiVersion: v1, kind: "
      "ConfigMap, metadata: {name: m}, data: {text: x}, binaryData: {bytes: eA==}}\n",
      "f", {});
  ASSERT_TRUE(file) << file.error().message();
  const Environment result = environment_of(*file, file->pod.spec.containers[0], {});
  EXPECT_EQ(result, (Environment{{"text", "x"}}));
  EXPECT_EQ(*file->config_map("m")->data.find("bytes"), "x");  // but a file of a volume
}

TEST(Environment, AnOptionalKeyThatIsAbsentLeavesTheVariableOut) {
  const Environment result = read(
      {.env = {{.name = "A",
                .value_from =
                    manifest::EnvSource{
                        .secret_key_ref =
                            manifest::KeySelector{.name = "keys", .key = "no", .optional = true}}},
               {.name = "B",
                .value_from = manifest::EnvSource{
                    .secret_key_ref = manifest::KeySelector{.name = "keys", .key = "token"}}}}});
  EXPECT_EQ(result.find("A"), nullptr);
  EXPECT_EQ(*result.find("B"), "secret");
}

TEST(Environment, LimitsOfAContainerComeInUnitsOfTheDivisor) {
  manifest::PodSpec spec;
  spec.containers.push_back(
      {.name = "a",
       .resources = manifest::Resources{.limits = {{"cpu", "1500m"}, {"memory", "64Mi"}},
                                        .requests = {{"cpu", "100m"}}}});
  spec.containers.push_back({.name = "b"});
  const auto value = [&](const char* resource, std::optional<std::string> divisor = {},
                         std::optional<std::string> container = {}) {
    const auto found =
        resource_value(spec, spec.containers[container ? 1 : 0],
                       {.container_name = container, .resource = resource, .divisor = divisor});
    return found ? *found : found.error().text;
  };
  EXPECT_EQ(value("limits.cpu"), "2");
  EXPECT_EQ(value("limits.cpu", "1m"), "1500");
  EXPECT_EQ(value("limits.memory"), "67108864");
  EXPECT_EQ(value("limits.memory", "1Mi", "a"), "64");
  EXPECT_EQ(value("requests.cpu", "1m"), "100");
  EXPECT_EQ(value("requests.memory", "0"), "67108864");  // as the limit
  EXPECT_EQ(value("limits.cpu", {}, "b"), "container b has no resources.limits.cpu");
  EXPECT_TRUE(value("limits.cpu", "-1").starts_with("expected a quantity"));
  EXPECT_EQ(value("limits.cpu", {}, "c"), "there is no container \"c\"");
  EXPECT_TRUE(value("limits.disk").starts_with("not supported: \"limits.disk\""));
}

TEST(Environment, FieldsOfThePodAreItsMetadataAndWhatItIsGiven) {
  const PodFacts facts{.uid = "u", .node = "host"};
  const File file = file_with({});
  EXPECT_EQ(field_value(file.pod, "metadata.name", facts), "web");
  EXPECT_EQ(field_value(file.pod, "metadata.uid", facts), "u");
  EXPECT_EQ(field_value(file.pod, "metadata.labels['tier']", facts), "front");
  EXPECT_EQ(field_value(file.pod, "metadata.annotations['no']", facts), "");
  EXPECT_EQ(field_value(file.pod, "spec.nodeName", facts), "host");
  EXPECT_EQ(field_value(file.pod, "status.podIP", facts), pod::kPodIp);
  EXPECT_EQ(field_value(file.pod, "status.hostIP", facts), std::nullopt);
  EXPECT_EQ(field_value(file.pod, "metadata.labels", facts), std::nullopt);
}

}  // namespace
}  // namespace ocirt::podfile
