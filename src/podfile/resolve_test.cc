#include "src/podfile/resolve.h"

#include <gmock/gmock.h>

#include "src/base/text.h"
#include "src/sys/test_directory.h"

namespace ocirt::podfile {
namespace {

using testing::ElementsAre;

class Resolve : public sys::TestDirectory {
 protected:
  // `spec` is YAML in flow style, without the braces; ROOT in it is a directory.
  Resolved resolved(std::string spec, std::string_view more = "",
                    std::string_view metadata = "name: web") {
    for (size_t at; (at = spec.find("ROOT")) != std::string::npos;) spec.replace(at, 4, path);
    const std::string text =
        cat("{apiVersion: v1, kind: Pod, metadata: {", metadata, "}, spec: {", spec, "}}\n", more);
    const auto file = read_pod_file(text, "f", {});
    if (!file) {
      ADD_FAILURE() << file.error().message();
      return {};
    }
    Result<Resolved> made = resolve(*file, pod::Layout(path, "web"),
                                    {.directory = path, .images = {}, .uid = "u", .node = {}});
    EXPECT_TRUE(made) << made.error().text;
    return made ? *std::move(made) : Resolved{};
  }
  static std::vector<std::string> below(const Resolved& resolved, std::string_view directory) {
    std::vector<std::string> paths;
    for (const Entry& entry : resolved.entries) {
      if (entry.path.starts_with(directory) && entry.path != directory)
        paths.push_back(entry.path.substr(directory.size()));
    }
    return paths;
  }
};

TEST_F(Resolve, InitContainersMayHaveThePortOfWhoComesAfterThem) {
  const Resolved pod = resolved(
      "initContainers: [{name: i, image: 'rootfs:ROOT', command: [x], ports: [{containerPort: 80, "
      "hostPort: 8080}, {containerPort: 81, hostPort: 8081}]}, {name: j, image: 'rootfs:ROOT', "
      "command: [x], ports: [{containerPort: 80}]}], containers: [{name: c, image: 'rootfs:ROOT', "
      "command: [x], ports: [{containerPort: 80, hostPort: 8080}]}]");
  std::vector<std::string> ports;
  ports.reserve(pod.pod.network.ports.size());
  for (const pod::Port& port : pod.pod.network.ports)
    ports.push_back(cat(port.container, " ", port.container_port, " ", port.host_port));
  EXPECT_THAT(ports, ElementsAre("i 80 0", "i 81 8081", "j 80 0", "c 80 8080"));
}

TEST_F(Resolve, OptionalItemsThatAreNotThereAreLeftOutAndPathsAreCleaned) {
  const Resolved pod = resolved(
      "containers: [{name: c, image: 'rootfs:ROOT', command: [x]}], volumes: [{name: v, secret: "
      "{secretName: s, optional: true, items: [{key: a, path: x//y}, {key: no, path: z}, {key: b, "
      "path: ./w}]}}]",
      "---\n{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: A, b: B}}\n");
  EXPECT_THAT(below(pod, "volumes/v"), ElementsAre("/x", "/x/y", "/w"));
}

TEST_F(Resolve, AProjectedVolumeHasTheFilesOfAllItsSources) {
  const Resolved pod = resolved(
      "securityContext: {fsGroup: 7}, containers: [{name: c, image: 'rootfs:ROOT', command: [x], "
      "resources: {limits: {cpu: 1500m}}}], volumes: [{name: v, projected: {defaultMode: 0400, "
      "sources: [{configMap: {name: m}}, {secret: {name: s, items: [{key: a, path: d//e, mode: "
      "0600}]}}, {secret: {name: s}}, {downwardAPI: {items: [{path: uid, fieldRef: {fieldPath: "
      "metadata.uid}}, {path: cpu, resourceFieldRef: {containerName: c, resource: limits.cpu}}]}}, "
      "{secret: {name: no, optional: true}}]}}]",
      "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: of map, b: B}}\n"
      "---\n{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: of secret}}\n");
  std::vector<std::string> files;
  for (const Entry& entry : pod.entries) {
    if (!entry.is_directory && entry.path.starts_with("volumes/"))
      files.push_back(
          cat(entry.path.substr(10), " ", entry.mode, " ", entry.group, " ", entry.content));
  }
  // Of two with one key the later one is the file. What the group is to read, it can.
  EXPECT_THAT(files, ElementsAre("a 288 7 of secret", "b 288 7 B", "d/e 416 7 of secret",
                                 "uid 288 7 u", "cpu 288 7 2"));
}

TEST_F(Resolve, AVolumeOfThePodsFieldsHasThemAsTheKubeletWritesThem) {
  const Resolved pod = resolved(
      "containers: [{name: c, image: 'rootfs:ROOT', command: [x]}], volumes: [{name: v, "
      "downwardAPI: {items: [{path: all, fieldRef: {fieldPath: metadata.annotations}}, {path: one, "
      "fieldRef: {fieldPath: \"metadata.annotations['b']\"}}]}}]",
      "", R"(name: web, annotations: {b: "a \"b\"\n\t\\\x7f", a: é})");
  std::vector<std::string> contents;
  for (const Entry& entry : pod.entries) {
    if (!entry.is_directory && entry.path.starts_with("volumes/"))
      contents.push_back(entry.content);
  }
  EXPECT_THAT(contents, ElementsAre("a=\"é\"\n"
                                    R"(b="a \"b\"\n\t\\\x7f")",
                                    "a \"b\"\n\t\\\x7f"));
}

