#include "src/net/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocirt::net {
namespace {

TEST(NetRequest, IsReadAsItWasWritten) {
  Request move;
  move.wanted = {{"eth0", "ens1"}, {"v-1", "v%d"}};
  EXPECT_EQ(write_request(move), "move-in\neth0 ens1\nv-1 v%d\n");
  EXPECT_EQ(*read_request(write_request(move)), move);

  Request back{.kind = Request::Kind::give_back, .wanted = {}, .moved = {}};
  back.moved = {{"eth0", "ens1", true, 0, ""}, {"v-1", "v7", false, 42, "0aff"}};
  EXPECT_EQ(*read_request(write_request(back)), back);
  back.moved.clear();
  EXPECT_EQ(*read_request(write_request(back)), back);
}

TEST(NetRequest, MovedDevicesAreOneLine) {
  const std::vector<Moved> moved = {{"eth0", "ens1", true, 0, ""},
                                    {"v-1", "v7", false, 42, "0aff"}};
  EXPECT_EQ(write_moved(moved), "eth0/ens1/up/0/ v-1/v7/down/42/0aff");
  EXPECT_EQ(*read_moved(write_moved(moved)), moved);
  EXPECT_TRUE(read_moved("")->empty());
}

TEST(NetRequest, WhatIsMalformedIsRefused) {
  for (const char* text :
       {"", "x\n", "move-in\neth0\n", "move-in\neth0 a b\n", "move-in\n a\n", "give-back\neth0\n",
        "give-back\neth0/a/up/x/\n", "give-back\n/a/up/0/\n"})
    EXPECT_FALSE(read_request(text)) << text;
}

TEST(NetRequest, ALabelFollowsTheNameOfItsDevice) {
  EXPECT_EQ(renamed_label("eth0", "eth0", "ens1"), "");
  EXPECT_EQ(renamed_label("eth0:1", "eth0", "ens1"), "ens1:1");
  EXPECT_EQ(renamed_label("eth01", "eth0", "ens1"), "eth01");
  EXPECT_EQ(renamed_label("other", "eth0", "ens1"), "other");
  EXPECT_EQ(renamed_label("eth0:long", "eth0", "averylongname0"), "");
}

}  // namespace
}  // namespace ocirt::net
