#include "src/wire/server.h"

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/sys/process.h"
#include "src/wire/connection.h"
#include "src/wire/envelope.h"

namespace ocirt::wire {
namespace {

constexpr size_t kMostConnections = 1024;
constexpr sys::Nanoseconds kAcceptAgain = std::chrono::seconds(1);

}  // namespace

// ---- Reply
// ----------------------------------------------------------------------------------------

void detail::Waiting::end_in_time() {
  Connection* to = std::exchange(connection, nullptr);
  to->forget(*this);
  to->send(refusal_frame(stream, Code::kDeadlineExceeded, "the caller's time is over"));
  if (gone) gone();
}

Reply& Reply::operator=(Reply&& other) noexcept {
  if (this != &other) {
    if (is_awaited()) fail(Code::kInternal, "no answer");
    waiting_ = std::move(other.waiting_);
  }
  return *this;
}

Reply::~Reply() {
  if (is_awaited()) fail(Code::kInternal, "no answer");
}

Connection* Reply::finish() {
  if (!is_awaited()) return nullptr;
  Connection* to = std::exchange(waiting_->connection, nullptr);
  to->forget(*waiting_);
  waiting_->deadline.cancel();
  waiting_->gone = {};
  waiting_->message = {};
  return to;
}

void Reply::send(std::string_view payload) {
  if (Connection* to = finish()) to->send(answer_frame(waiting_->stream, payload));
}

void Reply::fail(Code code, std::string_view text) {
  if (Connection* to = finish()) to->send(refusal_frame(waiting_->stream, code, text));
}

void Reply::on_message(Callback<std::optional<std::string_view>> call) {
  if (is_awaited()) waiting_->message = call;
}

void Reply::send_one(std::string_view payload) {
  if (is_awaited()) waiting_->connection->send(message_frame(waiting_->stream, payload));
}

void Reply::end() {
  if (Connection* to = finish()) to->send(end_frame(waiting_->stream));
}

void Reply::on_gone(Callback<> call) {
  if (is_awaited()) waiting_->gone = call;
}

std::string_view Call::metadata(std::string_view key) const {
  for (size_t i = 0; i < request.n_metadata; ++i) {
    if (request.metadata[i]->key == key) return request.metadata[i]->value;
  }
  return {};
}

// ---- Server
// ---------------------------------------------------------------------------------------

Server::Server(sys::EventLoop& loop, Callback<Call&> handler)
    : loop_(loop),
      handler_(handler),
      accept_again_(loop, Callback<>::to<&Server::resume_accepting>(*this)) {}

Server::~Server() {
  while (!connections_.empty()) drop(*connections_.back());
}

Result<> Server::listen(UniqueFd fd) {
  auto listener = std::make_unique<Listener>();
  listener->fd = std::move(fd);
  listener->watch = TRY(loop_.watch(listener->fd, accepting_ ? sys::kReadable : 0u,
                                    Callback<unsigned>::to<&Server::on_connection>(*this)));
  listeners_.push_back(std::move(listener));
  return {};
}

Result<> Server::serve(UniqueFd socket) {
  const sys::Peer peer = TRY(sys::peer_of(socket));
  if (peer.uid != sys::effective_uid()) {
    return refuse(cat("user ", peer.uid, " may not connect, only user ", sys::effective_uid()));
  }
  auto connection = std::make_unique<Connection>(*this, std::move(socket), peer);
  TRY(connection->watch());
  connections_.push_back(std::move(connection));
  if (connections_.size() >= kMostConnections) pause_accepting();
  return {};
}

// All listeners have this callback; accept(2) says which of them has somebody.
void Server::on_connection(unsigned) {
  for (auto& listener : listeners_) accept_from(*listener);
}

void Server::accept_from(Listener& listener) {
  while (accepting_) {
    Result<std::optional<UniqueFd>> socket = sys::accept(listener.fd);
    if (!socket) {
      // Too many files are open, or memory is short. Whoever waits in the queue waits a little
      // longer: until a connection ends, or a second has passed.
      pause_accepting();
      accept_again_.start(kAcceptAgain);
      return;
    }
    if (!*socket) return;
    (void)serve(std::move(**socket));  // whoever may not connect finds the connection closed
  }
}

void Server::pause_accepting() {
  accepting_ = false;
  for (auto& listener : listeners_) (void)listener->watch.change(0);
}

void Server::resume_accepting() {
  accepting_ = true;
  accept_again_.cancel();
  for (auto& listener : listeners_) (void)listener->watch.change(sys::kReadable);
}

void Server::drop(Connection& connection) {
  auto is_it = [&](const std::unique_ptr<Connection>& each) { return each.get() == &connection; };
  auto found = std::ranges::find_if(connections_, is_it);
  // Out of the list first: callbacks of its calls may ask the server for its connections.
  const std::unique_ptr<Connection> dying = std::move(*found);
  connections_.erase(found);
  if (!accepting_) resume_accepting();
}

size_t Server::unsent() const {
  size_t sum = 0;
  for (const auto& connection : connections_)
    sum += connection->is_broken() ? 0 : connection->unsent();
  return sum;
}

Result<> Server::flush(sys::Nanoseconds longest) {
  const sys::Nanoseconds end = sys::monotonic_now() + longest;
  while (unsent() > 0) {
    const sys::Nanoseconds left = end - sys::monotonic_now();
    if (left <= sys::Nanoseconds(0)) return refuse(cat(unsent(), " bytes were not read in time"));
    TRY(loop_.turn(left));
  }
  return {};
}

}  // namespace ocirt::wire
