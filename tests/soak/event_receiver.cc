// See event_receiver.h.
#include "tests/soak/event_receiver.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "src/base/text.h"
#include "src/sys/event_loop.h"
#include "src/sys/stream.h"
#include "src/wire/messages.h"
#include "src/wire/server.h"
#include "tests/support/files.h"

namespace harness {

namespace wire = ocirt::wire;

EventReceiver::EventReceiver(const std::string& directory, const std::string& name, int rounds)
    : socket_(directory + "/" + name), rounds_(rounds) {
  void* shared = ::mmap(nullptr, sizeof(Heard) * static_cast<size_t>(rounds + 1),
                        PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) throw std::runtime_error("no shared memory");
  heard_ = static_cast<Heard*>(shared);
  pid_ = ::fork();
  if (pid_ == 0) receive(directory, name);
  if (!eventually([&] { return exists(socket_); })) throw std::runtime_error("no event receiver");
}

EventReceiver::~EventReceiver() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::munmap(heard_, sizeof(Heard) * static_cast<size_t>(rounds_ + 1));
  ::unlink(socket_.c_str());
}

void EventReceiver::receive(const std::string& directory, const std::string& name) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct Listener {
    void handle(wire::Call& call) {
      auto request = wire::parse<wire::ForwardRequest>(call.payload);
      if (!request) return call.reply.fail(wire::Code::kInvalidArgument, "not an event");
      const wire::Envelope& envelope = *(*request)->envelope;
      heard[rounds].status = heard[rounds].status + 1;
      if (std::string_view(envelope.topic) == "/tasks/exit") ended(envelope);
      call.reply.done();
    }
    void ended(const wire::Envelope& envelope) const {
      const auto* data = reinterpret_cast<const char*>(envelope.event->value.data);
      auto exit = wire::parse<wire::TaskExit>(std::string_view(data, envelope.event->value.len));
      if (!exit || (*exit)->id[0] != 'r') return;
      const int round = std::atoi((*exit)->id + 1);
      if (round < 0 || round >= rounds) return;
      heard[round].status = static_cast<int>((*exit)->exit_status);
      heard[round].times = heard[round].times + 1;
    }
    Heard* heard;
    int rounds;
  } listener{heard_, rounds_};
  const ocirt::UniqueFd place(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  auto loop = *ocirt::sys::EventLoop::open();
  wire::Server server(*loop, ocirt::Callback<wire::Call&>::to<&Listener::handle>(listener));
  if (!server.listen(*ocirt::sys::listen_stream_at(place, name))) ::_exit(1);
  (void)loop->run();
  ::_exit(1);
}

}  // namespace harness
