#include "src/shim/streams.h"

#include <cerrno>
#include <tuple>
#include <utility>

#include "src/base/text.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/socket.h"
#include "src/sys/stream.h"
#include "src/sys/terminal.h"

namespace ocirt::shim {
namespace {

constexpr size_t kChunk = 4096;  // a pipe that reports room takes this much at once (PIPE_BUF)
// After so many chunks others get their turn; what is left is reported again.
constexpr int kChunksAtOnce = 16;

// Any user of the container may open its own standard output again by /dev/stdout; strangers do not
// get into the pod's directory.
constexpr mode_t kFifoMode = 0666;

Result<> check_fifo(std::string_view which, const std::string& path) {
  Result<struct stat> found = within(which, sys::stat(sys::kCwd, path));
  // Not ENOENT, which callers would take for the container.
  if (!found) return std::unexpected(Error{EINVAL, std::move(found.error().text)});
  const struct stat info = *found;
  if (S_ISFIFO(info.st_mode)) return {};
  return std::unexpected(
      Error{ENOSYS, cat("not supported: ", which, ": ", quoted(path), " is not a fifo")});
}

// Both ends of a fifo; neither waits. Opening a reader first makes neither open wait.
struct Ends {
  UniqueFd reader, writer;
};
Result<Ends> open_both(std::string_view which, const std::string& path) {
  TRY(check_fifo(which, path));
  Ends ends;
  ends.reader = TRY(within(which, sys::open(sys::kCwd, path, O_RDONLY | O_NONBLOCK)));
  ends.writer = TRY(within(which, sys::open(sys::kCwd, path, O_WRONLY | O_NONBLOCK)));
  return ends;
}

Result<UniqueFd> open_file(const std::string& path) {
  if (const size_t slash = path.rfind('/'); slash != 0) {
    Result<> made = sys::mkdir_parents(path.substr(0, slash), 0755);
    if (!made && made.error().code != EEXIST) return std::unexpected(made.error());
  }
  // It may be another thing than a file, and a fifo without a reader would have everybody wait.
  return sys::open(sys::kCwd, path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY, 0644);
}

constexpr std::string_view kNames[3] = {"stdin", "stdout", "stderr"};

}  // namespace

// ---- logs ---------------------------------------------------------------------------------------

Result<> LogReader::open(sys::EventLoop& loop, const std::string& path) {
  path_ = path;
  TRY(sys::make_fifo(path, kFifoMode));
  // For both directions: no end of file between two lives of the container.
  fifo_ = TRY(sys::open(sys::kCwd, path, O_RDWR | O_NONBLOCK));
  watch_ =
      TRY(loop.watch(fifo_, sys::kReadable, Callback<unsigned>::to<&LogReader::on_ready>(*this)));
  return {};
}

Result<UniqueFd> LogReader::end_of_process() const { return sys::open(sys::kCwd, path_, O_RDWR); }

void LogReader::on_ready(unsigned) {
  char room[kChunk];
  for (int i = 0; i < kChunksAtOnce; ++i) {
    Result<std::optional<size_t>> got = sys::read_some(fifo_, room);
    if (!got || !*got || **got == 0) return;
    log_.append(stream_, {room, **got});
  }
}

void LogReader::drain() {
  // A pipe holds at most 1 MiB; others than its process may write on for ever.
  for (int i = 0; i < 16; ++i) on_ready(0);
}

Result<> ContainerLog::open(sys::EventLoop& loop, const std::string& directory) {
  TRY(within("log", out_.open(loop, cat(directory, "/stdout"))));
  return within("log", err_.open(loop, cat(directory, "/stderr")));
}

void ContainerLog::drain() {
  out_.drain();
  err_.drain();
}

// ---- streams of a process -----------------------------------------------------------------------

Streams::Streams(sys::EventLoop& loop, SocketStreams* sockets, sys::Nanoseconds grace)
    : loop_(loop),
      sockets_(sockets),
      patience_(grace),
      grace_(loop, Callback<>::to<&Streams::too_late>(*this)) {}

Result<> Streams::open(const StreamPaths& paths, const StreamOwner& owner) {
  terminal_ = paths.terminal;
  const StreamPlaces places = TRY(read_places(paths));
  if (places.kind == StreamPlaces::Kind::kProgram) {
    logger_must_answer_ = places.must_answer;
    logger_ = std::make_unique<Logger>(loop_);
    TRY(within("stdout", logger_->start(places, owner.id, owner.name_space)));
  }
  if (places.kind == StreamPlaces::Kind::kSocket) {
    TRY(open_sockets(places));
  } else {
    TRY(terminal_ ? open_terminal(places, owner) : open_fifos(places, owner));
  }
  if (owner.uid == 0 && owner.gid == 0) return {};
  for (const UniqueFd& end : process_) {
    if (end.valid()) TRY(sys::give_descriptor_to(end, "a stream", owner.uid, owner.gid));
  }
  return {};
}

// What a terminal shows goes to one place: there is no stderr.
Result<> Streams::open_terminal(const StreamPlaces& places, const StreamOwner&) {
  if (!places.in.empty()) {
    TRY(check_fifo("stdin", places.in));
    // For both directions: no end of input with the first client.
    keys_ = TRY(within("stdin", sys::open(sys::kCwd, places.in, O_RDWR | O_NONBLOCK)));
  }
  outputs_[0] = std::make_unique<Output>(loop_);
  Output& screen = *outputs_[0];
  if (logger_) {
    screen.to = TRY(sys::duplicate(logger_->out()));
    TRY(sys::set_waiting(screen.to, false));
  } else if (places.kind == StreamPlaces::Kind::kFile) {
    screen.to = TRY(within("stdout", open_file(places.out)));
  } else if (!places.out.empty()) {
    Ends ends = TRY(open_both("stdout", places.out));
    screen.to = std::move(ends.writer);
    held_[1] = std::move(ends.reader);
  }
  std::tie(console_ours_, console_theirs_) = TRY(sys::socket_pair());
  return {};
}

Result<> Streams::open_fifos(const StreamPlaces& places, const StreamOwner& owner) {
  if (!places.in.empty()) TRY(open_input(places.in));
  if (logger_) {
    process_[1] = TRY(sys::duplicate(logger_->out()));
    process_[2] = TRY(sys::duplicate(logger_->err()));
    return {};
  }
  if (places.kind == StreamPlaces::Kind::kFile) {
    process_[1] = TRY(within("stdout", open_file(places.out)));
    TRY(sys::set_waiting(process_[1], true));
    process_[2] = TRY(sys::duplicate(process_[1]));
    return {};
  }
  if (!places.out.empty()) TRY(open_output(1, places.out, owner.copied));
  if (places.err.empty()) return {};
  if (places.err != places.out) return open_output(2, places.err, owner.copied);
  // Of two pipes nobody knows what came first.
  process_[2] = TRY(sys::duplicate(process_[1]));
  return {};
}

Result<> Streams::open_sockets(const StreamPlaces& places) {
  if (sockets_ == nullptr || sockets_->socket() != places.socket) {
    return std::unexpected(Error{ENOSYS, cat("not supported: streams over ", quoted(places.socket),
                                             ", which is not the shim's socket")});
  }
  if (!places.in.empty()) {
    called_in_ = std::make_unique<SocketInput>(loop_, *sockets_, places.in);
    UniqueFd& reader = terminal_ ? keys_ : process_[0];
    reader = TRY(within("stdin", called_in_->open()));
    if (!terminal_) TRY(sys::set_waiting(reader, true));
  }
  const std::string* ids[2] = {&places.out, &places.err};
  if (terminal_) {
    outputs_[0] = std::make_unique<Output>(loop_);
    std::tie(console_ours_, console_theirs_) = TRY(sys::socket_pair());
  }
  for (int i = 0; i < (terminal_ ? 1 : 2); ++i) {
    if (ids[i]->empty()) continue;
    called_out_[i] = std::make_unique<SocketOutput>(loop_, *sockets_, *ids[i]);
    UniqueFd& writer = terminal_ ? outputs_[0]->to : process_[i + 1];
    writer = TRY(within(kNames[i + 1], called_out_[i]->open()));
    if (terminal_) TRY(sys::set_waiting(writer, false));
  }
  return {};
}

Result<> Streams::open_input(const std::string& path) {
  Ends ends = TRY(open_both("stdin", path));
  TRY(sys::set_waiting(ends.reader, true));
  process_[0] = std::move(ends.reader);
  held_[0] = std::move(ends.writer);
  return {};
}

Result<> Streams::open_output(int number, const std::string& path, bool copied) {
  Ends ends = TRY(open_both(kNames[number], path));
  held_[number] = std::move(ends.reader);
  if (!copied) {
    TRY(sys::set_waiting(ends.writer, true));
    process_[number] = std::move(ends.writer);
    return {};
  }
  sys::Pipe pipe = TRY(sys::make_pipe());
  process_[number] = std::move(pipe.to);
  outputs_[number - 1] = std::make_unique<Output>(loop_);
  outputs_[number - 1]->from = std::move(pipe.from);
  outputs_[number - 1]->to = std::move(ends.writer);
  return {};
}

Result<> Streams::open(ContainerLog& log, bool terminal, const std::string& input, bool once) {
  terminal_ = terminal;
  log_ = &log;
  if (!input.empty()) {
    TRY(within("stdin", sys::make_fifo(input, kFifoMode)));
    if (terminal_) {
      keys_ = TRY(sys::open(sys::kCwd, input, O_RDWR | O_NONBLOCK));
    } else if (once) {
      TRY(open_input(input));
    } else {
      process_[0] = TRY(sys::open(sys::kCwd, input, O_RDWR));
    }
  }
  if (terminal_) {
    outputs_[0] = std::make_unique<Output>(loop_);
    std::tie(console_ours_, console_theirs_) = TRY(sys::socket_pair());
    return {};
  }
  process_[1] = TRY(within("log", log.out()));
  process_[2] = TRY(within("log", log.err()));
  return {};
}

Result<> Streams::begin() {
  begun_ = true;
  for (UniqueFd& end : process_) end.reset();
  console_theirs_.reset();
  if (logger_) logger_->let_go();
  if (terminal_) TRY(begin_terminal());
  for (const std::unique_ptr<Output>& output : outputs_) {
    if (!output) continue;
    output->pump.on_end(Callback<>::to<&Streams::output_ended>(*this));
    TRY(output->pump.begin(output->from, output->to, log_ != nullptr ? &log_->file() : nullptr));
  }
  return {};
}

Result<> Streams::begin_terminal() {
  UniqueFd master = sys::receive_descriptor(console_ours_);
  console_ours_.reset();
  if (!master.valid()) return refuse("the terminal of the process did not arrive");
  sys::never_wait(master);
  // Or the master would report its end whenever the program has its terminal closed.
  slave_ = sys::open_slave(master);
  if (keys_.valid()) {
    // A number of its own, since a descriptor is watched once.
    keyboard_ = TRY(sys::duplicate(master));
    typing_ = std::make_unique<Pump>(loop_);
    TRY(typing_->begin(keys_, keyboard_));
  }
  outputs_[0]->from = std::move(master);
  return {};
}

Result<> Streams::resize(uint16_t columns, uint16_t rows) {
  if (!terminal_) return std::unexpected(Error{EINVAL, "the process has no terminal"});
  if (!outputs_[0] || !outputs_[0]->from.valid()) return {};  // not started
  return sys::set_window_size(outputs_[0]->from, columns, rows);
}

void Streams::close_input() {
  if (called_in_ && !ended_) return called_in_->close();
  called_in_.reset();
  held_[0].reset();
  typing_.reset();
  keyboard_.reset();
  keys_.reset();
}

void Streams::end() {
  ended_ = true;
  if (log_ != nullptr && !terminal_) log_->drain();
  close_input();
  for (UniqueFd* fd : {&slave_, &console_ours_, &console_theirs_}) fd->reset();
  for (UniqueFd& end : process_) end.reset();
  for (const std::unique_ptr<Output>& output : outputs_) {
    if (output) output->pump.drain();
  }
  // A pod's log is the next process's too, which may come at once.
  if (log_ != nullptr || !begun_) stop_copying();
  output_ended();
  if (!copies() && !sends()) return;
  moved_before_ = 0;
  grace_.start(patience_);
}

// One of the outputs has come to its end, or had before.
void Streams::output_ended() {
  if (!ended_) return;
  for (const std::unique_ptr<Output>& output : outputs_) {
    if (output && !output->pump.at_end() && output->from.valid()) return;
  }
  stop_copying();
}

// Who holds a stream without saying anything is not waited for any longer; who reads slowly is,
// until the process is deleted.
void Streams::too_late() {
  uint64_t moved = 0;
  bool stuck = false;
  for (const std::unique_ptr<Output>& output : outputs_) {
    if (!output) continue;
    moved += output->pump.moved();
    stuck |= output->pump.is_stuck();
  }
  for (const std::unique_ptr<SocketOutput>& output : called_out_) {
    if (!output) continue;
    moved += output->moved();
    stuck |= output->is_stuck();
  }
  if ((stuck && !released_) || (stuck && std::exchange(moved_before_, moved) != moved))
    return grace_.start(patience_);
  stop_copying();
  for (const std::unique_ptr<SocketOutput>& output : called_out_) {
    if (output) output->finish();
  }
}

// Whether a client over the socket has not got everything yet.
bool Streams::sends() const {
  for (const std::unique_ptr<SocketOutput>& output : called_out_) {
    if (output && !output->is_done()) return true;
  }
  return false;
}

void Streams::stop_copying() {
  grace_.cancel();
  // Not destroyed: this may be called from one of them.
  for (const std::unique_ptr<Output>& output : outputs_) {
    if (!output) continue;
    output->pump.stop();
    output->from.reset();
    output->to.reset();
  }
  copying_ = false;
  if (logger_) logger_->close();
}

void Streams::release() {
  released_ = true;
  for (const std::unique_ptr<SocketOutput>& output : called_out_) {
    if (output) output->let_go();
  }
  if ((copies() || sends()) && grace_.is_running()) grace_.start(patience_);
  held_[1].reset();
  held_[2].reset();
}

}  // namespace ocirt::shim
