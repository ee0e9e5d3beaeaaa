#include "src/shim/logger.h"

#include <csignal>
#include <utility>
#include <vector>

#include "src/base/text.h"
#include "src/sys/fifo.h"
#include "src/sys/fork.h"
#include "src/sys/start_program.h"
#include "src/sys/stream.h"

namespace ocirt::shim {
namespace {

// As long as containerd's shim gives one after SIGTERM.
constexpr sys::Nanoseconds kPatience = std::chrono::seconds(12);

}  // namespace

Logger::Logger(sys::EventLoop& loop)
    : drop_out_(loop), drop_err_(loop), timer_(loop, Callback<>::to<&Logger::too_late>(*this)) {}

Result<> Logger::start(const StreamPlaces& places, const std::string& id,
                       const std::string& name_space) {
  sys::Pipe out = TRY(sys::make_pipe());
  sys::Pipe err = TRY(sys::make_pipe());
  sys::Pipe ready = TRY(sys::make_pipe());
  // The program reads as programs do; ours are descriptions of their own only for that time when it
  // has gone.
  TRY(sys::set_waiting(out.from, true));
  TRY(sys::set_waiting(err.from, true));
  const std::vector<std::string> environment = {cat("CONTAINER_ID=", id),
                                                cat("CONTAINER_NAMESPACE=", name_space)};
  const Fd descriptors[] = {out.from, err.from, ready.to};
  pid_ = TRY(sys::start_program(places.program, environment, descriptors));
  out_ = std::move(out.to);
  err_ = std::move(err.to);
  ready_ = std::move(ready.from);
  held_[0] = std::move(out.from);
  held_[1] = std::move(err.from);
  return {};
}

void Logger::let_go() {
  out_.reset();
  err_.reset();
  ready_.reset();
}

bool Logger::ended(pid_t pid) {
  if (pid_ == 0 || pid != pid_) return false;
  pid_ = 0;
  timer_.cancel();
  for (UniqueFd& end : held_) {
    if (end.valid()) (void)sys::set_waiting(end, false);
  }
  if (held_[0].valid()) (void)drop_out_.begin(held_[0], Fd());
  if (held_[1].valid()) (void)drop_err_.begin(held_[1], Fd());
  return true;
}

void Logger::close() {
  let_go();
  if (pid_ != 0) timer_.start(kPatience);
  drop_out_.stop();
  drop_err_.stop();
  for (UniqueFd& end : held_) end.reset();
}

void Logger::too_late() {
  (void)sys::signal_child(pid_, told_ ? SIGKILL : SIGTERM);
  if (!std::exchange(told_, true)) timer_.start(kPatience);
}

Result<> wait_for_logger(Fd ready, bool must_answer) {
  (void)TRY(sys::wait_until_ready(ready, sys::kReadable, sys::Nanoseconds(-1)));
  char byte;
  const std::optional<size_t> got = TRY(sys::read_some(ready, {&byte, 1}));
  if (must_answer && got.value_or(0) == 0)
    return refuse("the logging program has ended, or closed descriptor 5, before it was ready");
  return {};
}

}  // namespace ocirt::shim
