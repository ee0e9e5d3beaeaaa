#include "src/shim/container_log.h"

#include <optional>

#include "src/base/text.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/stream.h"

namespace ocirt::shim {
namespace {

constexpr size_t kChunk = 4096;
// After so many chunks others get their turn; what is left is reported again.
constexpr int kChunksAtOnce = 16;

}  // namespace

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

}  // namespace ocirt::shim
