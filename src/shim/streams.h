// Where a process reads and writes. Nothing that a process says is kept in the shim's memory.
//
// - A client's fifos (containerd, `ocirt-pod exec`): the process gets the fifos themselves, and the
//   shim copies nothing. It holds a reader of what the process writes, so that a client that
//   restarts costs the process no SIGPIPE, and a writer of what it reads, so that its input ends
//   when CloseIO says so and not with the first client.
// - A pod's log: the process gets fifos in the pod's directory, open for both directions. As long
//   as the process lives they have a reader, so it survives the shim, and the next shim reads on.
// - A terminal: its master is here, copied from and to fifos or into the log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/shim/log_file.h"
#include "src/sys/event_loop.h"

namespace ocirt::shim {

// As a request names them: a path, or "fifo://" and a path; empty: /dev/null.
struct StreamPaths {
  bool terminal = false;
  std::string in = {}, out = {}, err = {};
};

// Reads a fifo into a log for as long as it exists.
class LogReader {
 public:
  LogReader(LogFile& log, std::string_view stream) : log_(log), stream_(stream) {}
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  // Makes the fifo where there is none.
  Result<> open(sys::EventLoop& loop, const std::string& path);
  // For a process: a description of its own, since ours does not wait.
  Result<UniqueFd> end_of_process() const;
  // Takes what is there now.
  void drain();

 private:
  void on_ready(unsigned ready);
  LogFile& log_;
  std::string_view stream_;
  std::string path_;
  UniqueFd fifo_;
  sys::Watch watch_;
};

// The log of one container and the streams that lead there.
class ContainerLog {
 public:
  ContainerLog(std::string path, uint64_t most_bytes, uint32_t most_files)
      : file_(std::move(path), most_bytes, most_files),
        out_(file_, "stdout"),
        err_(file_, "stderr") {}

  // `directory` gets the fifos "stdout" and "stderr".
  Result<> open(sys::EventLoop& loop, const std::string& directory);
  Result<UniqueFd> out() const { return out_.end_of_process(); }
  Result<UniqueFd> err() const { return err_.end_of_process(); }
  void drain();
  LogFile& file() { return file_; }

 private:
  LogFile file_;
  LogReader out_, err_;
};

// The streams of one process.
class Streams {
 public:
  explicit Streams(sys::EventLoop& loop) : loop_(loop) {}
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  // A client's fifos.
  Result<> open(const StreamPaths& paths);
  // A container's log; a terminal writes to it as "stdout". `input` is a fifo for those who attach,
  // made where there is none, and empty where there is no input. It never ends, and survives the
  // shim, or it ends with close_input() or the shim (`once`).
  Result<> open(ContainerLog& log, bool terminal, const std::string& input = {}, bool once = false);

  // For the worker that makes the process: its streams 0, 1, 2, and for a terminal the socket to
  // which the master is sent.
  Fd of_process(int number) const { return process_[number]; }
  Fd console() const { return console_theirs_; }
  bool has_terminal() const { return terminal_; }

  // The process exists: its ends are closed here, and copying from a terminal begins.
  Result<> begin();
  Result<> resize(uint16_t columns, uint16_t rows);
  void close_input();
  // The process has ended: takes what a terminal or a log still holds, and lets go of the clients.
  void end();

 private:
  void on_screen(unsigned ready);
  void on_keys(unsigned ready);
  void on_screen_room(unsigned ready);
  bool copy_screen();

  sys::EventLoop& loop_;
  bool terminal_ = false;
  UniqueFd process_[3];  // its ends, until begin()
  UniqueFd held_[3];     // ours of the same fifos
  UniqueFd console_ours_, console_theirs_, master_, slave_;
  UniqueFd keys_, screen_;  // fifos of a terminal
  ContainerLog* log_ = nullptr;
  std::string unsent_;  // of the screen, when there was no room
  sys::Watch master_watch_, keys_watch_, screen_watch_;
};

}  // namespace ocirt::shim
