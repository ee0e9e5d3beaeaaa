#include "src/container/ps.h"

#include "src/container/stand_in.h"

namespace ocirt::container {
namespace {

using PsTest = StandIn;

TEST(PsTable, KeepsTheHeaderAndTheLinesOfTheContainer) {
  constexpr std::string_view kTable =
      "UID          PID    PPID CMD\n"
      "root           1       0 init\n"
      "root          12       1 sh -c 21\n"
      "root          21      12 sleep 12\n";
  const pid_t pids[] = {12, 21};
  EXPECT_EQ(*select_lines(kTable, pids),
            "UID          PID    PPID CMD\n"
            "root          12       1 sh -c 21\n"
            "root          21      12 sleep 12\n");
  EXPECT_EQ(*select_lines(kTable, {}), "UID          PID    PPID CMD\n");
}

TEST(PsTable, FindsThePidWhereTheArgumentsPutIt) {
  const pid_t pids[] = {7};
  EXPECT_EQ(*select_lines("  PID TTY\n    1 ?\n    7 ?\n", pids), "  PID TTY\n    7 ?\n");
  EXPECT_EQ(*select_lines("PPID PID\n7 1\n1 7", pids), "PPID PID\n1 7\n");
}

TEST(PsTable, LinesWithoutAPidAreSkipped) {
  const pid_t pids[] = {7};
  EXPECT_EQ(*select_lines("USER PID\n\nroot\nroot -\nroot 7\n", pids), "USER PID\nroot 7\n");
}

TEST(PsTable, WithoutAColumnPidIsAnError) {
  EXPECT_FALSE(select_lines("CMD\ninit\n", {}));
  EXPECT_FALSE(select_lines("PPID\n1\n", {}));
  EXPECT_FALSE(select_lines("", {}));
}

TEST(PsTable, ComesFromTheHostsPs) {
  const pid_t pids[] = {::getpid()};
  Result<std::string> table = process_table(pids, {});
  if (!table) {
    ASSERT_NE(table.error().text.find("not installed"), std::string::npos) << table.error().text;
    GTEST_SKIP() << "no ps on this host";
  }
  EXPECT_EQ(std::count(table->begin(), table->end(), '\n'), 2) << *table;
  const std::string_view arguments[] = {"-o", "pid,comm", "-A"};
  table = process_table(pids, arguments);
  ASSERT_TRUE(table);
  EXPECT_NE(table->find("PID COMMAND\n"), std::string::npos) << *table;
}

TEST_F(PsTest, OfAContainerWithNeitherCgroupNorPidNamespaceIsNotSupportedUnlessStopped) {
  pid_t init = start_process();
  add("c1", init);
  Result<std::vector<pid_t>> pids = processes(store, "c1");
  ASSERT_FALSE(pids);
  EXPECT_TRUE(pids.error().text.starts_with("not supported"));
  end_process(init, true);
  ASSERT_TRUE(processes(store, "c1"));
  EXPECT_TRUE(processes(store, "c1")->empty());
}

}  // namespace
}  // namespace ocirt::container
