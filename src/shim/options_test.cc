#include "src/shim/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocirt::shim {
namespace {

using ::testing::HasSubstr;

template <wire::Message M>
Result<RuntimeOptions> read(const M& message) {
  const wire::AnyValue value = wire::any_of(message);
  const wire::Any any = value.lend();
  return read_options(&any);
}

TEST(ShimOptions, NoneAreTheDefaults) {
  const wire::Any empty = wire::blank<wire::Any>();
  for (const wire::Any* any : {static_cast<const wire::Any*>(nullptr), &empty}) {
    Result<RuntimeOptions> options = read_options(any);
    ASSERT_TRUE(options);
    EXPECT_FALSE(options->systemd_cgroup);
    EXPECT_EQ(options->root, "");
  }
}

TEST(ShimOptions, TakesThoseOfRunc) {
  auto message = wire::blank<wire::RuncOptions>();
  message.no_pivot_root = 1;
  message.no_new_keyring = 1;
  message.systemd_cgroup = 1;
  message.io_uid = 7;
  message.io_gid = 8;
  message.root = wire::lend("/run/r");
  message.shim_cgroup = wire::lend("/shims");
  message.binary_name = wire::lend("/usr/bin/ocirt");
  Result<RuntimeOptions> options = read(message);
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_TRUE(options->no_pivot && options->no_new_keyring && options->systemd_cgroup);
  EXPECT_EQ(options->io_uid, 7U);
  EXPECT_EQ(options->io_gid, 8U);
  EXPECT_EQ(options->root, "/run/r");
  EXPECT_EQ(options->shim_cgroup, "/shims");
}

TEST(ShimOptions, AnotherRuntimeIsRefused) {
  auto message = wire::blank<wire::RuncOptions>();
  message.binary_name = wire::lend("/usr/bin/crun");
  EXPECT_THAT(read(message).error().text, HasSubstr("not supported: BinaryName \"crun\""));
}

TEST(ShimOptions, TakesThoseOfOldClients) {
  auto message = wire::blank<wire::CreateOptions>();
  message.no_pivot_root = 1;
  message.io_gid = 9;
  message.shim_cgroup = wire::lend("/s");
  Result<RuntimeOptions> options = read(message);
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_TRUE(options->no_pivot);
  EXPECT_EQ(options->io_gid, 9U);
  EXPECT_EQ(options->shim_cgroup, "/s");
}

TEST(ShimOptions, TakesTheTomlOfCri) {
  auto message = wire::blank<wire::RuntimeOptions>();
  message.config_body = wire::lend_bytes(
      "\n  BinaryName = \"\"\n  IoUid = 3\n# c\nRoot = '/r' # c\nSystemdCgroup = true\n");
  Result<RuntimeOptions> options = read(message);
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_TRUE(options->systemd_cgroup);
  EXPECT_EQ(options->io_uid, 3U);
  EXPECT_EQ(options->root, "/r");
  EXPECT_TRUE(read(wire::blank<wire::RuntimeOptions>()));
}

TEST(ShimOptions, TomlThatIsNotUnderstoodIsRefusedWithItsLine) {
  auto error = [](std::string_view text) { return read_toml_options(text).error().text; };
  EXPECT_THAT(error("\nFoo = 1"), HasSubstr("line 2: Foo: unknown option"));
  EXPECT_THAT(error("[options]"), HasSubstr("line 1: expected KEY = VALUE"));
  EXPECT_THAT(error("SystemdCgroup = yes"), HasSubstr("expected true or false"));
  EXPECT_THAT(error("Root = /r"), HasSubstr("expected a text in quotation marks"));
  EXPECT_THAT(error("Root = \"/r"), HasSubstr("the text has no end"));
  EXPECT_THAT(error("Root = \"\\u0041\""), HasSubstr("not supported: a text with escapes"));
  EXPECT_THAT(error("Root = \"a\" b"), HasSubstr("there is more behind the text"));
  EXPECT_THAT(error("IoUid = -1"), HasSubstr("expected a number"));
}

TEST(ShimOptions, OtherTypesAreRefused) {
  const wire::AnyValue value{"some.Other", ""};
  const wire::Any any = value.lend();
  EXPECT_THAT(read_options(&any).error().text,
              HasSubstr("options: not supported: options of type \"some.Other\""));
}

}  // namespace
}  // namespace ocirt::shim
