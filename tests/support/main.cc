// Entry of the root tests. A test that never ends would take the whole suite's time and hide the
// tests behind it: after TEST_SECONDS (180; 0 for no limit), times TEST_PATIENCE, the program ends
// and says in which one.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "tests/support/patience.h"
#include "tests/support/workspace.h"

namespace {

class Watch : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override { alarm(limit_); }
  void OnTestEnd(const ::testing::TestInfo&) override { alarm(0); }

  static unsigned seconds() {
    const char* said = getenv("TEST_SECONDS");
    return static_cast<unsigned>((said ? atoi(said) : 180) * harness::patience());
  }
  const unsigned limit_ = seconds();
};

void give_up(int) {
  const char text[] = "the test did not end (TEST_SECONDS)\n";
  if (write(STDERR_FILENO, text, sizeof text - 1)) {
  }
  _exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (GTEST_FLAG_GET(list_tests)) return RUN_ALL_TESTS();
  signal(SIGALRM, give_up);
  ::testing::UnitTest::GetInstance()->listeners().Append(new Watch);
  try {
    return harness::run_in_workspace([] { return RUN_ALL_TESTS(); });
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
