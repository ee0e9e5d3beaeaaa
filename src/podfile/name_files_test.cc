#include "src/podfile/name_files.h"

#include <gtest/gtest.h>

namespace ocirt::podfile {
namespace {

constexpr std::string_view kOfHost =
    "# host\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nsearch example.test\noptions ndots:1 "
    "edns0\n";

TEST(ResolvConf, IsTheHostsWithoutServersThatThePodCannotReach) {
  EXPECT_EQ(resolv_text({}, kOfHost),
            "nameserver 192.0.2.1\nsearch example.test\noptions ndots:1 edns0\n");
  manifest::PodSpec host;
  host.host_network = true;
  EXPECT_TRUE(resolv_text(host, kOfHost).starts_with("nameserver 127.0.0.53\n"));
}

TEST(ResolvConf, OfTheHostMayKnowNoServerButOnItsLoopback) {
  EXPECT_TRUE(has_only_local_servers("nameserver 127.0.0.53\nnameserver ::1\nsearch a\n"));
  EXPECT_FALSE(has_only_local_servers(kOfHost));
  EXPECT_FALSE(has_only_local_servers("search a\n"));
}

TEST(ResolvConf, DnsConfigIsAddedAndItsOptionsWin) {
  manifest::PodSpec spec;
  spec.dns_config.emplace();
  spec.dns_config->nameservers = {"192.0.2.1", "192.0.2.2"};
  spec.dns_config->searches = {"b.test"};
  spec.dns_config->options = {{.name = "ndots", .value = "5"}, {.name = "rotate"}};
  EXPECT_EQ(resolv_text(spec, kOfHost),
            "nameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch example.test b.test\n"
            "options edns0 ndots:5 rotate\n");
}

TEST(ResolvConf, PolicyNoneKnowsNothingOfTheHost) {
  manifest::PodSpec spec;
  spec.dns_policy = manifest::DnsPolicy::kNone;
  spec.dns_config.emplace().nameservers = {"192.0.2.9"};
  EXPECT_EQ(resolv_text(spec, kOfHost), "nameserver 192.0.2.9\n");
}

TEST(Hosts, HaveLocalhostAndTheAliases) {
  manifest::PodSpec spec;
  spec.host_aliases = {{.ip = "192.0.2.7", .hostnames = {"db", "db.test"}}};
  EXPECT_EQ(
      hosts_text(spec, "1.2.3.4 host\n"),
      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n192.0.2.7\tdb\tdb.test\n");
  spec.host_network = true;
  EXPECT_EQ(hosts_text(spec, "1.2.3.4 host"), "1.2.3.4 host\n192.0.2.7\tdb\tdb.test\n");
}

}  // namespace
}  // namespace ocirt::podfile
