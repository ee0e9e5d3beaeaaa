#include "src/shim/invocation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace ocirt::shim {
namespace {

using ::testing::HasSubstr;

Result<Invocation> parse(std::vector<const char*> words) { return parse_invocation(words); }

TEST(ShimInvocation, IsContainerdsByTheProgramsNameOrByOneDash) {
  const std::vector<const char*> none, one_dash = {"-v"}, two = {"--pod", "/x"};
  EXPECT_TRUE(is_containerds("/usr/bin/containerd-shim-ocirt-v2", none));
  EXPECT_TRUE(is_containerds("ocirt-shim", one_dash));
  EXPECT_FALSE(is_containerds("/usr/bin/ocirt-shim", two));
  EXPECT_FALSE(is_containerds("ocirt-shim", none));
}

TEST(ShimInvocation, TakesWhatContainerdSays) {
  Result<Invocation> call =
      parse({"-namespace", "k8s.io", "-address", "/run/containerd/containerd.sock",
             "-publish-binary", "/usr/bin/containerd", "-id", "c1", "-debug", "start"});
  ASSERT_TRUE(call) << call.error().text;
  EXPECT_EQ(call->action, Action::kStart);
  EXPECT_EQ(call->name_space, "k8s.io");
  EXPECT_EQ(call->address, "/run/containerd/containerd.sock");
  EXPECT_EQ(call->publish_binary, "/usr/bin/containerd");
  EXPECT_EQ(call->id, "c1");
  EXPECT_TRUE(call->debug);
}

TEST(ShimInvocation, TakesEmptyValuesAsCriOSaysThem) {
  Result<Invocation> call =
      parse({"-namespace", "default", "-address", "", "-publish-binary", "", "-id", "c", "start"});
  ASSERT_TRUE(call) << call.error().text;
  EXPECT_EQ(call->address, "");
}

TEST(ShimInvocation, TakesTheFormsOfGosFlags) {
  EXPECT_EQ(parse({"-id=a", "--namespace", "n", "-bundle=/b", "delete"})->bundle, "/b");
  EXPECT_EQ(parse({"-v"})->action, Action::kVersion);
  EXPECT_EQ(parse({"--version"})->action, Action::kVersion);
  EXPECT_EQ(parse({"-info"})->action, Action::kInfo);
  EXPECT_FALSE(parse({"-debug=false", "-id", "a", "-namespace", "n", "start"})->debug);
}

TEST(ShimInvocation, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(parse({"-what"}).error().text, HasSubstr("unknown flag \"-what\""));
  EXPECT_THAT(parse({"stop"}).error().text, HasSubstr("unknown action \"stop\""));
  EXPECT_THAT(parse({"-id"}).error().text, HasSubstr("-id: a value is missing"));
  EXPECT_THAT(parse({"-id", "a", "start"}).error().text, HasSubstr("-namespace is missing"));
  EXPECT_THAT(parse({"-namespace", "a", "start"}).error().text, HasSubstr("-id is missing"));
  EXPECT_THAT(parse({"-namespace", "a", "-id", "b", "start", "delete"}).error().text,
              HasSubstr("unexpected word \"delete\""));
}

TEST(ShimInvocation, RefusesNamesThatWouldLeadOutOfADirectory) {
  EXPECT_THAT(parse({"-namespace", "n", "-id", "../x", "delete"}).error().text, HasSubstr("-id: "));
  EXPECT_THAT(parse({"-namespace", "..", "-id", "x", "start"}).error().text,
              HasSubstr("-namespace: "));
}

}  // namespace
}  // namespace ocirt::shim
