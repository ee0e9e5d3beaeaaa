#include "src/container/members.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace ocirt::container {
namespace {

std::vector<pid_t> pids(const std::vector<Member>& members) {
  std::vector<pid_t> found;
  for (const Member& member : members) found.push_back(member.pid);
  return found;
}

TEST(Members, AreThoseOfTheNamespace) {
  EXPECT_EQ(pids(members_among(
                std::vector<Candidate>{
                    {{1, 0}, 0, 10}, {{12, 0}, 1, 20}, {{11, 0}, 1, 20}, {{13, 0}, 1, 10}},
                20)),
            (std::vector<pid_t>{11, 12}));
  EXPECT_TRUE(members_among(std::vector<Candidate>{{{1, 0}, 0, 10}}, 20).empty());
}

TEST(Members, OfNamespacesBelowAreFoundByTheirParents) {
  EXPECT_EQ(pids(members_among(
                std::vector<Candidate>{{{3, 0}, 4, 30},  // a pid that has been counted anew
                                       {{4, 0}, 12, 30},
                                       {{12, 0}, 1, 20},
                                       {{14, 0}, 12, 0},  // not to be looked at
                                       {{15, 0}, 1, 30}},
                20)),
            (std::vector<pid_t>{3, 4, 12, 14}));
}

TEST(Members, OfANamespaceThatIsOursAreNotTold) {
  Record record;
  record.pid = ::getpid();
  EXPECT_TRUE(members_without_cgroup(record).error().text.starts_with("not supported"));
  record.pid = 0;
  EXPECT_FALSE(members_without_cgroup(record));
}

}  // namespace
}  // namespace ocirt::container
