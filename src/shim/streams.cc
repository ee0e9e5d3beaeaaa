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

Result<std::string> fifo_path(std::string_view which, const std::string& text) {
  std::string_view path = text;
  if (const size_t colon = path.find("://"); colon != std::string_view::npos) {
    if (path.substr(0, colon) != "fifo")
      return std::unexpected(Error{ENOSYS, cat("not supported: ", which, ": ", quoted(text),
                                               ": only paths of fifos are taken")});
    path.remove_prefix(colon + 3);
  }
  if (!path.starts_with('/'))
    return std::unexpected(Error{EINVAL, cat(which, ": ", quoted(text), ": not an absolute path")});
  Result<struct stat> found = within(which, sys::stat(sys::kCwd, std::string(path)));
  // Not ENOENT, which callers would take for the container.
  if (!found) return std::unexpected(Error{EINVAL, std::move(found.error().text)});
  const struct stat info = *found;
  if (!S_ISFIFO(info.st_mode)) {
    return std::unexpected(
        Error{ENOSYS, cat("not supported: ", which, ": ", quoted(path), " is not a fifo")});
  }
  return std::string(path);
}

// Opens both ends of a fifo: the process's, which waits as usual, and ours, which does not. Opening
// a reader first makes neither open wait.
Result<> open_both(const std::string& path, bool process_reads, UniqueFd& process, UniqueFd& ours) {
  UniqueFd reader = TRY(sys::open(sys::kCwd, path, O_RDONLY | O_NONBLOCK));
  UniqueFd writer = TRY(sys::open(sys::kCwd, path, O_WRONLY | O_NONBLOCK));
  process = std::move(process_reads ? reader : writer);
  ours = std::move(process_reads ? writer : reader);
  return sys::set_waiting(process, true);
}

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

Result<> Streams::open(const StreamPaths& paths) {
  terminal_ = paths.terminal;
  if (terminal_) {
    if (!paths.in.empty()) {
      const std::string path = TRY(fifo_path("stdin", paths.in));
      keys_ = TRY(sys::open(sys::kCwd, path, O_RDWR | O_NONBLOCK));
    }
    if (!paths.out.empty()) {
      const std::string path = TRY(fifo_path("stdout", paths.out));
      screen_ = TRY(sys::open(sys::kCwd, path, O_RDWR | O_NONBLOCK));
    }
    std::tie(console_ours_, console_theirs_) = TRY(sys::socket_pair());
    return {};
  }
  const std::string* all[3] = {&paths.in, &paths.out, &paths.err};
  constexpr std::string_view kNames[3] = {"stdin", "stdout", "stderr"};
  for (int i = 0; i < 3; ++i) {
    if (all[i]->empty()) continue;
    const std::string path = TRY(fifo_path(kNames[i], *all[i]));
    TRY(within(kNames[i], open_both(path, i == 0, process_[i], held_[i])));
  }
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
      TRY(within("stdin", open_both(input, true, process_[0], held_[0])));
    } else {
      process_[0] = TRY(sys::open(sys::kCwd, input, O_RDWR));
    }
  }
  if (terminal_) {
    std::tie(console_ours_, console_theirs_) = TRY(sys::socket_pair());
    return {};
  }
  process_[1] = TRY(within("log", log.out()));
  process_[2] = TRY(within("log", log.err()));
  return {};
}

Result<> Streams::begin() {
  for (UniqueFd& end : process_) end.reset();
  console_theirs_.reset();
  if (!terminal_) return {};
  master_ = sys::receive_descriptor(console_ours_);
  console_ours_.reset();
  if (!master_.valid()) return refuse("the terminal of the process did not arrive");
  sys::never_wait(master_);
  // Or the master would report its end whenever the program has its terminal closed.
  slave_ = sys::open_slave(master_);
  master_watch_ =
      TRY(loop_.watch(master_, sys::kReadable, Callback<unsigned>::to<&Streams::on_screen>(*this)));
  if (keys_.valid()) {
    keys_watch_ =
        TRY(loop_.watch(keys_, sys::kReadable, Callback<unsigned>::to<&Streams::on_keys>(*this)));
  }
  if (screen_.valid()) {
    screen_watch_ =
        TRY(loop_.watch(screen_, 0, Callback<unsigned>::to<&Streams::on_screen_room>(*this)));
  }
  return {};
}

// One chunk. False when there was nothing to be had, or no room for it.
bool Streams::copy_screen() {
  char room[kChunk];
  Result<std::optional<size_t>> got = sys::read_some(master_, room);
  if (got && !*got) return false;
  if (!got || **got == 0) {
    master_watch_.reset();
    return false;
  }
  const std::string_view bytes(room, **got);
  if (log_ != nullptr) log_->file().append("stdout", bytes);
  if (!screen_.valid()) return true;
  Result<size_t> put = sys::write_some(screen_, bytes);
  if (!put || *put == bytes.size()) return true;
  unsent_ = bytes.substr(*put);
  (void)master_watch_.change(0);
  (void)screen_watch_.change(sys::kWritable);
  return false;
}

void Streams::on_screen(unsigned) {
  for (int i = 0; i < kChunksAtOnce && unsent_.empty(); ++i) {
    if (!copy_screen()) return;
  }
}

void Streams::on_screen_room(unsigned) {
  Result<size_t> put = sys::write_some(screen_, unsent_);
  if (put && *put < unsent_.size()) {
    unsent_.erase(0, *put);
    return;
  }
  std::string().swap(unsent_);
  (void)screen_watch_.change(0);
  if (master_watch_) (void)master_watch_.change(sys::kReadable);
}

void Streams::on_keys(unsigned) {
  char room[kChunk];
  Result<std::optional<size_t>> got = sys::read_some(keys_, room);
  if (!got || !*got || **got == 0) return;
  // A terminal that nobody reads takes 4 KiB; what is more is lost, as with a real one.
  (void)sys::write_some(master_, {room, **got});
}

Result<> Streams::resize(uint16_t columns, uint16_t rows) {
  if (!terminal_) return std::unexpected(Error{EINVAL, "the process has no terminal"});
  if (!master_.valid()) return {};  // not started
  return sys::set_window_size(master_, columns, rows);
}

void Streams::close_input() {
  held_[0].reset();
  keys_watch_.reset();
  keys_.reset();
}

void Streams::end() {
  if (log_ != nullptr && !terminal_) log_->drain();
  if (master_.valid()) {
    // What the terminal still holds, as far as the client has room for it.
    while (unsent_.empty() && master_watch_ && copy_screen()) {
    }
  }
  master_watch_.reset();
  keys_watch_.reset();
  screen_watch_.reset();
  for (UniqueFd* fd : {&slave_, &master_, &keys_, &screen_, &console_ours_, &console_theirs_})
    fd->reset();
  for (int i = 0; i < 3; ++i) {
    process_[i].reset();
    held_[i].reset();
  }
}

}  // namespace ocirt::shim
