#include "src/shim/client_fifo.h"

#include <cerrno>
#include <utility>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/stream.h"
#include "src/sys/watch.h"

namespace ocirt::shim {
namespace {

// A user has few watches (fs.inotify.max_user_instances).
constexpr sys::Nanoseconds kWithoutWatch = std::chrono::milliseconds(50);

std::string again(Fd fd) { return cat("/proc/self/fd/", fd.raw()); }

}  // namespace

Result<> check_fifo(std::string_view which, const std::string& path) {
  Result<struct stat> found = within(which, sys::stat(sys::kCwd, path));
  if (!found) return std::unexpected(Error{EINVAL, std::move(found.error().text)});
  const struct stat info = *found;
  if (S_ISFIFO(info.st_mode)) return {};
  return std::unexpected(
      Error{ENOSYS, cat("not supported: ", which, ": ", quoted(path), " is not a fifo")});
}

Result<FifoEnds> open_both(std::string_view which, const std::string& path) {
  TRY(check_fifo(which, path));
  FifoEnds ends;
  // A reader first makes neither open wait.
  ends.reader = TRY(within(which, sys::open(sys::kCwd, path, O_RDONLY | O_NONBLOCK)));
  ends.writer = TRY(within(which, sys::open(sys::kCwd, path, O_WRONLY | O_NONBLOCK)));
  return ends;
}

Result<FifoWriter> open_writer(std::string_view which, const std::string& path) {
  TRY(check_fifo(which, path));
  // Who waits in an open for reading counts as a reader.
  Result<UniqueFd> found = within(which, sys::open(sys::kCwd, path, O_WRONLY | O_NONBLOCK));
  if (found) return FifoWriter{std::move(*found), true};
  if (found.error().code != ENXIO) return std::unexpected(std::move(found).error());
  return FifoWriter{TRY(open_both(which, path)).writer, false};
}

Result<UniqueFd> open_reader(Fd writer) {
  return sys::open(sys::kCwd, again(writer), O_RDONLY | O_NONBLOCK);
}

Result<UniqueFd> open_writer_again(Fd reader) {
  return sys::open(sys::kCwd, again(reader), O_WRONLY | O_NONBLOCK);
}

// The kernel reports a fifo without readers to its writers, as an error.
bool has_reader(Fd writer) {
  const Result<bool> error = sys::wait_until_ready(writer, 0, sys::Nanoseconds(0));
  return !error || !*error;
}

AwaitedReader::AwaitedReader(sys::EventLoop& loop, Callback<> come)
    : loop_(loop), come_(come), timer_(loop, Callback<>::to<&AwaitedReader::look_again>(*this)) {}

bool AwaitedReader::await(Fd writer) {
  writer_ = writer;
  if (Result<UniqueFd> opened = sys::watch_opens(again(writer))) {
    opened_ = std::move(*opened);
    Result<sys::Watch> watch =
        loop_.watch(opened_, sys::kReadable, Callback<unsigned>::to<&AwaitedReader::look>(*this));
    if (watch) watch_ = std::move(*watch);
  }
  // From here on everybody who comes is told of; who has come before is seen.
  if (has_reader(writer_)) {
    stop();
    return false;
  }
  if (!watch_) timer_.start(kWithoutWatch);
  return true;
}

void AwaitedReader::stop() {
  watch_.reset();
  timer_.cancel();
  opened_.reset();
  writer_ = Fd();
}

void AwaitedReader::look(unsigned) {
  if (opened_.valid()) (void)sys::drain(opened_);
  // It may have been opened for writing, or by somebody who has gone again.
  if (has_reader(writer_)) {
    stop();
    come_();
  } else if (!watch_) {
    timer_.start(kWithoutWatch);
  }
}

}  // namespace ocirt::shim
