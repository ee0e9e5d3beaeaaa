// Where a process reads and writes. Of what it says the shim keeps nothing but the rest of a chunk.
//
// - A client's fifos (containerd): a container's process gets the fifos themselves, and the shim
//   copies nothing. It holds a reader of what the process writes until the process is deleted, so
//   that a client that restarts, or goes away before it has read everything, costs the process
//   no SIGPIPE; and a writer of what it reads, so that its input ends when CloseIO says so and not
//   with the first client.
// - A client that has not opened its fifos yet: the process has pipes, and what it says waits there
//   until it does (client_fifo.h). One that has gone again when the process ends finds what it has
//   missed, and the end, until the process is deleted.
// - An exec has pipes, which are copied to the fifos (pump.h): what it leaves behind in the
//   background has the same streams, and a client that waits for their end would wait for ever.
// - A pod's log: the process gets fifos in the pod's directory, open for both directions. As long
//   as the process lives they have a reader, so it survives the shim, and the next shim reads on.
// - A terminal: its master is here, copied from and to fifos or into the log.
// - A file, which the process appends to by itself, or a program (logger.h).
// - A client that calls for them over the shim's socket (socket_streams.h): the process has pipes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/shim/client_fifo.h"
#include "src/shim/container_log.h"
#include "src/shim/logger.h"
#include "src/shim/pump.h"
#include "src/shim/socket_pipes.h"
#include "src/shim/stream_places.h"
#include "src/sys/event_loop.h"

namespace ocirt::shim {

// Of whom the streams are.
struct StreamOwner {
  bool copied = false;                   // through pipes: of an exec
  uint32_t uid = 0, gid = 0;             // that the process's ends belong to; 0: as they are
  std::string id = {}, name_space = {};  // for a logging program, and warnings
};

// The streams of one process.
class Streams {
 public:
  // `sockets`: for streams over the shim's socket, which are refused without.
  // `grace`: for what a process has left in the background with its streams, after its end; as
  // long as containerd's own shim waits.
  // `hold`: for a client that has not come yet, see awaits_client().
  explicit Streams(sys::EventLoop& loop, SocketStreams* sockets = nullptr,
                   sys::Nanoseconds grace = std::chrono::seconds(10),
                   sys::Nanoseconds hold = std::chrono::seconds(2));
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  // A client's.
  Result<> open(const StreamPaths& paths, const StreamOwner& owner);
  // A container's log; a terminal writes to it as "stdout". `input` is a fifo for those who attach,
  // made where there is none, and empty where there is no input. It never ends, and survives the
  // shim, or it ends with close_input() or the shim (`once`).
  Result<> open(ContainerLog& log, bool terminal, const std::string& input = {}, bool once = false);

  // For the worker that makes the process: its streams 0, 1, 2, for a terminal the socket to which
  // the master is sent, and what to wait for with wait_for_logger().
  Fd of_process(int number) const { return process_[number]; }
  Fd console() const { return console_theirs_; }
  Fd logger_ready() const { return logger_ ? logger_->ready() : Fd(); }
  bool logger_must_answer() const { return logger_must_answer_; }
  bool has_terminal() const { return terminal_; }

  // The process exists: its ends are closed here, and copying begins.
  Result<> begin();
  Result<> resize(uint16_t columns, uint16_t rows);
  void close_input();
  // The process has ended. What it has said is delivered as far as there is room for it, and the
  // client hears the end; for what is still to come, of what it has left in the background or for a
  // client that is slow, there are some seconds.
  void end();
  bool has_ended() const { return ended_; }
  // Whether it is too early to tell that the process has ended: clients give their streams up as
  // they hear of it, and this one has not opened them yet. containerd's own shim does not even
  // answer that a process has been started before its streams are open at both ends.
  bool awaits_client() const { return hold_.is_running(); }
  // Called when that is over: it has come, or was waited for long enough.
  void on_hold_over(Callback<> call) { hold_over_ = call; }
  // Called with one line about what went wrong without being anybody's answer.
  void on_warning(Callback<std::string_view> call) { warn_ = call; }
  // It is deleted: nothing is kept any more for a client that is not there.
  void release();
  // Whether it may be destroyed without anybody missing something.
  bool is_done() const {
    return ended_ && !copies() && !sends() && (!logger_ || logger_->has_ended());
  }
  // A child of the shim has ended; true: it was the logging program.
  bool logger_ended(pid_t pid) { return logger_ && logger_->ended(pid); }

 private:
  // What is copied to a client: from a pipe or a terminal.
  struct Output {
    explicit Output(sys::EventLoop& loop) : pump(loop) {}
    UniqueFd from, to;
    Pump pump;
  };
  Result<> open_terminal(const StreamPlaces& places, const StreamOwner& owner);
  Result<> open_fifos(const StreamPlaces& places, const StreamOwner& owner);
  Result<> open_sockets(const StreamPlaces& places);
  Result<> open_input(const std::string& path);
  Result<> open_output(int number, const std::string& path, bool copied);
  Result<UniqueFd> open_for_client(int number, const std::string& path);
  Result<> begin_terminal();
  Result<> begin_output(Output& output);
  void client_has_come();
  void let_go(int i);
  void client_is_back();
  void warn(int i, const Error& error);
  void hold_is_over();
  bool is_awaited(int i) const { return client_[i] && client_[i]->is_awaited(); }
  bool awaits_somebody() const { return is_awaited(0) || is_awaited(1); }
  bool copies() const { return copying_ && (outputs_[0] || outputs_[1]); }
  bool sends() const;
  void output_ended();
  void too_late();
  void stop_copying();

  sys::EventLoop& loop_;
  bool terminal_ = false, ended_ = false, released_ = false, copying_ = true;
  bool begun_ = false, logger_must_answer_ = false;
  UniqueFd process_[3];  // its ends, until begin()
  UniqueFd held_[3];     // of the client's fifos: a writer of stdin, readers of the others
  UniqueFd console_ours_, console_theirs_, slave_;
  std::unique_ptr<Output> outputs_[2];
  std::unique_ptr<AwaitedReader> client_[2];  // who was not there: the output is not begun
  // Of a client that had gone when the process ended: what it opens its fifo against.
  UniqueFd kept_[2];
  std::unique_ptr<AwaitedReader> gone_client_[2];
  bool let_go_[2] = {};
  UniqueFd keys_, keyboard_;  // a terminal's input, and its master once more
  std::unique_ptr<Pump> typing_;
  SocketStreams* sockets_;
  std::unique_ptr<SocketInput> called_in_;
  std::unique_ptr<SocketOutput> called_out_[2];
  std::unique_ptr<Logger> logger_;
  ContainerLog* log_ = nullptr;
  const sys::Nanoseconds patience_;
  sys::Timer grace_;
  const sys::Nanoseconds longest_hold_;
  sys::Timer hold_;
  Callback<> hold_over_;
  Callback<std::string_view> warn_;
  std::string id_;  // StreamOwner::id
  uint64_t moved_before_ = 0;
};

}  // namespace ocirt::shim
