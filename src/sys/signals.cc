#include "src/sys/signals.h"

#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace ocirt::sys {

Result<SignalInbox> SignalInbox::open() {
  SignalInbox inbox = block();
  TRY(inbox.listen());
  return inbox;
}

SignalInbox SignalInbox::block() {
  SignalInbox inbox;
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &inbox.before_);
  inbox.armed_ = true;
  return inbox;
}

Result<> SignalInbox::listen() {
  if (fd_.valid()) return {};
  sigset_t all;
  ::sigfillset(&all);
  int fd = ::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return os_error("signalfd", errno);
  fd_ = UniqueFd(fd);
  return {};
}

int SignalInbox::wait(int timeout_ms) {
  sigset_t all;
  ::sigfillset(&all);
  const timespec timeout{timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
  const int signal = ::sigtimedwait(&all, nullptr, &timeout);
  return signal < 0 ? 0 : signal;
}

SignalInbox::SignalInbox(SignalInbox&& other) noexcept
    : fd_(std::move(other.fd_)),
      before_(other.before_),
      armed_(std::exchange(other.armed_, false)) {}

SignalInbox::~SignalInbox() {
  if (armed_ && !UniqueFd::is_leaving()) ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Result<int> SignalInbox::next() {
  signalfd_siginfo info{};
  ssize_t got = ::read(fd_.raw(), &info, sizeof info);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (got != sizeof info) return os_error("read signals", errno);
  return static_cast<int>(info.ssi_signo);
}

void forget_child_signal() {
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  constexpr timespec kNow{};
  (void)::sigtimedwait(&child, nullptr, &kNow);
}

void remember_child_signal() { (void)::kill(::getpid(), SIGCHLD); }

void reap_others_than(pid_t pid) {
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 ||
        info.si_pid == pid)
      return;
    ::waitid(P_PID, static_cast<id_t>(info.si_pid), &info, WEXITED | WNOHANG);
  }
}

void default_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace ocirt::sys
