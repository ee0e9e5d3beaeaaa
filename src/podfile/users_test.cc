#include "src/podfile/users.h"

#include <gtest/gtest.h>

#include "src/base/text.h"

namespace ocirt::podfile {
namespace {

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\nbroken\nweb:x:33:34::/srv:/bin/false\n"
    "odd:x:notanumber:1::/:\nweb:x:99:99::/:\n";
constexpr std::string_view kGroup =
    "root:x:0:\nlog:x:50:other,web\nweb:x:34:\nadm:x:4: web ,root\n";

Identity read(std::string_view user) {
  const Result<Identity> identity = identity_of(user, kPasswd, kGroup);
  EXPECT_TRUE(identity) << user;
  return identity ? *identity : Identity{};
}

TEST(Users, ANameHasItsNumbersAndGroups) { EXPECT_EQ(read("web"), (Identity{33, 34, {50, 4}})); }

TEST(Users, ANumberWithAnEntryIsThatUser) { EXPECT_EQ(read("33"), (Identity{33, 34, {50, 4}})); }

TEST(Users, ANumberWithoutAnEntryHasGroupZero) { EXPECT_EQ(read("1234"), (Identity{1234, 0, {}})); }

TEST(Users, NothingIsRoot) {
  EXPECT_EQ(read(""), (Identity{0, 0, {4}}));
  EXPECT_EQ(*identity_of("", "", ""), (Identity{0, 0, {}}));
}

TEST(Users, AGroupThatIsNamedReplacesTheOthers) {
  EXPECT_EQ(read("web:log"), (Identity{33, 50, {}}));
  EXPECT_EQ(read("7:8"), (Identity{7, 8, {}}));
}

TEST(Users, NamesThatAreNotInTheImageAreRefused) {
  EXPECT_EQ(identity_of("nobody", kPasswd, kGroup).error().text,
            "there is no user \"nobody\" in the image's /etc/passwd");
  EXPECT_EQ(identity_of("web:wheel", kPasswd, kGroup).error().text,
            "there is no group \"wheel\" in the image's /etc/group");
  EXPECT_FALSE(identity_of("odd", kPasswd, kGroup));
}

TEST(Users, NumbersThatAreTooLargeAreNobodysName) {
  constexpr std::string_view kHostile = "4294967296:x:0:0:::\n4294967295:x:0:0:::\n";
  for (const char* user : {"4294967296", "4294967295", "99999999999999999999"})
    EXPECT_FALSE(identity_of(user, kHostile, kGroup)) << user;
  EXPECT_EQ(identity_of("4294967294", kHostile, kGroup)->uid, 4294967294u);
}

// (uid_t)-1 means none to every call that takes an id.
TEST(Users, NumbersThatAreNoIdsAreRefusedWhereverTheyStand) {
  const auto refused = [](std::string_view user, std::string_view passwd, std::string_view group) {
    const Result<Identity> identity = identity_of(user, passwd, group);
    return identity ? "" : identity.error().text;
  };
  for (const char* group : {"4294967295", "4294967296", "99999999999999999999"}) {
    EXPECT_EQ(refused(cat("1000:", group), kPasswd, cat(group, ":x:7:\n")),
              cat("group \"", group, "\": the number is too large"));
  }
  EXPECT_EQ(refused("u", "u:x:4294967295:0:::\n", ""),
            "the image's /etc/passwd and /etc/group: 4294967295 is no id");
  EXPECT_EQ(refused("u", "u:x:1:4294967295:::\n", ""),
            "the image's /etc/passwd and /etc/group: 4294967295 is no id");
  EXPECT_EQ(refused("u", "u:x:1:1:::\n", "g:x:4294967295:u\n"),
            "the image's /etc/passwd and /etc/group: 4294967295 is no id");
  EXPECT_EQ(refused("1:g", "", "g:x:4294967295:\n"),
            "the image's /etc/passwd and /etc/group: 4294967295 is no id");
  EXPECT_EQ(identity_of("1:4294967294", "", "")->gid, 4294967294u);
}

}  // namespace
}  // namespace ocirt::podfile
