#include "src/shim/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocirt::shim {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::string any_of(const std::string& url, const std::string& value) {
  const wire::AnyValue any{url, value};
  return wire::pack(any.lend());
}

std::string params_of(const std::string& id, const std::string& name_space) {
  const wire::AnyValue options{"containerd.runc.v1.Options", "o"};
  wire::Any any = options.lend();
  wire::Rows<wire::Extension> rows;
  rows.add().value = &any;
  auto params = wire::blank<wire::BootstrapParams>();
  params.instance_id = wire::lend(id);
  params.namespace_ = wire::lend(name_space);
  params.log_level = BOOTSTRAP__LOG_LEVEL__LOG_LEVEL_DEBUG;
  params.containerd_ttrpc_address = wire::lend("/run/t");
  params.socket_dir = wire::lend("/run/d");
  params.n_extensions = rows.size();
  params.extensions = rows.lend();
  return wire::pack(params);
}

TEST(ShimBootstrap, NothingOnTheInputIsNoOptions) {
  Result<Bootstrap> told = read_bootstrap("", "c", "n");
  ASSERT_TRUE(told);
  EXPECT_FALSE(told->has_params);
  EXPECT_FALSE(told->options);
}

TEST(ShimBootstrap, AnyIsTheOptions) {
  Result<Bootstrap> told = read_bootstrap(any_of("a.b.C", "xyz"), "c", "n");
  ASSERT_TRUE(told) << told.error().text;
  EXPECT_FALSE(told->has_params);
  ASSERT_TRUE(told->options);
  EXPECT_EQ(told->options->type_url, "a.b.C");
  EXPECT_EQ(told->options->bytes, "xyz");
}

TEST(ShimBootstrap, ParamsHaveOptionsAddressesAndTheLevelOfTheLog) {
  Result<Bootstrap> told = read_bootstrap(params_of("c", "n"), "c", "n");
  ASSERT_TRUE(told) << told.error().text;
  EXPECT_TRUE(told->has_params);
  ASSERT_TRUE(told->options);
  EXPECT_EQ(told->options->type_url, "containerd.runc.v1.Options");
  EXPECT_EQ(told->ttrpc_address, "/run/t");
  EXPECT_EQ(told->socket_directory, "/run/d");
  EXPECT_TRUE(told->debug);
}

// Field 1 and 2 are texts in both messages.
TEST(ShimBootstrap, ParamsForAnotherContainerAreAnAny) {
  Result<Bootstrap> told = read_bootstrap(any_of("c", "other"), "c", "n");
  ASSERT_TRUE(told);
  EXPECT_FALSE(told->has_params);
  EXPECT_TRUE(read_bootstrap(any_of("c", "n"), "c", "n")->has_params);
}

TEST(ShimBootstrap, WhatIsNeitherIsRefused) {
  EXPECT_THAT(read_bootstrap("\x0a\xff", "c", "n").error().text, HasSubstr("standard input"));
}

TEST(ShimBootstrap, ADirectoryIsOfTheDaemonThatRunsWhateverHasBecomeOfTheClock) {
  // The daemon began at 1000 and had loaded at 1003.
  EXPECT_TRUE(made_by_this_run({.directory = 1001, .began = 1000}));
  EXPECT_TRUE(made_by_this_run({.directory = 1001, .began = 1000, .socket = 1003}));
  EXPECT_TRUE(made_by_this_run({.directory = 9000, .began = 1000, .socket = 1003}));
  EXPECT_FALSE(made_by_this_run({.directory = 998, .began = 1000, .socket = 1003}));
  // The clock was put forward or back by an hour since: the beginning is reckoned wrongly.
  EXPECT_TRUE(made_by_this_run({.directory = 1001, .began = 4600, .socket = 1003}));
  EXPECT_TRUE(made_by_this_run({.directory = 1001, .began = -2600, .socket = 1003}));
  EXPECT_FALSE(made_by_this_run({.directory = 900, .began = 4600, .socket = 1003}));
  EXPECT_FALSE(made_by_this_run({.directory = 900, .began = -2600, .socket = 1003}));
}

TEST(ShimBootstrap, EachDaemonIsAnsweredInItsOwnManner) {
  EXPECT_EQ(manner_of({.has_address = true}), (Manner{Dialect::kText, 2}));  // 1.6
  EXPECT_EQ(manner_of({.says_version = true, .has_address = true}),
            (Manner{Dialect::kJson, 2}));  // 1.7
  EXPECT_EQ(manner_of({.says_version = true, .has_sandboxes = true, .has_address = true}),
            (Manner{Dialect::kJson, 3}));                 // 2.0
  EXPECT_EQ(manner_of({}), (Manner{Dialect::kText, 2}));  // CRI-O
  EXPECT_EQ(manner_of({.says_version = true}), (Manner{Dialect::kText, 2}));
  EXPECT_EQ(manner_of({.has_params = true, .says_version = true, .has_address = true}),
            (Manner{Dialect::kProtobuf, 3}));  // 2.3
}

TEST(ShimBootstrap, AnswersHaveNoNewline) {
  EXPECT_EQ(bootstrap_answer(Dialect::kText, 2, "unix:///s"), "unix:///s");
  EXPECT_EQ(bootstrap_answer(Dialect::kJson, 2, "unix:///s"),
            R"({"version":2,"address":"unix:///s","protocol":"ttrpc"})");
  Result<wire::Owned<wire::BootstrapResult>> result =
      wire::parse<wire::BootstrapResult>(bootstrap_answer(Dialect::kProtobuf, 3, "unix:///s"));
  ASSERT_TRUE(result);
  EXPECT_EQ((*result)->version, 3);
  EXPECT_STREQ((*result)->address, "unix:///s");
  EXPECT_STREQ((*result)->protocol, "ttrpc");
}

// printf %s /run/containerd/containerd.sock/default/c1 | sha256sum
TEST(ShimBootstrap, SocketIsNamedAsContainerdsShimsNameIt) {
  EXPECT_EQ(socket_path("", "/run/containerd/containerd.sock", "default", "c1"),
            "/run/containerd/s/d25aa4ef11a84e954e74a5bcff06557d0b6ea8d0c00243896f29826694bbd888");
  EXPECT_EQ(socket_path("/x", "", "default", "c1"),
            "/x/s/3a4ba0ad328f407b30cccb555302fc1c4c73e1d92d16d2583787f9faddf320ca");
}

TEST(ShimBootstrap, GroupIsOneOfThreeAnnotationsOrTheContainer) {
  EXPECT_EQ(group_of(R"({"annotations": {"io.kubernetes.cri.sandbox-id": "s",
                                         "io.containerd.runc.v2.group": "g"}})",
                     "c"),
            "g");
  EXPECT_EQ(group_of(R"({"annotations": {"io.kubernetes.cri.sandbox-id": "s"}, "x": 1})", "c"),
            "s");
  EXPECT_EQ(group_of(R"({"annotations": {"io.kubernetes.cri-o.SandboxID": "o"}})", "c"), "o");
  EXPECT_EQ(group_of(R"({"annotations": {"io.containerd.runc.v2.group": ""}})", "c"), "c");
  EXPECT_EQ(group_of("{}", "c"), "c");
  EXPECT_EQ(group_of("", "c"), "c");
  EXPECT_EQ(group_of("no document", "c"), "c");
}

}  // namespace
}  // namespace ocirt::shim
