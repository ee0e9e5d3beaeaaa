#include <gmock/gmock.h>

#include "src/base/text.h"
#include "src/podfile/image_facts.h"
#include "src/sys/test_directory.h"

namespace ocirt::podfile {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A layout whose one image has been unpacked before, so that only its documents are looked at.
class OciImage : public sys::TestDirectory {
 protected:
  OciImage() {
    const std::string manifest(64, 'a');
    EXPECT_TRUE(sys::mkdir_parents(cat(path, "/blobs/sha256"), 0700));
    EXPECT_TRUE(sys::mkdir_parents(cat(path, "/cache/sha256-", manifest, "/rootfs"), 0700));
    put("index.json",
        cat(R"({"schemaVersion": 2, "manifests": [{"digest": "sha256:x"}, {"digest": "sha256:)",
            manifest, R"(", "annotations": {"org.opencontainers.image.ref.name": "v1"}}]})"));
    put(cat("blobs/sha256/", manifest),
        cat(R"({"config": {"digest": "sha256:)", std::string(64, 'b'), R"("}, "layers": []})"));
  }
  Result<ImageFacts> look(std::string_view config, std::string tag = "v1") {
    put(cat("blobs/sha256/", std::string(64, 'b')), config);
    return look_at({.kind = ImageKind::kOci, .path = path, .tag = std::move(tag)}, "/",
                   cat(path, "/cache"));
  }
};

TEST_F(OciImage, SaysWhatToRun) {
  const Result<ImageFacts> facts = look(
      R"({"architecture": "amd64", "config": {"Entrypoint": ["/a", "b"], "Cmd": ["c"], "Env": )"
      R"(["A=1"], "User": "web", "WorkingDir": "/srv", "StopSignal": "SIGINT"}})");
  ASSERT_TRUE(facts) << facts.error().text;
  EXPECT_THAT(facts->entrypoint, ElementsAre("/a", "b"));
  EXPECT_THAT(facts->command, ElementsAre("c"));
  EXPECT_THAT(facts->environment, ElementsAre("A=1"));
  EXPECT_EQ(facts->user, "web");
  EXPECT_EQ(facts->working_directory, "/srv");
  EXPECT_EQ(facts->stop_signal, "SIGINT");
  EXPECT_TRUE(facts->rootfs.ends_with("/rootfs"));
}

TEST_F(OciImage, NullIsTheSameAsAbsent) {
  const Result<ImageFacts> facts =
      look(R"({"config": {"Entrypoint": null, "User": null, "WorkingDir": null, "Env": null}})");
  ASSERT_TRUE(facts) << facts.error().text;
  EXPECT_EQ(facts->user, "");
  EXPECT_EQ(facts->working_directory, "");
  EXPECT_TRUE(look("{}"));
  EXPECT_TRUE(look(R"({"config": null})"));
}

TEST_F(OciImage, IsReadAsJson) {
  // What is no YAML: a pair of surrogates, a long name, a control character, and a name twice.
  const Result<ImageFacts> facts =
      look(cat(R"({"config": {"Cmd": ["\ud83d\ude00", "\/"], "Labels": {")", std::string(2000, 'n'),
               R"(": "\u0001)", "\x7f", R"(", "a": "1", "a": "2"}}})"));
  ASSERT_TRUE(facts) << facts.error().text;
  EXPECT_THAT(facts->command, ElementsAre("\xF0\x9F\x98\x80", "/"));
}

TEST_F(OciImage, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_THAT(look(R"({"config": {"Cmd": "sh"}})").error().text,
              HasSubstr(":1:20: config.Cmd: expected a list, found \"sh\""));
  EXPECT_THAT(look("{}", "v2").error().text, HasSubstr("there is no tag \"v2\" in "));
  EXPECT_THAT(look("{}", "v2").error().text, HasSubstr("; it has v1"));
}

}  // namespace
}  // namespace ocirt::podfile
