#include "src/shim/shim.h"

#include <csignal>
#include <utility>

#include "src/wire/service.h"

namespace ocirt::shim {
namespace {

// For answers that are on their way when the shim ends.
constexpr sys::Nanoseconds kFarewell = std::chrono::seconds(5);

}  // namespace

Shim::Shim(sys::EventLoop& loop, Runtime runtime, const pod::Layout& layout)
    : loop_(loop),
      workers_(loop),
      containers_(loop, workers_, std::move(runtime)),
      task_(containers_),
      sandbox_(containers_, layout),
      server_(loop, Callback<wire::Call&>::to<&Shim::on_call>(*this)),
      unwanted_(loop, Callback<>::to<&Shim::nobody_came>(*this)) {
  containers_.sockets().set_socket(layout.socket());
  sandbox_.on_end([this] { end(); });
  task_.on_shutdown([this](bool) {
    if (!sandbox_.has_pod()) end();
  });
}

Result<> Shim::open(UniqueFd listener) {
  TRY(sys::become_subreaper());
  signals_.emplace(TRY(sys::SignalInbox::open()));
  signals_watch_ = TRY(
      loop_.watch(signals_->fd(), sys::kReadable, Callback<unsigned>::to<&Shim::on_signal>(*this)));
  TRY(server_.listen(std::move(listener)));
  unwanted_.start(patience_);
  return {};
}

Result<> Shim::run() {
  TRY(loop_.run());
  return server_.flush(kFarewell);
}

void Shim::on_call(wire::Call& call) {
  if (unwanted_.is_running()) unwanted_.start(patience_);
  if (call.service == wire::kSandboxV1) return sandbox_.handle(call);
  if (call.service == wire::kTaskV2 || call.service == wire::kTaskV3) return task_.handle(call);
  if (call.service == wire::kStreamingV1) return containers_.sockets().handle(call);
  wire::no_such_service(call);
}

void Shim::on_signal(unsigned) {
  for (;;) {
    Result<int> signal = signals_->next();
    if (!signal || *signal == 0) return;
    if (*signal == SIGCHLD) containers_.reap();
    if (*signal == SIGTERM || *signal == SIGINT) sandbox_.shut_down();
    if (*signal == SIGHUP) sandbox_.reopen_logs();
  }
}

void Shim::nobody_came() {
  if (!sandbox_.has_pod() && containers_.empty()) end();
}

void Shim::end() {
  server_.stop_listening();
  loop_.stop();
}

}  // namespace ocirt::shim
