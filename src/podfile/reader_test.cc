#include "src/podfile/reader.h"

#include <gtest/gtest.h>

#include "src/base/text.h"
#include "src/podfile/rows.h"
#include "src/podfile/yaml.h"

namespace ocirt::podfile {
namespace {

using manifest::Container;

oci::Result<Container> read(std::string_view yaml, const ReadOptions& options = {}) {
  const auto documents = read_yaml(yaml, "f");
  Container container;
  if (auto error = read_tree(documents->at(0), "f", oci::schema::Object<Container>::type,
                             &container, options)) {
    return std::unexpected(*std::move(error));
  }
  return container;
}

std::string error_of(std::string_view yaml) {
  const auto container = read(yaml);
  return container ? "accepted" : container.error().message();
}

TEST(Reader, ATextIsWhatIsWrittenWhateverItLooksLike) {
  const auto container = read(
      "{name: on, image: 1.10, env: [{name: A, value: NO}, {name: B, value: 0755}, {name: C, "
      "value: true}]}");
  ASSERT_TRUE(container);
  EXPECT_EQ(container->name, "on");
  EXPECT_EQ(container->image, "1.10");
  EXPECT_EQ(container->env[0].value, "NO");
  EXPECT_EQ(container->env[1].value, "0755");
  EXPECT_EQ(container->env[2].value, "true");
}

TEST(Reader, AModeMayBeOctalInBothWaysOfWritingIt) {
  for (const char* text : {"0640", "0o640", "416"}) {
    const auto documents = read_yaml(std::string("{key: k, path: p, mode: ") + text + "}", "f");
    manifest::KeyToPath item;
    ASSERT_FALSE(read_tree(documents->at(0), "f", oci::schema::Object<manifest::KeyToPath>::type,
                           &item, {}));
    EXPECT_EQ(item.mode, 0640U) << text;
  }
}

TEST(Reader, AnEmptyTextIsTheSameAsAbsent) {
  const auto container = read(
      "{name: a, image: b, workingDir: '', imagePullPolicy: \"\", volumeDevices: '',"
      " livenessProbe: {httpGet: {path: '', port: 80, scheme: ''}}, args: ['']}");
  ASSERT_TRUE(container) << container.error().message();
  EXPECT_FALSE(container->working_dir);
  EXPECT_FALSE(container->image_pull_policy);
  EXPECT_EQ(container->liveness_probe->http_get->path, "/");
  EXPECT_EQ(container->args, std::vector<std::string>{""});
  EXPECT_EQ(error_of("{name: '', image: b}"), "accepted");  // for others to refuse
  EXPECT_EQ(error_of("{name: a, image: b, tty: ''}"),
            "f:1:26: tty: expected true or false, found the text \"\"; leave out the quotes");
}

TEST(Reader, NothingIsTheSameAsAbsent) {
  const auto container = read("{name: a, image: b, args: null, env: , tty: ~}");
  ASSERT_TRUE(container);
  EXPECT_TRUE(container->args.empty());
  EXPECT_FALSE(container->tty);
  EXPECT_EQ(error_of("{name: ~, image: b}"), "f:1:1: name: required, but missing");
  EXPECT_EQ(error_of("{name: a, image: b, args: [~]}"),
            "f:1:28: args[0]: expected a text, found nothing");
}

TEST(Reader, WrongKindsAreNamedWithWhatWasFound) {
  EXPECT_EQ(error_of("{name: [x], image: b}"), "f:1:8: name: expected a text, found a list");
  EXPECT_EQ(error_of("{name: a, image: b, args: x}"), "f:1:27: args: expected a list, found \"x\"");
  EXPECT_EQ(error_of("{name: a, image: b, resources: []}"),
            "f:1:32: resources: expected a map, found a list");
  EXPECT_EQ(error_of("{name: a, image: b, tty: \"true\"}"),
            "f:1:26: tty: expected true or false, found the text \"true\"; leave out the quotes");
  EXPECT_EQ(error_of("{name: a, image: b, ports: [{containerPort: 8o80}]}"),
            "f:1:45: ports[0].containerPort: expected an integer, found \"8o80\"");
  EXPECT_EQ(error_of("{name: a, image: b, ports: [{containerPort: 0080}]}"),
            "f:1:45: ports[0].containerPort: expected an integer, found \"0080\"");
  EXPECT_EQ(error_of("{name: a, image: b, ports: [{containerPort: 1, hostPort: -1}]}"),
            "f:1:58: ports[0].hostPort: expected an integer from 0 to 65535, found -1");
}

TEST(Reader, TheNearestFieldIsSuggestedAndNoOther) {
  const auto rows = oci::schema::Object<Container>::type.rows;
  EXPECT_EQ(nearest_name(rows, "comand"), "command");
  EXPECT_EQ(nearest_name(rows, "Image"), "image");
  EXPECT_EQ(nearest_name(rows, "workdir"), "");
  EXPECT_EQ(nearest_name(rows, "volumeMount"), "volumeMounts");
  EXPECT_EQ(nearest_name(rows, ""), "");
  EXPECT_EQ(nearest_name(rows, std::string(1000, 'x')), "");
}

TEST(Reader, IgnoredFieldsAreToldWithTheirPlace) {
  std::vector<std::string> ignored;
  EXPECT_TRUE(read("{name: a, image: b, x: {y: [1]}, volumeDevices: [1]}",
                   {.ignore_unknown = true, .ignored = &ignored}));
  ASSERT_EQ(ignored.size(), 2U);
  EXPECT_EQ(ignored[0], "f:1:21: x: unknown field");
  EXPECT_EQ(ignored[1],
            "f:1:34: volumeDevices: cannot be honoured: not supported; a device is a "
            "hostPath of type BlockDevice or CharDevice");
}

TEST(Reader, FieldsOfAClusterThatAskForNothingAreLetPass) {
  for (const char* fields : {"volumeDevices: []", "volumeDevices: null", "resizePolicy: {}",
                             "terminationMessagePath: /dev/termination-log"}) {
    EXPECT_TRUE(read(ocirt::cat("{name: a, image: b, ", fields, "}"))) << fields;
  }
  for (const char* fields : {"volumeDevices: [1]", "terminationMessagePath: /tmp/x", "unknown: []"})
    EXPECT_FALSE(read(ocirt::cat("{name: a, image: b, ", fields, "}"))) << fields;
  const Node wish{.kind = Node::Kind::kScalar, .plain = true, .text = "false", .name = "hostUsers"};
  EXPECT_FALSE(asks_for_nothing(oci::schema::Object<manifest::PodSpec>::type, wish));
}

TEST(Reader, NoFieldIsBothHonouredAndRefused) {
  for (const char* name : {"name", "image", "ports", "tty", "stdin", "stdinOnce"}) {
    EXPECT_FALSE(why_refused(oci::schema::Object<Container>::type, name)) << name;
  }
  EXPECT_TRUE(why_refused(oci::schema::Object<manifest::PodSpec>::type, "tolerations"));
  EXPECT_FALSE(why_refused(oci::schema::Object<Container>::type, "tolerations"));
}

}  // namespace
}  // namespace ocirt::podfile
