// The directory in which everything of a test run lives: a tmpfs in a mount namespace of our own,
// so that whatever a test leaves behind vanishes with the test program.
#pragma once

#include <string>

namespace harness {

const std::string& workspace();

// Runs `tests` in a child process that has the workspace and is a subreaper, and returns its exit
// code. Needs root. The parent stays to clean up, also when the child crashes or we are told to
// end: control groups would outlive both.
int run_in_workspace(int (*tests)());

}  // namespace harness
