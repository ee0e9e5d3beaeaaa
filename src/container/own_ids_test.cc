#include "src/container/own_ids.h"

#include <gtest/gtest.h>

namespace ocirt::container {
namespace {

constexpr std::string_view kPasswd =
    "root:x:0:0::/root:/bin/sh\nann:x:1000:100::/home/ann:/bin/sh\n";

TEST(OwnIds, BehindTheCallersOwnComeThoseThatWereGrantedWithoutGaps) {
  const OwnIds ids = ids_of(1000, 100, kPasswd, "bob:100000:65536\nann:200000:1000\n1000:5000:10\n",
                            "ann:300000:2000\n");
  const OwnIds wanted{{{0, 1000, 1}, {1, 200000, 1000}, {1001, 5000, 10}},
                      {{0, 100, 1}, {1, 300000, 2000}}};
  EXPECT_EQ(ids, wanted);
  EXPECT_EQ(id_count(ids.uids), 1011u);
  EXPECT_FALSE(ids.alone());
}

TEST(OwnIds, WithoutAGrantOrWithHalfOfOneTheUserIsAlone) {
  const OwnIds alone{{{0, 1000, 1}}, {{0, 100, 1}}};
  EXPECT_EQ(ids_of(1000, 100, kPasswd, "", ""), alone);
  EXPECT_EQ(ids_of(1000, 100, kPasswd, "ann:200000:1000\n", "bob:1:1\n"), alone);
  EXPECT_TRUE(alone.alone());
}

TEST(OwnIds, WhatIsNoGrantIsLeftOut) {
  const OwnIds alone{{{0, 1000, 1}}, {{0, 100, 1}}};
  for (std::string_view line : {"ann:x:1", "ann:1", ":1:1", "ann:1:0", "ann:1:4294967295", "# ann"})
    EXPECT_EQ(ids_of(1000, 100, kPasswd, line, line), alone) << line;
  // Somebody without a name is found by the number only.
  EXPECT_EQ(ids_of(7, 7, kPasswd, ":1:1\n", ":1:1\n").uids.size(), 1u);
  EXPECT_EQ(ids_of(7, 7, kPasswd, "7:1:1\n", "7:1:1\n").uids.size(), 2u);
}

}  // namespace
}  // namespace ocirt::container