TEST_F(Resolve, ZeroIsTheDefaultOfAProbe) {
  const Resolved pod = resolved(
      "containers: [{name: c, image: 'rootfs:ROOT', command: [x], livenessProbe: {exec: {command: "
      "[y]}, initialDelaySeconds: 0, periodSeconds: 0, timeoutSeconds: 0, successThreshold: 0, "
      "failureThreshold: 0}}]");
  pod::Probe expected;
  expected.exec = {"y"};
  EXPECT_EQ(pod.pod.containers.at(0).liveness, expected);
}

// As the kubelet has it: what env gives as a value, and neither valueFrom nor handlers.
TEST_F(Resolve, ProbesKnowTheValuesOfVariables) {
  const Resolved pod = resolved(
      "containers: [{name: c, image: 'rootfs:ROOT', command: [x], env: [{name: PORT, value: '80'}, "
      "{name: A, value: '$(PORT)'}, {name: N, valueFrom: {fieldRef: {fieldPath: metadata.name}}}], "
      "livenessProbe: {exec: {command: [ask, '$(PORT)$(N)', '$(A)', '$$(PORT)', $(cat /x)]}}, "
      "lifecycle: {preStop: {exec: {command: [end, $(PORT)]}}}}]");
  const pod::Container& container = pod.pod.containers.at(0);
  EXPECT_THAT(*container.liveness->exec,
              ElementsAre("ask", "80", "$(PORT)", "$(PORT)", "$(cat /x)"));
  EXPECT_THAT(*container.pre_stop->exec, ElementsAre("end", "$(PORT)"));
}

TEST_F(Resolve, MountPointsAreMadeInVolumesThatAreReadOnly) {
  const Resolved pod = resolved(
      "containers: [{name: c, image: 'rootfs:ROOT', command: [x], volumeMounts: [{name: m, "
      "mountPath: "
      "/m}, {name: m, mountPath: /n, subPath: k}, {name: e, mountPath: /m/x/y}, {name: e, "
      "mountPath: "
      "/m/x/y/z}, {name: m, mountPath: /m/x/file, subPath: k}, {name: h, mountPath: /m/k}, {name: "
      "h, "
      "mountPath: /m/host}, {name: e, mountPath: /n/no}, {name: e, mountPath: /mm}]}], volumes: "
      "[{name: m, configMap: {name: c}}, {name: e, emptyDir: {}}, {name: h, hostPath: {path: "
      "/dev/null}}]",
      "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {k: K}}\n");
  EXPECT_THAT(below(pod, "volumes/m"), ElementsAre("/k", "/x", "/x/y", "/x/file", "/host"));
  for (const Entry& entry : pod.entries) {
    const bool is_file = entry.path == "volumes/m/x/file" || entry.path == "volumes/m/host" ||
                         entry.path == "volumes/m/k";
    if (!entry.path.starts_with("volumes/m/")) continue;
    EXPECT_EQ(entry.is_directory, !is_file) << entry.path;
  }
}

}  // namespace
}  // namespace ocirt::podfile
