#include "src/shim/containerd_shim.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "src/base/text.h"
#include "src/sys/socket.h"
#include "src/wire/service.h"

namespace ocirt::shim {
namespace {

// Who has started a shim creates a container at once, unless it was killed in between.
constexpr sys::Nanoseconds kPatience = std::chrono::seconds(30);
// containerd gives its Shutdown so long, which follows the Delete of the last container.
constexpr sys::Nanoseconds kShutdownTime = std::chrono::seconds(3);
// For answers and events that are on their way when the shim ends.
constexpr sys::Nanoseconds kFarewell = std::chrono::seconds(5);
constexpr sys::Nanoseconds kUnreadPause = std::chrono::milliseconds(100);
// What is being created when SIGTERM comes.
constexpr sys::Nanoseconds kLookAgain = std::chrono::milliseconds(100);
// For containers to end by SIGKILL.
constexpr sys::Nanoseconds kKillTime = std::chrono::seconds(10);

}  // namespace

ContainerdShim::ContainerdShim(sys::EventLoop& loop, ContainerdSetup setup, Seat seat)
    : loop_(loop),
      setup_(std::move(setup)),
      seat_(std::move(seat)),
      log_(cat(setup_.bundle, "/log")),
      workers_(loop, setup_.huge_pages),
      containers_(loop, workers_, setup_.runtime),
      publisher_(loop, setup_.ttrpc_address, setup_.name_space),
      events_(loop, publisher_, log_, [this](const Container& container) { removed(container); }),
      task_(containers_),
      sandbox_(containers_, setup_.group, setup_.bundle),
      server_(loop, Callback<wire::Call&>::to<&ContainerdShim::on_call>(*this)),
      idle_(loop, Callback<>::to<&ContainerdShim::nobody_came>(*this)),
      leaving_(loop, Callback<>::to<&ContainerdShim::leave>(*this)),
      farewell_(loop, Callback<>::to<&ContainerdShim::stop>(*this)),
      ended_(loop, Callback<>::to<&ContainerdShim::remove_ended>(*this)) {
  containers_.observe(&events_);
  containers_.sockets().set_socket(seat_.path);
  containers_.on_end([this](Container& container) { container_ended(container); });
  if (setup_.ttrpc_address.empty()) events_.tell_oom_by_file(containers_);
  sandbox_.on_end([this] { leave(); });
  task_.ask_for_sandbox([this] { return sandbox_.holds(); });
  task_.on_shutdown([this](bool now) {
    if (now) return leave();
    // Shutdown came before: containerd says it after each container, and says it again.
    leaving_.start(kShutdownTime);
  });
}

Result<> ContainerdShim::open() {
  TRY(sys::become_subreaper());
  signals_.emplace(TRY(sys::SignalInbox::open()));
  signals_watch_ = TRY(loop_.watch(signals_->fd(), sys::kReadable,
                                   Callback<unsigned>::to<&ContainerdShim::on_signal>(*this)));
  TRY(server_.listen(std::move(seat_.listener)));
  expect(setup_.id);
  return {};
}

Result<> ContainerdShim::follow_starter(UniqueFd starter, std::string_view word) {
  starter_ = std::move(starter);
  starter_watch_ = TRY(loop_.watch(starter_, sys::kReadable,
                                   Callback<unsigned>::to<&ContainerdShim::on_starter>(*this)));
  return sys::send_message(starter_, word);
}

void ContainerdShim::on_starter(unsigned) {
  constexpr size_t kMostInWord = 16;  // or room is taken that the shim never gives back
  const Result<sys::Message> word = sys::receive_message(starter_, kMostInWord);
  starter_watch_ = {};
  starter_.reset();
  const bool ended = word ? word->bytes.empty() : word.error().code == ECONNRESET;
  // Not where somebody has asked for it meanwhile.
  if (ended && containers_.find(setup_.id) == nullptr) gone(setup_.id);
}

Result<> ContainerdShim::run() {
  TRY(loop_.run());
  return server_.flush(kFarewell);
}

void ContainerdShim::on_call(wire::Call& call) {
  if (setup_.debug) log_.write("debug", cat("call of ", call.service, "/", call.method));
  if (call.service == wire::kTaskV2 || call.service == wire::kTaskV3) return task_.handle(call);
  if (call.service == wire::kStreamingV1) return containers_.sockets().handle(call);
  if (call.service == wire::kSandboxV1) return sandbox_.handle(call);
  if (call.service == kJoinService && call.method == kJoinMethod) {
    // Not any more what was said of the containers before.
    task_.forget_shutdown();
    leaving_.cancel();
    expect(call.payload);
    return call.reply.send("3");
  }
  if (call.service == kJoinService && call.method == kGoneMethod) {
    gone(call.payload);
    return call.reply.send("");
  }
  wire::no_such_service(call);
}

void ContainerdShim::on_signal(unsigned) {
  for (;;) {
    Result<int> signal = signals_->next();
    if (!signal || *signal == 0) return;
    if (*signal == SIGCHLD) containers_.reap();
    if (*signal == SIGTERM || *signal == SIGINT) kill_all();
    if (*signal == SIGUSR1) dump();
  }
}

// ---- the end ------------------------------------------------------------------------------------

void ContainerdShim::expect(std::string_view id) {
  awaited_.emplace_back(id);
  idle_.start(kPatience);
}

// A daemon that was killed between our `start` and its Create has its successor run `delete`. That
// one may stay connected, which says nothing of what it will ask for (seen with containerd 2.1).
void ContainerdShim::gone(std::string_view id) {
  std::erase(awaited_, id);
  if (containers_.find(id) != nullptr) {
    gone_.emplace_back(id);
    ended_.start(sys::Nanoseconds(0));
  } else if (awaited_.empty()) {
    leaving_.start(sys::Nanoseconds(0));
  }
}

// Its row is still there.
void ContainerdShim::removed(const Container& container) {
  std::erase(awaited_, container.id);
  const bool was_gone = std::erase(gone_, container.id) != 0;
  if (containers_.all().size() > 1) return;
  idle_.start(kPatience);
  if (killed_) {
    if (sandbox_.holds()) return sandbox_.shut_down();
    return leave();
  }
  if (was_gone && awaited_.empty()) return leaving_.start(sys::Nanoseconds(0));
  // Daemons that leave the end of a pod to its sandbox do not say Shutdown.
  if (container.id == setup_.group) leaving_.start(kShutdownTime);
}

void ContainerdShim::nobody_came() {
  if (!containers_.empty() || sandbox_.holds()) return;
  if (server_.connection_count() > 0) return idle_.start(kPatience);
  leave();
}

// By SIGTERM: what cannot be asked for any more is not left behind.
void ContainerdShim::kill_all() {
  killed_ = true;
  if (containers_.empty() && !sandbox_.holds()) return leave();
  farewell_.start(kKillTime);
  ended_.start(sys::Nanoseconds(0));
  if (containers_.empty()) sandbox_.shut_down();
}

void ContainerdShim::container_ended(Container&) {
  if (killed_ || !gone_.empty()) ended_.start(sys::Nanoseconds(0));
}

void ContainerdShim::remove_ended() {
  bool making = false;
  for (const auto& container : containers_.all()) {
    const bool unwanted = killed_ || std::ranges::count(gone_, container->id) != 0;
    if (!unwanted || container->removing) continue;
    if (container->init.phase == Phase::kStopped) {
      containers_.remove(*container, [](const Result<Done>&, const Ending&) {});
    } else if (killed_) {
      making |= container->init.phase == Phase::kCreating;
      containers_.kill(*container, container->init, SIGKILL, false, [](const Result<Done>&) {});
    }
  }
  // It cannot be killed before it is there.
  if (making) ended_.start(kLookAgain);
}

void ContainerdShim::leave() {
  if (ending_ || (!killed_ && (!containers_.empty() || sandbox_.holds()))) return;
  // Those have limits of their own.
  if (!killed_ && containers_.has_unread_streams()) return leaving_.start(kUnreadPause);
  ending_ = true;
  // From here on another `start` makes another shim.
  give_up(seat_);
  server_.stop_listening();
  if (publisher_.is_idle()) return stop();
  publisher_.on_idle(Callback<>::to<&ContainerdShim::stop>(*this));
  farewell_.start(kFarewell);
}

void ContainerdShim::stop() {
  if (!std::exchange(ending_, true)) give_up(seat_);
  loop_.stop();
}

void ContainerdShim::dump() {
  log_.write("info", cat("shim of ", setup_.group, ": ", containers_.all().size(), " containers, ",
                         server_.connection_count(), " connections, ", publisher_.dropped(),
                         " events lost"));
  for (const auto& container : containers_.all()) {
    log_.write("info", cat("container ", container->id, ": pid ", container->init.pid, ", phase ",
                           static_cast<int>(container->init.phase), ", ", container->execs.size(),
                           " further processes"));
  }
}

}  // namespace ocirt::shim
