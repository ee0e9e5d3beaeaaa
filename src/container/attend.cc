#include "src/container/attend.h"

#include <csignal>
#include <optional>

#include "src/sys/copier.h"
#include "src/sys/terminal.h"

namespace ocirt::container {
namespace {

constexpr Fd kInput{0}, kOutput{1};
// A process that has not ended by then may stay for long.
constexpr int kShortLife = 30;  // milliseconds

void pass_on(int signal, Fd pidfd, Fd console, bool& asked_to_end) {
  if (signal == SIGCHLD) return;
  if (signal == SIGWINCH && console.valid()) {
    sys::copy_window_size(kInput, console);
    return;
  }
  asked_to_end |= signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
  if (pidfd.valid()) (void)sys::send_signal(pidfd, signal);  // it may have ended in this moment
}

// Returns whether one of them asked us to end.
Result<bool> forward_signals(Fd pidfd, Fd console, sys::SignalInbox& signals) {
  for (bool asked_to_end = false;;) {
    int signal = TRY(signals.next());
    if (signal == 0) return asked_to_end;
    pass_on(signal, pidfd, console, asked_to_end);
  }
}

// What the terminal still holds at the process's end. A reader who stalls is given up when we have
// been asked to end.
Result<> show_the_rest(sys::Copier& screen, sys::SignalInbox& signals, bool asked_to_end) {
  while (screen.has_more() && !(asked_to_end && screen.is_stalled())) {
    sys::Readiness ready = TRY(sys::wait_for(signals.fd(), Fd(), sys::Copier(), screen));
    if (ready.screen) screen.move();
    if (ready.signal) asked_to_end |= TRY(forward_signals(Fd(), Fd(), signals));
  }
  return {};
}

}  // namespace

Result<sys::ExitStatus> attend(pid_t pid, Fd pidfd, Fd console, sys::SignalInbox& signals,
                               NotifySocket* notify, Callback<> lives) {
  std::optional<sys::RawMode> raw;
  sys::Copier keys, screen;
  UniqueFd slave, output;
  bool asked_to_end = false;
  if (console.valid()) {
    sys::copy_window_size(kInput, console);
    sys::never_wait(console);
    slave = sys::open_slave(console);
    raw.emplace(kInput);
    keys = sys::Copier(kInput, console);
    output = sys::reopen_without_waiting(kOutput);
    screen = sys::Copier(console, output.valid() ? Fd(output) : kOutput);
  }
  if (!console.valid() && notify == nullptr) {
    // Nothing but a signal is waited for here, and the process's end is one. Should it not come
    // (our caller may have it ignored), the loop below learns of the end by the pidfd.
    const int signal = signals.wait(kShortLife);
    std::optional<sys::ExitStatus> ended;
    if (signal == SIGCHLD) ended = TRY(sys::ended_child(pidfd));
    if (ended) return *ended;
    if (signal == SIGCHLD) sys::reap_others_than(pid);
    if (signal != 0) pass_on(signal, pidfd, console, asked_to_end);
  }
  // Whatever comes from here on, others need not wait for it: a terminal may never be silent.
  UniqueFd::close_group();
  if (lives) lives();
  TRY(signals.listen());
  for (;;) {
    sys::Readiness ready = TRY(
        sys::wait_for(signals.fd(), pidfd, keys, screen, notify != nullptr ? notify->fd() : Fd()));
    if (ready.notice) notify->pass_on(sys::own_pid());  // we are the service's main process
    if (ready.ended) break;
    if (ready.signal) {
      asked_to_end |= TRY(forward_signals(pidfd, console, signals));
      sys::reap_others_than(pid);
    }
    if (ready.keys) keys.move();
    if (ready.screen) screen.move();
  }
  Result<sys::ExitStatus> status = sys::wait_child(pidfd);
  TRY(show_the_rest(screen, signals, asked_to_end));
  return status;
}

}  // namespace ocirt::container
