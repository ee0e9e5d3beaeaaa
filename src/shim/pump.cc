#include "src/shim/pump.h"

#include <utility>

#include "src/sys/fifo.h"
#include "src/sys/stream.h"

namespace ocirt::shim {
namespace {

constexpr size_t kChunk = 4096;  // a pipe that reports room takes this much at once (PIPE_BUF)
// After so many chunks others get their turn; what is left is reported again.
constexpr int kChunksAtOnce = 16;
constexpr int kChunksInAPipe = 256;  // at most 1 MiB

}  // namespace

Result<> Pump::begin(Fd from, Fd to, LogFile* log) {
  from_ = from;
  to_ = to;
  log_ = log;
  from_watch_ =
      TRY(loop_.watch(from_, sys::kReadable, Callback<unsigned>::to<&Pump::on_readable>(*this)));
  return {};
}

void Pump::stop() {
  from_watch_.reset();
  to_watch_.reset();
  std::string().swap(unsent_);
  from_ = to_ = Fd();
}

void Pump::listen() {
  Result<sys::Watch> watch =
      loop_.watch(from_, sys::kReadable, Callback<unsigned>::to<&Pump::on_readable>(*this));
  if (watch) from_watch_ = std::move(*watch);
}

// The sender is not watched meanwhile at all: its end would be reported again and again.
void Pump::wait_for_room() {
  from_watch_.reset();
  if (to_watch_) return;
  Result<sys::Watch> watch =
      loop_.watch(to_, sys::kWritable, Callback<unsigned>::to<&Pump::on_room>(*this));
  if (watch) to_watch_ = std::move(*watch);
}

void Pump::finish() {
  at_end_ = true;
  from_watch_.reset();
  to_watch_.reset();
  if (ended_) std::exchange(ended_, Callback<>())();
}

// One chunk. False when there was nothing to be had, or no room for it.
bool Pump::move() {
  if (at_end_ || !unsent_.empty() || !from_.valid()) return false;
  char room[kChunk];
  Result<std::optional<size_t>> got = sys::read_some(from_, room);
  if (got && !*got) return false;
  if (!got || **got == 0) {  // a terminal ends with an error
    finish();
    return false;
  }
  const std::string_view bytes(room, **got);
  moved_ += bytes.size();
  if (log_ != nullptr) log_->append("stdout", bytes);
  if (!to_.valid()) return true;
  Result<size_t> put = sys::write_some(to_, bytes);
  if (!put) {
    to_ = Fd();
    return true;
  }
  if (*put == bytes.size()) return true;
  unsent_ = bytes.substr(*put);
  wait_for_room();
  return false;
}

void Pump::on_readable(unsigned) {
  for (int i = 0; i < kChunksAtOnce; ++i) {
    if (!move()) return;
  }
}

void Pump::on_room(unsigned) {
  Result<size_t> put = sys::write_some(to_, unsent_);
  if (put && *put < unsent_.size()) {
    unsent_.erase(0, *put);
    return;
  }
  if (!put) to_ = Fd();
  std::string().swap(unsent_);
  to_watch_.reset();
  listen();
}

void Pump::drain() {
  for (int i = 0; i < kChunksInAPipe && move(); ++i) {
  }
}

}  // namespace ocirt::shim
