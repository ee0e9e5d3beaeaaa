// Where a finished container waits: until ocirt has recorded it, and then until somebody starts it.
#include <poll.h>
#include <sys/socket.h>

#include "src/init/channel.h"
#include "src/init/init.h"

namespace ocirt::init {
namespace {

// struct sigaction as the kernel has it.
struct Action {
  void (*handler)(int) = nullptr;  // SIG_DFL
  unsigned long flags = 0;
  void (*restorer)() = nullptr;
  unsigned long mask = 0;
};

// A caller may have had signals ignored (nohup, conmon's SIGPIPE); the program must not inherit
// that. CLONE_CLEAR_SIGHAND in sys::spawn() has reset the handlers, which it can, but ignored stays
// ignored.
void reset_signals(uint32_t ignored) {
  unsigned long none = 0;
  bare::call(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
  Action normal;
  for (int signal = 1; signal <= 31; ++signal) {
    if ((ignored >> (signal - 1) & 1) == 0) continue;
    bare::call(SYS_rt_sigaction, signal, &normal, nullptr, sizeof normal.mask);
  }
  // The two that glibc keeps for itself: its posix_spawn(3) leaves both ignored in what it starts.
  Action before;
  bare::call(SYS_rt_sigaction, 32, &normal, &before, sizeof normal.mask);
  if (before.handler != nullptr) {
    bare::call(SYS_rt_sigaction, 33, &normal, nullptr, sizeof normal.mask);
  }
}

// Who has connected and neither speaks nor goes away has been stopped: others shall not wait for
// that one for ever. Nothing of it where a filter is in force that might not know the call.
bool speaks_in_time(const Init& init, int connection) {
  if (is_filtered(init)) return true;
  constexpr long kPatienceSeconds = 5;
  pollfd look{connection, POLLIN, 0};
  const timespec patience{kPatienceSeconds, 0};
  return bare::call_again(SYS_ppoll, &look, 1, &patience, nullptr, 0) != 0;
}

// Every connection without a message is the question whether init still waits (container/status.h).
void await_gate(Init& init) {
  for (;;) {
    long connection = bare::call_again(SYS_accept4, init.plan.gate, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection == -EPERM || connection == -EACCES || connection == -ENOSYS) {
      connection = bare::call_again(SYS_accept, init.plan.gate, nullptr, nullptr);
      if (connection >= 0) bare::call(SYS_fcntl, connection, F_SETFD, FD_CLOEXEC);
    }
    must(init, connection, "wait for start");
    if (!speaks_in_time(init, static_cast<int>(connection))) {
      bare::close(static_cast<int>(connection));
      continue;
    }
    Heard heard;
    if (init.plan.start_container.count != 0) {
      heard = hear(static_cast<int>(connection));  // the state document comes with the word
    } else {
      heard.size = bare::read(static_cast<int>(connection), &heard.header, sizeof heard.header);
    }
    if (heard.size == sizeof(plan::Header) && heard.header.word == plan::Word::start) {
      init.channel = static_cast<int>(connection);
      init.state = heard.fd;
      return;
    }
    if (heard.fd >= 0) bare::close(heard.fd);
    bare::close(static_cast<int>(connection));
  }
}

}  // namespace

void report_ready(Init& init) {
  if (!init.plan.ready_by_moving && !init.plan.ready_in_silence) tell(init, plan::Word::ready);
}

// The end of the conversation alone does not say that the program runs: a killed init ends it too.
// Signals are as the program will have them, so a caller that is gone must not end us by SIGPIPE.
void announce_execution(Init& init) { tell_quietly(init, plan::Word::executing); }

void await_start(Init& init) {
  if (init.plan.purpose == plan::Purpose::create) {
    Heard commit = await(init, plan::Word::commit);
    reset_signals(commit.header.ignored_signals);
    bare::close(init.channel);
    await_gate(init);
    return;
  }
  Heard start = await(init, plan::Word::start, init.plan.start_container.count != 0);
  reset_signals(start.header.ignored_signals);
  init.state = start.fd;
}

}  // namespace ocirt::init
