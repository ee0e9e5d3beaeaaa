#include "src/shim/socket_pipes.h"

#include <algorithm>
#include <utility>

#include "src/sys/fifo.h"
#include "src/sys/stream.h"

namespace ocirt::shim {
namespace {

constexpr size_t kChunk = 16384;
constexpr size_t kWindow = 65536;  // as much as a pipe holds
// It is in the socket already, and takes a few turns of the loop.
constexpr sys::Nanoseconds kOnItsWay = std::chrono::milliseconds(100);

}  // namespace

// ---- output -------------------------------------------------------------------------------------

SocketOutput::SocketOutput(sys::EventLoop& loop, SocketStreams& all, std::string id)
    : SocketStream(all, std::move(id), Callback<>::to<&SocketOutput::caller_changed>(*this),
                   Callback<std::string_view, bool&>::to<&SocketOutput::take>(*this)),
      loop_(loop) {}

void SocketOutput::take(std::string_view, bool& wanted) { wanted = false; }

Result<UniqueFd> SocketOutput::open() {
  sys::Pipe pipe = TRY(sys::make_pipe());
  pipe_ = std::move(pipe.from);
  be_found();
  return std::move(pipe.to);
}

// Read only as long as there is somebody with room for it.
void SocketOutput::caller_changed() {
  if (!pipe_.valid() && caller() != nullptr) return caller()->end();
  const bool wanted = pipe_.valid() && caller() != nullptr && caller()->window() > 0;
  if (!wanted) return watch_.reset();
  if (watch_) return;
  Result<sys::Watch> watch =
      loop_.watch(pipe_, sys::kReadable, Callback<unsigned>::to<&SocketOutput::on_readable>(*this));
  if (watch) watch_ = std::move(*watch);
}

void SocketOutput::on_readable(unsigned) {
  char room[kChunk];
  const size_t most = std::min(sizeof room, caller()->window());
  Result<std::optional<size_t>> got = sys::read_some(pipe_, {room, most});
  if (got && !*got) return;
  if (!got || **got == 0) return finish();
  moved_ += **got;
  caller()->send({room, **got});
  caller_changed();
}

void SocketOutput::finish() {
  watch_.reset();
  pipe_.reset();
  if (caller() != nullptr) caller()->end();
}

// ---- input --------------------------------------------------------------------------------------

SocketInput::SocketInput(sys::EventLoop& loop, SocketStreams& all, std::string id)
    : SocketStream(all, std::move(id), Callback<>::to<&SocketInput::caller_changed>(*this),
                   Callback<std::string_view, bool&>::to<&SocketInput::take>(*this)),
      loop_(loop),
      late_(loop, Callback<>::to<&SocketInput::end>(*this)) {}

Result<UniqueFd> SocketInput::open() {
  sys::Pipe pipe = TRY(sys::make_pipe());
  TRY(sys::set_waiting(pipe.to, false));
  pipe_ = std::move(pipe.to);
  be_found();
  return std::move(pipe.from);
}

void SocketInput::caller_changed() {
  if (caller() != known_) {
    known_ = caller();
    granted_ = 0;
    if (known_ != nullptr && unwritten_.size() < kWindow) {
      granted_ = kWindow - unwritten_.size();
      known_->grant(granted_);
    }
  }
  if (known_ != nullptr && known_->has_said_all()) closing_ = true;
  if (closing_ && unwritten_.empty() && (known_ == nullptr || known_->has_said_all())) end();
}

void SocketInput::take(std::string_view bytes, bool& wanted) {
  wanted = bytes.size() <= granted_;
  if (!wanted) return;
  granted_ -= bytes.size();
  unwritten_ += bytes;
  write();
}

void SocketInput::write() {
  size_t written = unwritten_.size();  // who reads no more is not waited for
  if (pipe_.valid()) {
    Result<size_t> put = sys::write_some(pipe_, unwritten_);
    if (put) {
      written = *put;
    } else {
      pipe_.reset();
    }
  }
  unwritten_.erase(0, written);
  if (unwritten_.empty()) {
    std::string().swap(unwritten_);
    watch_.reset();
  } else if (!watch_) {
    Result<sys::Watch> watch =
        loop_.watch(pipe_, sys::kWritable, Callback<unsigned>::to<&SocketInput::on_room>(*this));
    if (watch) watch_ = std::move(*watch);
  }
  if (written != 0 && caller() != nullptr && !caller()->has_said_all()) {
    granted_ += written;
    caller()->grant(written);
  }
  caller_changed();
}

void SocketInput::on_room(unsigned) { write(); }

void SocketInput::close() {
  closing_ = true;
  if (caller() != nullptr && !caller()->has_said_all()) late_.start(kOnItsWay);
  caller_changed();
}

void SocketInput::end() {
  late_.cancel();
  watch_.reset();
  pipe_.reset();
  unwritten_.clear();
}

}  // namespace ocirt::shim
