// A ttrpc server for one thread: it waits in the caller's event loop, never blocks, and hands every
// call to one function, which may answer at once, later, or in another order.
//
// What it refuses by itself: callers with another user id (SO_PEERCRED), as containerd's shims do;
// numbers of calls that are even or do not grow; messages that are malformed or too long. What it
// bounds: connections, calls that wait on one connection, and bytes that a client does not read. A
// connection costs a few hundred bytes, and more only while a message is cut or cannot be written.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/callback.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/event_loop.h"
#include "src/sys/stream.h"
#include "src/wire/messages.h"
#include "src/wire/status.h"

namespace ocirt::wire {

class Connection;
class Server;

namespace detail {
// A call that waits for its answer. The connection has a list of its calls; the Reply owns it.
struct Waiting {
  Waiting(sys::EventLoop& loop, Connection& on, uint32_t number)
      : connection(&on),
        stream(number),
        deadline(loop, Callback<>::to<&Waiting::end_in_time>(*this)) {}
  void end_in_time();

  Connection* connection;  // null when nobody waits any more
  uint32_t stream;
  sys::Timer deadline;
  Callback<> gone;
  Callback<std::optional<std::string_view>> message;
};
}  // namespace detail

// The right and the duty to answer a call. Movable: who answers later keeps it. Dropped without an
// answer it answers kInternal.
class [[nodiscard]] Reply {
 public:
  Reply() = default;  // nobody waits for it
  Reply(Reply&&) noexcept = default;
  Reply& operator=(Reply&& other) noexcept;
  ~Reply();

  // Whether somebody waits. False after the answer, after the caller's deadline (which the server
  // has then answered with kDeadlineExceeded), and when the connection is gone.
  bool is_awaited() const { return waiting_ != nullptr && waiting_->connection != nullptr; }

  void send(std::string_view payload);
  template <Message M>
  void send(const M& message) {
    send(pack(message));
  }
  // Answers google.protobuf.Empty.
  void done() { send(std::string_view()); }
  void fail(Code code, std::string_view text);
  // With the code that fits the error's errno value.
  void fail(const Error& error) { fail(code_of(error.code), error.text); }

  // For a call of many messages (Call::is_stream). Each that comes goes to `call`, and
  // nullopt when the caller has said its last; what comes while there is no such function is
  // refused.
  void on_message(Callback<std::optional<std::string_view>> call);
  // One answer of several, and the end behind them.
  void send_one(std::string_view payload);
  void end();

  // Calls when the caller stops to wait before it has been answered: its deadline, or the end of
  // its connection. Never from within a call of this class or of the handler.
  void on_gone(Callback<> call);

 private:
  friend Connection;
  explicit Reply(std::unique_ptr<detail::Waiting> waiting) : waiting_(std::move(waiting)) {}
  Connection* finish();
  std::unique_ptr<detail::Waiting> waiting_;
};

// One call. Everything but the reply is borrowed and ends with the handler.
struct Call {
  std::string_view service;  // "containerd.task.v3.Task"
  std::string_view method;   // "Create"
  std::string_view payload;
  const ttrpc::Request& request;  // metadata, timeout
  const sys::Peer& peer;
  bool is_stream = false;  // the caller will send messages
  Reply reply;

  // The first value under this key; empty when there is none.
  std::string_view metadata(std::string_view key) const;
};

class Server {
 public:
  // Every call goes to `handler`, which takes the reply out of it unless it answers at once.
  Server(sys::EventLoop& loop, Callback<Call&> handler);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Not from within the handler or a callback of a reply.
  ~Server();

  // Accepts connections from a listening stream socket that does not wait.
  Result<> listen(UniqueFd listener);
  // Serves a connection that exists already. It has to pass the same check.
  Result<> serve(UniqueFd socket);
  // No more new connections; those that are there go on.
  void stop_listening() { listeners_.clear(); }

  size_t connection_count() const { return connections_.size(); }
  // Bytes that clients have not taken yet.
  size_t unsent() const;
  // For the end of a program: waits until all answers are on their way, at most so long.
  Result<> flush(sys::Nanoseconds longest);

 private:
  friend Connection;
  struct Listener {
    UniqueFd fd;
    sys::Watch watch;
  };
  void on_connection(unsigned ready);
  void accept_from(Listener& listener);
  void pause_accepting();
  void resume_accepting();
  void drop(Connection& connection);

  sys::EventLoop& loop_;
  Callback<Call&> handler_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Connection>> connections_;
  sys::Timer accept_again_;
  bool accepting_ = true;
};

}  // namespace ocirt::wire
