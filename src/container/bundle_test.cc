#include "src/container/bundle.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/test_directory.h"

namespace ocirt::container {
namespace {

using testing::HasSubstr;

constexpr std::string_view kConfig = R"({
  "ociVersion": "1.0.2",
  "root": {"path": "rootfs"},
  "process": {"args": ["sh"], "cwd": "/"},
  "linux": {"namespaces": [{"type": "mount"}]}
})";

class BundleTest : public sys::TestDirectory {
 protected:
  BundleTest() {
    EXPECT_TRUE(sys::mkdir(dir, "rootfs", 0755));
    put("config.json", kConfig);
  }
  // Why the bundle cannot be opened.
  Error failure(const std::string& config_file = "") {
    Result<Bundle> bundle = open_bundle(path, config_file);
    EXPECT_FALSE(bundle);
    return bundle ? Error() : bundle.error();
  }
};

TEST_F(BundleTest, IsReadWithItsConfigurationAndItsRoot) {
  Result<Bundle> bundle = open_bundle(path, "");
  ASSERT_TRUE(bundle) << bundle.error().text;
  EXPECT_EQ(bundle->path, path);
  EXPECT_EQ(bundle->rootfs, path + "/rootfs");
  EXPECT_EQ(bundle->json, kConfig);
  EXPECT_EQ(bundle->spec.process->args[0], "sh");
}

TEST_F(BundleTest, PathsAreAbsoluteAndWithoutSymlinks) {
  ASSERT_EQ(::symlinkat(".", dir.raw(), "link"), 0);
  ASSERT_TRUE(sys::rename(dir, "rootfs", "real"));
  ASSERT_EQ(::symlinkat("real", dir.raw(), "rootfs"), 0);
  Bundle bundle = *open_bundle(path + "/link/./link/", "");
  EXPECT_EQ(bundle.path, path);
  EXPECT_EQ(bundle.rootfs, path + "/real");
}

TEST_F(BundleTest, APidsLimitOfZeroIsNoneBeforeVersion13) {
  const auto limit = [&](std::string_view version) {
    put("config.json", cat(R"({"ociVersion": ")", version, R"(", "root": {"path": "/usr"},
            "process": {"args": ["sh"], "cwd": "/"},
            "linux": {"namespaces": [{"type": "mount"}], "resources": {"pids": {"limit": 0}}}})"));
    return open_bundle(path, "")->spec.linux->resources->pids.has_value();
  };
  EXPECT_FALSE(limit("1.0.2-dev"));
  EXPECT_FALSE(limit("1.2.1"));
  EXPECT_TRUE(limit("1.3.0"));
}

TEST_F(BundleTest, RootMayBeElsewhere) {
  put("config.json",
      R"({"ociVersion": "1.0.2", "root": {"path": "/usr"}, "process": {"args": ["sh"],
      "cwd": "/"}, "linux": {"namespaces": [{"type": "mount"}]}})");
  EXPECT_EQ(open_bundle(path, "")->rootfs, "/usr");
}

TEST_F(BundleTest, ConfigurationMayBeElsewhere) {
  ASSERT_TRUE(sys::rename(dir, "config.json", "other.json"));
  Result<Bundle> bundle = open_bundle(path, path + "/other.json");
  ASSERT_TRUE(bundle) << bundle.error().text;
  EXPECT_EQ(bundle->rootfs, path + "/rootfs");  // still from the bundle
}

// "No such file or directory" means to podman and docker that the container's command is missing.
TEST_F(BundleTest, ThatIsMissingIsSaidInOurOwnWords) {
  Result<Bundle> bundle = open_bundle(path + "/none", "");
  ASSERT_FALSE(bundle);
  EXPECT_EQ(bundle.error().code, ENOENT);
  EXPECT_EQ(bundle.error().text, cat("bundle ", path, "/none is missing"));
  put("file", "");
  EXPECT_EQ(open_bundle(path + "/file", "").error().text,
            cat("bundle ", path, "/file is no directory"));
}

TEST_F(BundleTest, WithoutAConfigurationSaysHowToGetOne) {
  ASSERT_TRUE(sys::unlink(dir, "config.json"));
  EXPECT_EQ(
      failure().text,
      cat(path, "/config.json is missing: a bundle has one (`ocirt spec` writes an example)"));
  EXPECT_THAT(failure(path + "/other.json").text,
              testing::StartsWith(cat(path, "/other.json is missing")));
}

TEST_F(BundleTest, WithoutItsRootIsRefused) {
  ASSERT_TRUE(sys::rmdir(dir, "rootfs"));
  EXPECT_EQ(failure().text, cat("root.path: ", path, "/rootfs is missing"));
  put("rootfs", "");
  EXPECT_EQ(failure().text, cat("root.path: ", path, "/rootfs is no directory"));
  EXPECT_EQ(failure().code, ENOTDIR);
}

TEST_F(BundleTest, MistakeInTheConfigurationIsNamedWithItsPlace) {
  put("config.json", "{\n  \"ociVersion\": 7\n}");
  EXPECT_THAT(failure().text, testing::StartsWith("config.json:2:"));
  EXPECT_THAT(failure().text, HasSubstr("ociVersion"));
  put("config.json", "{");
  EXPECT_THAT(failure().text, testing::StartsWith("config.json:"));
}

TEST_F(BundleTest, RulesBetweenPropertiesAreChecked) {
  put("config.json", R"({"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "hostname": "x",
      "process": {"args": ["sh"], "cwd": "/"}, "linux": {"namespaces": [{"type": "mount"}]}})");
  EXPECT_THAT(failure().text, HasSubstr("hostname: needs an entry of type \"uts\""));
}

TEST_F(BundleTest, ConfigurationOfAnySizeIsNotRead) {
  ASSERT_EQ(::truncate((path + "/config.json").c_str(), 17 << 20), 0);
  EXPECT_EQ(failure().code, EFBIG);
}

}  // namespace
}  // namespace ocirt::container
