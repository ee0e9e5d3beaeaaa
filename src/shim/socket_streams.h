// Streams of processes over the shim's own socket: what containerd's CRI asks for with
// `io_type = "streaming"`, where a fifo would not do (its sandboxes may be machines).
//
// The client calls containerd.services.streaming.v1.Streaming/Stream once for each stream, says its
// id, and gets an answer when that was heard; then the process is created with
// "ttrpc+unix://SOCKET?streaming_id=ID" for a path. Bytes are sent only as the receiver has room
// for (WindowUpdate). A client that is gone may come again with the same id, as a daemon does that
// was restarted: what the process says meanwhile waits in its pipe, and its input does not end.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/callback.h"
#include "src/wire/any.h"
#include "src/wire/server.h"

namespace ocirt::shim {

class SocketStreams;
class SocketStream;

// A client's call of Streaming/Stream, from its first message on.
class StreamCaller {
 public:
  StreamCaller(SocketStreams& all, wire::Reply reply);
  StreamCaller(const StreamCaller&) = delete;
  StreamCaller& operator=(const StreamCaller&) = delete;

  const std::string& id() const { return id_; }
  // How many bytes it has room for.
  size_t window() const { return window_; }
  // It has said that it will send no more.
  bool has_said_all() const { return said_all_; }
  bool is_there() const { return reply_.is_awaited(); }

  // At most window() bytes.
  void send(std::string_view bytes);
  void grant(size_t bytes);
  // The call is answered; the stream has no caller then.
  void end();
  void fail(wire::Code code, std::string_view text);

 private:
  friend SocketStreams;
  friend SocketStream;
  void on_message(std::optional<std::string_view> payload);
  void take(const wire::Any& message);
  void leave();

  SocketStreams& all_;
  wire::Reply reply_;
  std::string id_;  // empty: not said yet
  size_t window_ = 0;
  bool said_all_ = false;
  SocketStream* stream_ = nullptr;  // of the process that it was for
};

// A process's end of a stream (socket_pipes.h), for as long as that exists. The last caller with
// its id has it.
class SocketStream {
 public:
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;

 protected:
  friend SocketStreams;
  friend StreamCaller;
  // `changed`: a caller has come, or gone, or has room for more. `bytes`: of a caller; clears the
  // flag when they are not wanted.
  SocketStream(SocketStreams& all, std::string id, Callback<> changed,
               Callback<std::string_view, bool&> bytes)
      : all_(all), id_(std::move(id)), changed_(changed), bytes_(bytes) {}
  // The caller hears the end.
  ~SocketStream();
  // From here on it may have a caller.
  void be_found();
  StreamCaller* caller() { return caller_; }
  const StreamCaller* caller() const { return caller_; }

 private:
  SocketStreams& all_;
  const std::string id_;
  const Callback<> changed_;
  const Callback<std::string_view, bool&> bytes_;
  StreamCaller* caller_ = nullptr;
};

class SocketStreams {
 public:
  SocketStreams() = default;
  SocketStreams(const SocketStreams&) = delete;
  SocketStreams& operator=(const SocketStreams&) = delete;

  // The path of the shim's socket, which is the only one that streams lead over.
  void set_socket(std::string path) { socket_ = std::move(path); }
  const std::string& socket() const { return socket_; }

  // A call of the service Streaming.
  void handle(wire::Call& call);

 private:
  friend StreamCaller;
  friend SocketStream;
  void called(StreamCaller& caller);
  static void join(SocketStream& stream, StreamCaller& caller);

  std::string socket_;
  std::vector<std::unique_ptr<StreamCaller>> callers_;
  std::vector<SocketStream*> streams_;
};

}  // namespace ocirt::shim
