#include "src/podcli/exec_session.h"

#include <fcntl.h>
#include <signal.h>

#include <cerrno>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/socket.h"
#include "src/sys/stream.h"
#include "src/sys/terminal.h"
#include "src/wire/any.h"
#include "src/wire/client.h"
#include "src/wire/service.h"

namespace ocirt::podcli {
namespace {

using wire::blank;
using wire::lend;

constexpr Fd kInput{0};
constexpr Fd kOutput{1};
constexpr Fd kErrors{2};
constexpr sys::Nanoseconds kSoon = std::chrono::seconds(60);
// For a program to end whose output nobody reads any more.
constexpr sys::Nanoseconds kEndOfProgram = std::chrono::seconds(2);
constexpr size_t kRead = 16384;
// More than two pipes of the largest size that a program may give them (1 MiB) and their fifos
// hold.
constexpr size_t kReadsOfTheRest = (size_t{4} << 20) / kRead;

}  // namespace

ExecSession::~ExecSession() {
  for (const std::string& path : fifos_) {
    if (!path.empty()) (void)sys::unlink(sys::kCwd, path);
  }
}

// In the pod's directory, which only we may enter, and which takes with it what a killed ocirt-pod
// has left.
Result<> ExecSession::make_fifos() {
  const std::string uuid = TRY(sys::read_file(sys::kCwd, "/proc/sys/kernel/random/uuid"));
  id_ = cat("exec-", uuid.substr(0, 8));
  const std::string directory = cat(layout_.directory(), "/exec");
  if (Result<> made = sys::mkdir(sys::kCwd, directory, 0700);
      !made && made.error().code != EEXIST) {
    return made;
  }
  const bool terminal = request_.process.terminal.value_or(false);
  constexpr std::string_view kNames[] = {"in", "out", "err"};
  for (size_t i = 0; i < 3; ++i) {
    if (i == 0 && !request_.interactive) continue;
    if (i == 2 && terminal) continue;
    std::string path = cat(directory, "/", id_, ".", kNames[i]);
    TRY(sys::make_fifo(path, 0600));
    fifos_[i] = std::move(path);
  }
  // Readers without waiting for a writer; the other end is the shim's and the program's.
  out_ = TRY(sys::open(sys::kCwd, fifos_[1], O_RDONLY | O_NONBLOCK));
  if (!fifos_[2].empty()) err_ = TRY(sys::open(sys::kCwd, fifos_[2], O_RDONLY | O_NONBLOCK));
  return {};
}

Result<> ExecSession::add(wire::Client& client) {
  const wire::AnyValue process{std::string(wire::kProcessUrl), oci::write(request_.process, false)};
  wire::Any spec = process.lend();
  auto request = blank<wire::ExecProcessRequest>();
  request.id = lend(request_.container);
  request.exec_id = lend(id_);
  request.terminal = request_.process.terminal.value_or(false) ? 1 : 0;
  request.stdin = lend(fifos_[0]);
  request.stdout = lend(fifos_[1]);
  request.stderr = lend(fifos_[2]);
  request.spec = &spec;
  TRY(client.call<wire::Empty>(wire::kTaskV3, "Exec", request, kSoon));
  return {};
}

// The input is opened before: the shim reads it from Exec on, and no longer when the program has
// ended, which may be as soon as it is started.
Result<> ExecSession::start(wire::Client& client) {
  if (!fifos_[0].empty()) in_ = TRY(sys::open(sys::kCwd, fifos_[0], O_WRONLY | O_NONBLOCK));
  auto start = blank<wire::StartRequest>();
  start.id = lend(request_.container);
  start.exec_id = lend(id_);
  TRY(client.call<wire::StartResponse>(wire::kTaskV3, "Start", start, kSoon));
  return {};
}

// One that still runs stays, until it has ended.
void ExecSession::remove(wire::Client& client) {
  auto request = blank<wire::DeleteRequest>();
  request.id = lend(request_.container);
  request.exec_id = lend(id_);
  (void)client.call<wire::DeleteResponse>(wire::kTaskV3, "Delete", request, kSoon);
}

// As the program would hear from a pipe that nobody reads; one that does not mind goes on.
void ExecSession::end_by_sigpipe(wire::Client& client) {
  auto kill = blank<wire::KillRequest>();
  kill.id = lend(request_.container);
  kill.exec_id = lend(id_);
  kill.signal = SIGPIPE;
  (void)client.call<wire::Empty>(wire::kTaskV3, "Kill", kill, kSoon);
  auto wait = blank<wire::WaitRequest>();
  wait.id = lend(request_.container);
  wait.exec_id = lend(id_);
  (void)client.call<wire::WaitResponse>(wire::kTaskV3, "Wait", wait, kEndOfProgram);
}

Result<int> ExecSession::run(std::string& complaint) {
  ::signal(SIGPIPE,
           SIG_IGN);  // who reads us no more is told of by the error, and there is more to do
  TRY(make_fifos());
  wire::Client client = TRY(wire::Client::connect(layout_.socket()));
  TRY(add(client));
  if (Result<> begun = start(client); !begun) {
    remove(client);
    complaint = begun.error().text;
    // Only the text tells a program that is missing from a container that is.
    if (!complaint.contains("exec: ")) return std::unexpected(std::move(begun).error());
    if (complaint.ends_with("no such file or directory") ||
        complaint.ends_with("executable file not found in $PATH"))
      return 127;
    if (complaint.ends_with("permission denied")) return 126;
    return std::unexpected(std::move(begun).error());
  }
  Result<> followed = follow();
  if (unwritten_) {
    end_by_sigpipe(client);
    status_ = 128 + SIGPIPE;
  } else {
    copy_rest(client);
  }
  // Whoever reads us no more does not want to hear why.
  if (unwritten_ && unwritten_->code != EPIPE) status_ = std::unexpected(*std::move(unwritten_));
  remove(client);
  TRY(std::move(followed));
  return std::move(status_);
}

template <class Request>
Result<> ExecSession::tell(std::string_view method, const Request& request) {
  const std::string payload = wire::pack(request);
  TRY(client_->call(
      {.service = wire::kTaskV3, .method = method, .payload = payload, .containerd_namespace = {}},
      kSoon, wire::LoopClient::Done::to<&ExecSession::on_done>(*this)));
  return {};
}

Result<> ExecSession::follow() {
  loop_ = TRY(sys::EventLoop::open());
  UniqueFd socket = TRY(sys::connect_stream(layout_.socket()));
  client_ = TRY(wire::LoopClient::open(*loop_, std::move(socket)));
  signals_ = std::make_unique<sys::SignalInbox>(TRY(sys::SignalInbox::open()));
  signal_watch_ = TRY(loop_->watch(signals_->fd(), sys::kReadable,
                                   Callback<unsigned>::to<&ExecSession::on_signal>(*this)));
  out_watch_ = TRY(
      loop_->watch(out_, sys::kReadable, Callback<unsigned>::to<&ExecSession::on_output>(*this)));
  if (err_.valid()) {
    err_watch_ = TRY(
        loop_->watch(err_, sys::kReadable, Callback<unsigned>::to<&ExecSession::on_errors>(*this)));
  }
  const bool terminal = request_.process.terminal.value_or(false);
  std::unique_ptr<sys::RawMode> raw;
  if (in_.valid()) {
    Result<sys::Watch> watch =
        loop_->watch(kInput, sys::kReadable, Callback<unsigned>::to<&ExecSession::on_input>(*this));
    if (watch) {
      input_watch_ = std::move(*watch);
    } else if (watch.error().code == EPERM) {
      file_timer_ = std::make_unique<sys::Timer>(*loop_, Callback<>::to<&ExecSession::feed>(*this));
      file_timer_->start(sys::Nanoseconds(0));
    } else {
      return std::unexpected(std::move(watch).error());
    }
    if (terminal) raw = std::make_unique<sys::RawMode>(kInput);
  }
  if (terminal) resize();
  auto wait = blank<wire::WaitRequest>();
  wait.id = lend(request_.container);
  wait.exec_id = lend(id_);
  const std::string payload = wire::pack(wait);
  TRY(client_->call(
      {.service = wire::kTaskV3, .method = "Wait", .payload = payload, .containerd_namespace = {}},
      sys::Nanoseconds(0), wire::LoopClient::Done::to<&ExecSession::on_exit>(*this)));
  Result<> done = loop_->run();
  out_watch_.reset();
  err_watch_.reset();
  input_watch_.reset();
  room_watch_.reset();
  signal_watch_.reset();
  signals_.reset();
  return done;
}

void ExecSession::on_exit(uint32_t, Answer& answer) {
  loop_->stop();
  if (!answer) {
    status_ = std::unexpected(answer.error());
  } else if (answer->code != wire::Code::kOk) {
    status_ = refuse(answer->text);
  } else if (auto response = wire::parse<wire::WaitResponse>(answer->payload)) {
    status_ = static_cast<int>((*response)->exit_status);
  } else {
    status_ = std::unexpected(std::move(response).error());
  }
}

// ---- input
// --------------------------------------------------------------------------------------------

void ExecSession::on_input(unsigned) { feed(); }
void ExecSession::on_input_room(unsigned) { feed(); }

// Reads only when nothing waits to be written, so that no more than one buffer is kept.
void ExecSession::feed() {
  if (unsent_.empty() && !input_ended_) {
    char buffer[4096];
    Result<std::optional<size_t>> count = sys::read_some(kInput, buffer);
    if (count && !*count) return;
    if (!count || **count == 0) {
      input_ended_ = true;
    } else {
      unsent_.assign(buffer, **count);
    }
  }
  if (!unsent_.empty()) {
    Result<size_t> written = sys::write_some(in_, unsent_);
    if (!written) {  // nobody reads any more
      unsent_.clear();
      input_ended_ = true;
    } else {
      unsent_.erase(0, *written);
    }
  }
  if (unsent_.empty() && input_ended_) return close_input();
  if (!unsent_.empty()) {
    if (input_watch_) (void)input_watch_.change(0);
    if (!room_watch_) {
      if (auto watch = loop_->watch(in_, sys::kWritable,
                                    Callback<unsigned>::to<&ExecSession::on_input_room>(*this))) {
        room_watch_ = std::move(*watch);
      }
    }
    return;
  }
  room_watch_.reset();
  if (input_watch_) (void)input_watch_.change(sys::kReadable);
  if (file_timer_) file_timer_->start(sys::Nanoseconds(0));
}

void ExecSession::close_input() {
  input_watch_.reset();
  room_watch_.reset();
  if (file_timer_) file_timer_->cancel();
  in_.reset();
  auto request = blank<wire::CloseIORequest>();
  request.id = lend(request_.container);
  request.exec_id = lend(id_);
  request.stdin = 1;
  (void)tell("CloseIO", request);
}

// ---- output
// -------------------------------------------------------------------------------------------

// Whoever reads us may be slow, which then makes the program slow, as in a pipe; also where
// somebody has made our output one that does not wait.
Result<> ExecSession::write_out(Fd to, std::string_view bytes) {
  const std::string_view name = to == kOutput ? "standard output" : "standard error";
  while (!bytes.empty()) {
    const size_t count = TRY(within(name, sys::write_some(to, bytes)));
    if (count == 0)
      TRY(within(name, sys::wait_until_ready(to, sys::kWritable, sys::Nanoseconds(-1))));
    bytes.remove_prefix(count);
  }
  return {};
}

// One read; false when there is nothing now, or will be.
bool ExecSession::copy(Fd from, Fd to) {
  char buffer[kRead];
  const Result<std::optional<size_t>> count = sys::read_some(from, buffer);
  if (!count || !*count || **count == 0) return false;
  Result<> written = write_out(to, std::string_view(buffer, **count));
  if (written) return true;
  // Nothing is read any more.
  if (!unwritten_) {
    unwritten_ = std::move(written).error();
    if (loop_) loop_->stop();
  }
  return false;
}

// What the program had written when it ended: some of it is in the fifos, and what they had no room
// for is with the shim, which hands it on as soon as we have made room. An end of file is not
// waited for, since the program may have left a daemon behind that has its streams. The shim looks
// at all that is ready before it waits again, so that after two answers without new output it has
// none.
void ExecSession::copy_rest(wire::Client& client) {
  auto request = blank<wire::StateRequest>();
  request.id = lend(request_.container);
  request.exec_id = lend(id_);
  size_t reads = kReadsOfTheRest;  // that daemon may write on for ever
  const auto copy_what_is_there = [&] {
    bool any = false;
    for (; reads > 0 &&
           ((out_.valid() && copy(out_, kOutput)) || (err_.valid() && copy(err_, kErrors)));
         --reads) {
      any = true;
    }
    return any;
  };
  copy_what_is_there();
  for (int quiet = 0; quiet < 2;) {
    const bool answered{client.call<wire::StateResponse>(wire::kTaskV3, "State", request, kSoon)};
    quiet = copy_what_is_there() ? 0 : quiet + 1;
    if (!answered) return;
  }
}

void ExecSession::on_output(unsigned ready) {
  if (!copy(out_, kOutput) && (ready & sys::kGone) != 0) out_watch_.reset();
}

void ExecSession::on_errors(unsigned ready) {
  if (!copy(err_, kErrors) && (ready & sys::kGone) != 0) err_watch_.reset();
}

// ---- signals
// ------------------------------------------------------------------------------------------

void ExecSession::on_signal(unsigned) {
  for (;;) {
    const Result<int> signal = signals_->next();
    if (!signal || *signal == 0) return;
    if (*signal == SIGWINCH) {
      resize();
    } else if (*signal == SIGINT || *signal == SIGTERM || *signal == SIGHUP || *signal == SIGQUIT ||
               *signal == SIGUSR1 || *signal == SIGUSR2) {
      (void)kill(*signal);
    }
  }
}

Result<> ExecSession::kill(int signal) {
  auto request = blank<wire::KillRequest>();
  request.id = lend(request_.container);
  request.exec_id = lend(id_);
  request.signal = static_cast<uint32_t>(signal);
  return tell("Kill", request);
}

void ExecSession::resize() {
  if (!request_.process.terminal.value_or(false)) return;
  const std::optional<sys::WindowSize> size = sys::window_size(kOutput);
  if (!size) return;
  auto request = blank<wire::ResizePtyRequest>();
  request.id = lend(request_.container);
  request.exec_id = lend(id_);
  request.width = size->columns;
  request.height = size->rows;
  (void)tell("ResizePty", request);
}

}  // namespace ocirt::podcli
