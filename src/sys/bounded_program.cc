#include "src/sys/bounded_program.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "src/base/text.h"
#include "src/sys/child_result.h"
#include "src/sys/fifo.h"
#include "src/sys/fork.h"
#include "src/sys/process.h"
#include "src/sys/program_output.h"
#include "src/sys/retry.h"

namespace ocirt::sys {
namespace {

// Whether there is an answer, or its end, in time.
bool comes(Fd answer, Nanoseconds limit) {
  const Nanoseconds end = monotonic_now() + limit;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - monotonic_now()).count();
    pollfd what{answer.raw(), POLLIN, 0};
    const int wait = static_cast<int>(std::clamp<int64_t>(left, 0, 1'000'000));
    if (retry([&] { return ::poll(&what, 1, wait); }) != 0) return true;
    if (left <= 0) return false;
  }
}

}  // namespace

Result<> run_bounded(std::span<const std::string> argv, Fd held, Nanoseconds limit) {
  Pipe answer = TRY(make_pipe());
  TRY(set_waiting(answer.from, true));
  const int keep[] = {answer.to.raw(), held.raw()};
  Fork how;
  how.keep = std::span(keep, held.valid() ? 2 : 1);
  how.standard[2] = Fd(2);
  how.leads_group = true;
  const pid_t child = TRY(fork_child(how));
  if (child == 0) {
    if (held.valid()) ::fcntl(held.raw(), F_SETFD, 0);
    const Result<std::string> output = program_output(argv);
    tell_result(answer.to, output ? Result<>() : std::unexpected(output.error()));
    exit_now(0);
  }
  const UniqueFd helper = TRY(pidfd_open(child));
  answer.to.reset();
  if (!comes(answer.from, limit)) {
    signal_group(child, SIGKILL);
    (void)signal_child(child, SIGKILL);
    (void)wait_child(helper);
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(limit).count();
    return std::unexpected(Error{
        ETIMEDOUT, cat(argv[0], " was ended, since it took longer than ",
                       seconds % 60 == 0 ? cat(seconds / 60, " minutes") : cat(seconds, " s"))});
  }
  Result<> done = hear_result(answer.from, cat(argv[0], " was ended by somebody"));
  (void)wait_child(helper);
  return done;
}

}  // namespace ocirt::sys
