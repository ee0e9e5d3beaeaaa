// Entry of the root tests.
#include <gtest/gtest.h>

#include <cstdio>
#include <exception>

#include "tests/support/workspace.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (GTEST_FLAG_GET(list_tests)) return RUN_ALL_TESTS();
  try {
    return harness::run_in_workspace([] { return RUN_ALL_TESTS(); });
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
