#include "src/shim/streams.h"

#include <cerrno>
#include <tuple>
#include <utility>

#include "src/base/text.h"
#include "src/shim/client_fifo.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/socket.h"
#include "src/sys/stream.h"
#include "src/sys/terminal.h"

namespace ocirt::shim {
namespace {

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

Streams::Streams(sys::EventLoop& loop, SocketStreams* sockets, sys::Nanoseconds grace,
                 sys::Nanoseconds hold)
    : loop_(loop),
      sockets_(sockets),
      patience_(grace),
      grace_(loop, Callback<>::to<&Streams::too_late>(*this)),
      longest_hold_(hold),
      hold_(loop, Callback<>::to<&Streams::hold_is_over>(*this)) {}

Result<> Streams::open(const StreamPaths& paths, const StreamOwner& owner) {
  terminal_ = paths.terminal;
  id_ = owner.id;
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
    screen.to = TRY(open_for_client(1, places.out));
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
  FifoEnds ends = TRY(open_both("stdin", path));
  TRY(sys::set_waiting(ends.reader, true));
  process_[0] = std::move(ends.reader);
  held_[0] = std::move(ends.writer);
  return {};
}

Result<> Streams::open_output(int number, const std::string& path, bool copied) {
  UniqueFd writer = TRY(open_for_client(number, path));
  // Who is not there yet gets copies as well: what waits for it is in the pipe, since in a fifo
  // without a reader there is no place for it.
  if (!copied && !client_[number - 1]) {
    TRY(sys::set_waiting(writer, true));
    process_[number] = std::move(writer);
    return {};
  }
  sys::Pipe pipe = TRY(sys::make_pipe());
  process_[number] = std::move(pipe.to);
  outputs_[number - 1] = std::make_unique<Output>(loop_);
  outputs_[number - 1]->from = std::move(pipe.from);
  outputs_[number - 1]->to = std::move(writer);
  return {};
}

// The end to write to of an output's fifo. Where the client reads already, or has come to wait for
// somebody who writes, a reader is held from now on; or else when it comes.
Result<UniqueFd> Streams::open_for_client(int number, const std::string& path) {
  FifoWriter end = TRY(open_writer(kNames[number], path));
  if (!end.has_reader) {
    std::unique_ptr<AwaitedReader>& client = client_[number - 1];
    client =
        std::make_unique<AwaitedReader>(loop_, Callback<>::to<&Streams::client_has_come>(*this));
    if (client->await(end.writer)) return std::move(end.writer);
    client.reset();
  }
  held_[number] = TRY(within(kNames[number], open_reader(end.writer)));
  return std::move(end.writer);
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
  for (int i = 0; i < 2; ++i) {
    if (outputs_[i] && !is_awaited(i)) TRY(begin_output(*outputs_[i]));
  }
  return {};
}

Result<> Streams::begin_output(Output& output) {
  output.pump.on_end(Callback<>::to<&Streams::output_ended>(*this));
  return output.pump.begin(output.from, output.to, log_ != nullptr ? &log_->file() : nullptr);
}

// One of them, or both; nothing is called back by one that has been called.
void Streams::client_has_come() {
  for (int i = 0; i < 2; ++i) {
    if (!client_[i] || client_[i]->is_awaited()) continue;
    client_[i].reset();
    Output& output = *outputs_[i];
    Result<UniqueFd> reader = open_reader(output.to);
    if (reader) held_[i + 1] = std::move(*reader);
    if (!reader) warn(i, reader.error());
    if (!begun_) continue;
    if (Result<> begun = begin_output(output); !begun) {
      warn(i, begun.error());
      output.from.reset();
      output.to.reset();
    }
    if (ended_) output.pump.drain();
  }
  output_ended();
  // In a turn of its own: who hears of it may take us away.
  if (hold_.is_running() && !awaits_somebody()) hold_.start(sys::Nanoseconds(0));
}

// Nothing more will be written to a client's fifo. A client that reads hears the end. One that has
// gone may come again until the process is deleted, as containerd does after a restart: so long
// there is somebody who writes, or its open would wait for ever, and what is left in the fifo would
// be lost.
void Streams::let_go(int i) {
  if (std::exchange(let_go_[i], true)) return;
  UniqueFd writer;
  if (outputs_[i]) writer = std::move(outputs_[i]->to);
  UniqueFd& held = held_[i + 1];
  if (released_ || !held.valid()) return;
  if (!writer.valid()) {
    Result<UniqueFd> opened = open_writer_again(held);
    if (!opened) return warn(i, opened.error());
    writer = std::move(*opened);
  }
  held.reset();  // or it would be taken for the client
  if (!has_reader(writer)) {
    gone_client_[i] =
        std::make_unique<AwaitedReader>(loop_, Callback<>::to<&Streams::client_is_back>(*this));
    if (gone_client_[i]->await(writer)) {
      kept_[i] = std::move(writer);
      return;
    }
    gone_client_[i].reset();
  }
  if (Result<UniqueFd> reader = open_reader(writer)) held = std::move(*reader);
}

void Streams::client_is_back() {
  for (int i = 0; i < 2; ++i) {
    if (!gone_client_[i] || gone_client_[i]->is_awaited()) continue;
    gone_client_[i].reset();
    kept_[i].reset();
  }
}

void Streams::warn(int i, const Error& error) {
  if (warn_) warn_(cat(kNames[i + 1], " of ", id_, ": ", error.text));
}

void Streams::hold_is_over() {
  if (hold_over_) hold_over_();
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
  for (int i = 0; i < 2; ++i) {
    if (!outputs_[i]) let_go(i);  // the process had the fifo itself
  }
  // A pod's log is the next process's too, which may come at once.
  if (log_ != nullptr || !begun_) stop_copying();
  output_ended();
  if (!copies() && !sends()) return;
  moved_before_ = 0;
  grace_.start(patience_);
  if (awaits_somebody()) hold_.start(longest_hold_);
}

// One of the outputs has come to its end, or had before.
void Streams::output_ended() {
  if (!ended_) return;
  bool all = true;
  for (int i = 0; i < 2; ++i) {
    const std::unique_ptr<Output>& output = outputs_[i];
    if (!output || !output->from.valid()) continue;
    if (output->pump.at_end()) {
      let_go(i);  // the client of the other one may not be there yet
    } else {
      all = false;
    }
  }
  if (all) stop_copying();
}

// Who holds a stream without saying anything is not waited for any longer; who reads slowly is,
// until the process is deleted.
void Streams::too_late() {
  uint64_t moved = 0;
  bool stuck = awaits_somebody();
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
  for (const std::unique_ptr<AwaitedReader>& client : client_) {
    if (client) client->stop();
  }
  // Not destroyed: this may be called from one of them.
  for (int i = 0; i < 2; ++i) {
    if (!outputs_[i]) continue;
    outputs_[i]->pump.stop();
    outputs_[i]->from.reset();
    let_go(i);
  }
  copying_ = false;
  if (logger_) logger_->close();
}

void Streams::release() {
  released_ = true;
  hold_.cancel();
  for (int i = 0; i < 2; ++i) {
    gone_client_[i].reset();
    kept_[i].reset();
    if (!is_awaited(i)) continue;
    client_[i]->stop();
    outputs_[i]->from.reset();
    outputs_[i]->to.reset();
  }
  output_ended();
  for (const std::unique_ptr<SocketOutput>& output : called_out_) {
    if (output) output->let_go();
  }
  if ((copies() || sends()) && grace_.is_running()) grace_.start(patience_);
  held_[1].reset();
  held_[2].reset();
}

}  // namespace ocirt::shim
