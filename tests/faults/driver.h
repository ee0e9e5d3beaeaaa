// Which system calls a command makes, and which of them is to fail: what the tests of faults share.
// fault_run.cc does it.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/runtime.h"

namespace harness {

// The TURNth call of this number in a process.
struct Call {
  int process = 0;
  long number = 0;
  int turn = 0;
  long argument = 0;
};

struct Fault {
  Call call;
  int error = 0;  // 0: SIGKILL
};
std::ostream& operator<<(std::ostream& stream, const Fault& fault);

// fault-run with its flags; the command follows. Containers' programs are busybox.
Args fault_run(const std::string& log, const std::optional<Fault>& fault, pid_t pid = 0);
// What the log says.
std::vector<Call> read_calls(const std::string& log);
bool has_hit(const std::string& log);

// What is wrong after a case, to be gathered; without a fault the test has failed at once.
std::string complaint(const std::optional<Fault>& fault, const Outcome& outcome,
                      const std::string& what);

// Every case, or with FAULTS_SAMPLE=N every Nth, or the one that FAULTS_ONLY says as --at does.
// `watched` is the first process that counts.
std::vector<Fault> faults_in(const std::vector<Call>& calls, int watched = 0);

}  // namespace harness
