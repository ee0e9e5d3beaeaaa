#include "src/net/cni.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocirt::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(NetJson, WhatItDoesNotKnowStaysAsItWas) {
  const std::string text = R"({"a":[1,2.50,1e400,null,true,{"b":"\u00fc\"\n"}],"c":{}})";
  EXPECT_EQ(write_json(*parse_json(text)),
            "{\"a\":[1,2.50,1e400,null,true,{\"b\":\"\u00fc\\\"\\n\"}],\"c\":{}}");
}

TEST(NetJson, WhatIsNoJsonIsRefusedWithItsLine) {
  for (const char* text : {"", "{", "[1,]", "{} {}", "\"\xff\"", "nul"}) {
    EXPECT_FALSE(parse_json(text)) << text;
  }
  EXPECT_THAT(parse_json("{\n\"a\": }").error().text, HasSubstr("line 2"));
  EXPECT_THAT(parse_json(std::string(100, '[')).error().text, HasSubstr("nested too deeply"));
}

TEST(NetJson, AMemberIsReplacedInItsPlace) {
  Json value = *parse_json(R"({"a":1,"b":2})");
  value.set("a", Json::string("x"));
  value.set("c", Json::number(3));
  EXPECT_EQ(write_json(value), R"({"a":"x","b":2,"c":3})");
}

TEST(Cni, ASinglePluginIsAListOfOne) {
  const Json list = *read_cni_list(R"({"cniVersion":"0.4.0","name":"n","type":"ptp"})", false);
  ASSERT_EQ(plugins_of(list).size(), 1U);
  EXPECT_EQ(plugin_configuration(list, 0, {}, ""),
            R"({"cniVersion":"0.4.0","name":"n","type":"ptp"})");
}

TEST(Cni, AConfigurationThatNamesNoPluginIsRefused) {
  EXPECT_FALSE(read_cni_list(R"({"name":"n","plugins":[]})", true));
  EXPECT_FALSE(read_cni_list(R"({"name":"n","plugins":[{}]})", true));
  EXPECT_FALSE(read_cni_list(R"({"plugins":[{"type":"a"}]})", true));
  EXPECT_THAT(read_cni_list(R"({"name":"n","type":"../a"})", false).error().text,
              HasSubstr("must be a file's name"));
}

TEST(Cni, PortsGoToThePluginThatCanPublishThem) {
  const Json list = *read_cni_list(
      R"({"cniVersion":"1.0.0","name":"n","plugins":[{"type":"a"},
          {"type":"b","capabilities":{"portMappings":true},"runtimeConfig":{"x":1}}]})",
      true);
  EXPECT_TRUE(publishes_ports(list));
  const std::vector<PodPort> ports = {{PodProtocol::kUdp, "::1", 53, 5353}};
  EXPECT_THAT(plugin_configuration(list, 0, ports, ""), Not(HasSubstr("portMappings")));
  const std::string configuration = plugin_configuration(list, 1, ports, R"({"ips":[]})");
  EXPECT_THAT(configuration,
              HasSubstr(R"("runtimeConfig":{"x":1,"portMappings":[{"hostPort":53,)"
                        R"("containerPort":5353,"protocol":"udp","hostIP":"::1"}]})"));
  EXPECT_THAT(configuration, HasSubstr(R"("prevResult":{"ips":[]})"));
}

TEST(Cni, VersionsAreComparedByNumbers) {
  const auto version = [](std::string_view text) {
    Json list = Json::object();
    list.set("cniVersion", Json::string(text));
    return list;
  };
  EXPECT_TRUE(is_at_least(version("0.4.0"), 0, 4));
  EXPECT_TRUE(is_at_least(version("1.0.0"), 0, 4));
  EXPECT_TRUE(is_at_least(version("0.10.0"), 0, 4));
  EXPECT_FALSE(is_at_least(version("0.3.1"), 0, 4));
  EXPECT_FALSE(is_at_least(Json::object(), 0, 4));
}

TEST(Cni, ResultsOfOldAndNewVersionsAreRead) {
  PodNetwork network;
  ASSERT_TRUE(read_cni_result(
      R"({"ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1"},{"address":"fd00::2/64"}],
          "dns":{"nameservers":["10.0.0.53"],"search":["a.example"]}})",
      network));
  EXPECT_THAT(network.addresses, ElementsAre("10.0.0.2/24", "fd00::2/64"));
  EXPECT_THAT(network.gateways, ElementsAre("10.0.0.1"));
  EXPECT_THAT(network.nameservers, ElementsAre("10.0.0.53"));
  EXPECT_THAT(network.searches, ElementsAre("a.example"));
  PodNetwork old;
  ASSERT_TRUE(read_cni_result(R"({"ip4":{"ip":"10.0.0.2/24","gateway":"10.0.0.1"}})", old));
  EXPECT_THAT(old.addresses, ElementsAre("10.0.0.2/24"));
}

TEST(Cni, AnErrorIsOneLine) {
  EXPECT_EQ(cni_error(R"({"code":11,"msg":"no\nroom","details":"at all"})", "noise"),
            "no room (at all)");
  EXPECT_EQ(cni_error("", "first\nlast\n"), "last");
  EXPECT_EQ(cni_error("said\n", ""), "said");
  EXPECT_EQ(cni_error("", ""), "it does not say why");
}

}  // namespace
}  // namespace ocirt::net
