// The pod files of tests/pods/files: NAME.yaml or NAME.json is accepted, or refused with the one
// line that NAME.error holds. Run from the top of the tree.
#include <gtest/gtest.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/podfile/file.h"
#include "src/sys/file.h"

namespace ocirt::podfile {
namespace {

constexpr char kFiles[] = "tests/pods/files";

std::string content_of(std::string_view name) {
  Result<std::string> text = sys::read_file(sys::kCwd, cat(kFiles, "/", name));
  return text ? *text : std::string{};
}

TEST(PodFiles, AreAcceptedOrRefusedWithTheLineThatStandsBesideThem) {
  Result<std::vector<std::string>> names = sys::list_directory(sys::kCwd, kFiles);
  ASSERT_TRUE(names) << "run the tests from the top of the tree";
  size_t read = 0;
  for (const std::string& name : *names) {
    const std::string stem = name.substr(0, name.rfind('.'));
    if (name == stem + ".error") continue;
    ++read;
    const std::string expected = content_of(stem + ".error");
    const oci::Result<File> file = read_pod_file(content_of(name), name, {});
    EXPECT_EQ(file ? "" : file.error().message() + "\n", expected) << name;
  }
  EXPECT_GT(read, 40U);
}

TEST(PodFiles, UnknownFieldsCanBeIgnored) {
  std::vector<std::string> ignored;
  const ReadOptions options{.ignore_unknown = true, .ignored = &ignored};
  for (const char* name : {"unknown-field.yaml", "node-selector.yaml"}) {
    EXPECT_TRUE(read_pod_file(content_of(name), name, options)) << name;
  }
  ASSERT_EQ(ignored.size(), 2U);
  EXPECT_TRUE(ignored[0].starts_with("unknown-field.yaml:9:5: "));
}

}  // namespace
}  // namespace ocirt::podfile
