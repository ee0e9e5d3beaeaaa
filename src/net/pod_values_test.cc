// The pure parts of pod networks: subnets, the pool of addresses.
#include <gtest/gtest.h>

#include "src/net/pool.h"
#include "src/net/subnet.h"

namespace ocirt::net {
namespace {

Subnet subnet(std::string_view text) { return *parse_subnet(text); }

TEST(Subnet, IsReadAndWritten) {
  EXPECT_EQ(subnet_text(subnet("10.130.0.0/16")), "10.130.0.0/16");
  EXPECT_EQ(subnet_text(subnet("fd00:1::/64")), "fd00:1::/64");
  for (const char* text : {"", "10.0.0.0/33", "10.0.0.1/16", "x/8", "fd00::1/64", "10.0.0.0/"}) {
    EXPECT_FALSE(parse_subnet(text)) << text;
  }
}

TEST(Subnet, AddressesAreCountedFromItsBeginning) {
  EXPECT_EQ(address_text(address_at(subnet("10.130.0.0/16"), 1)), "10.130.0.1");
  EXPECT_EQ(address_text(address_at(subnet("10.130.0.0/16"), 258)), "10.130.1.2");
  EXPECT_EQ(address_text(address_at(subnet("fd00:1::/64"), 258)), "fd00:1::102");
  EXPECT_EQ(last_number(subnet("10.130.0.0/16")), 65534U);
  EXPECT_EQ(last_number(subnet("10.130.0.0/29")), 6U);
  EXPECT_EQ(last_number(subnet("10.130.0.0/31")), 0U);
}

TEST(Subnet, TheFirstThatMeetsNoOtherIsChosen) {
  EXPECT_EQ(subnet_text(*choose_subnet4({})), "10.130.0.0/16");
  EXPECT_EQ(subnet_text(*choose_subnet4({subnet("10.130.7.0/24"), subnet("10.131.0.0/16")})),
            "10.132.0.0/16");
  EXPECT_FALSE(choose_subnet4({subnet("10.0.0.0/8")}));
  const Subnet first = *choose_subnet6({}, "a host");
  EXPECT_TRUE(overlap(first, subnet("fd00::/8")));
  EXPECT_EQ(first, *choose_subnet6({}, "a host"));
  EXPECT_NE(first, *choose_subnet6({first}, "a host"));
  EXPECT_NE(first, *choose_subnet6({}, "another host"));
}

Pool pool_of(const std::vector<uint32_t>& numbers, uint32_t last) {
  Pool pool{.subnet4 = "10.130.0.0/16", .last = last};
  for (uint32_t number : numbers) {
    pool.pods.push_back(
        {.name = "p", .uid = "u", .directory = "/d", .netns = "/n", .number = number});
  }
  return pool;
}

TEST(Pool, NumbersGoRoundAndAreNeverGivenTwice) {
  EXPECT_EQ(next_number(pool_of({}, 0), 6), 2U);
  EXPECT_EQ(next_number(pool_of({2}, 2), 6), 3U);
  EXPECT_EQ(next_number(pool_of({}, 4), 6), 5U) << "a neighbour may still know who had 2";
  EXPECT_EQ(next_number(pool_of({2, 3, 6}, 6), 6), 4U);
  EXPECT_EQ(next_number(pool_of({2, 3, 4, 5}, 5), 6), 6U);
  EXPECT_EQ(next_number(pool_of({2, 3, 4, 5, 6}, 3), 6), std::nullopt);
  EXPECT_EQ(next_number(pool_of({}, 0), 0), std::nullopt);
}

TEST(Pool, IsReadAsItWasWritten) {
  Pool pool = pool_of({2, 3}, 3);
  pool.pods[0].ports = {{PodProtocol::kUdp, "::1", 53, 5353}};
  pool.pods[0].device = "ocirt0123456789";
  mark_as_made_here(pool.pods[0]);
  pool.host = {{"net/ipv4/ip_forward", "0", "1"}};
  EXPECT_EQ(*read_pool(write_pool(pool)), pool);
  EXPECT_FALSE(read_pool("{"));
}

}  // namespace
}  // namespace ocirt::net
