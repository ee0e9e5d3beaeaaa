#include "src/podcli/batch.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "src/base/text.h"
#include "src/podcli/pods.h"
#include "src/sys/file.h"
#include "src/wire/client.h"
#include "src/wire/loop_client.h"

namespace ocirt::podcli {
namespace {

// Each has a descriptor of ours; who may have 1024 of them wants some for other things.
constexpr size_t kMostLines = 256;

}  // namespace

// One call and its connection.
class Batch::Line {
 public:
  Line(std::string pod, ShimCall what, Then then)
      : pod_(std::move(pod)), what_(std::move(what)), then_(std::move(then)) {}

  void begin(const Globals& globals, sys::EventLoop& loop) {
    if (Result<> begun = try_to_begin(globals, loop); !begun)
      outcome_ = std::unexpected(std::move(begun).error());
  }
  bool has_ended() const { return outcome_.has_value(); }
  // To be called when everybody else has been heard: it may make further lines.
  void tell() {
    client_.reset();
    then_(std::move(*outcome_));
  }

 private:
  Result<> try_to_begin(const Globals& globals, sys::EventLoop& loop) {
    UniqueFd socket = TRY(Shim::reach_socket(globals, pod_));
    client_ = TRY(wire::LoopClient::open(loop, std::move(socket)));
    TRY(client_->call({.service = what_.service,
                       .method = what_.method,
                       .payload = what_.payload,
                       .containerd_namespace = {}},
                      sys::Nanoseconds(0), wire::LoopClient::Done::to<&Line::on_done>(*this)));
    return {};
  }
  void on_done(uint32_t, Result<wire::Answer>& answer) {
    outcome_ = wire::Client::payload_of(within(what_.method, std::move(answer)));
  }

  std::string pod_;
  ShimCall what_;
  Then then_;
  std::unique_ptr<wire::LoopClient> client_;
  std::optional<Result<std::string>> outcome_;
};

Batch::Batch(const Call& call) : call_(call) {}
Batch::~Batch() = default;

Result<std::unique_ptr<Batch>> Batch::open(const Call& call) {
  std::unique_ptr<Batch> batch(new Batch(call));
  batch->loop_ = TRY(sys::EventLoop::open());
  return batch;
}

Result<std::vector<std::string>> Batch::find(std::span<const std::string_view> arguments, bool all,
                                             bool may_be_missing) {
  if (all || arguments.empty()) return find_pods(globals(), arguments, all);
  const std::vector<std::string> there = TRY(list_pods(globals()));
  std::vector<std::string> pods;
  for (std::string_view argument : arguments) {
    Result<std::string> name = unabbreviated(there, argument, "pod");
    if (!name) {
      if (!may_be_missing || name.error().code != ENOENT) fail(name.error());
    } else if (std::ranges::find(pods, *name) == pods.end()) {
      pods.push_back(std::move(*name));
    }
  }
  return pods;
}

void Batch::ask(const std::string& pod, ShimCall what, Then then) {
  waiting_.push_back(std::make_unique<Line>(pod, std::move(what), std::move(then)));
  begin_waiting();
}

void Batch::begin_waiting() {
  while (!waiting_.empty() && lines_.size() < kMostLines) {
    lines_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    lines_.back()->begin(globals(), *loop_);
  }
}

Result<> Batch::turn() {
  const auto ended = [](const std::unique_ptr<Line>& line) { return line->has_ended(); };
  if (std::ranges::none_of(lines_, ended)) TRY(loop_->turn());
  if (interrupted_) return {};
  // In the order in which they began. Those that are told may ask again, which changes `lines_`.
  std::vector<std::unique_ptr<Line>> heard;
  for (std::unique_ptr<Line>& line : lines_) {
    if (line->has_ended()) heard.push_back(std::move(line));
  }
  std::erase(lines_, nullptr);
  for (const std::unique_ptr<Line>& line : heard) line->tell();
  begin_waiting();
  return {};
}

Result<> Batch::make_room(size_t most) {
  while (lines_.size() + waiting_.size() >= most) {
    TRY(turn());
    if (interrupted_) return std::unexpected(Error{EINTR, "interrupted"});
  }
  return {};
}

Result<> Batch::hear_signals() {
  signals_.emplace(TRY(sys::SignalInbox::open()));
  signals_watch_ = TRY(loop_->watch(signals_->fd(), sys::kReadable,
                                    Callback<unsigned>::to<&Batch::on_signal>(*this)));
  return {};
}

void Batch::on_signal(unsigned) {
  for (;;) {
    const Result<int> signal = signals_->next();
    if (!signal || *signal == 0) return;
    interrupted_ |=
        *signal == SIGINT || *signal == SIGTERM || *signal == SIGHUP || *signal == SIGQUIT;
  }
}

Result<int> Batch::run() {
  TRY(make_room(1));
  return status_;
}

void Batch::conclude(const std::string& pod, const Result<>& done) {
  if (done) return sys::print(cat(pod, "\n"));
  fail(Error{done.error().code, cat("pod ", pod, ": ", done.error().text)});
}

void Batch::fail(const Error& error) {
  status_ = 1;
  report(call_, error);
}

}  // namespace ocirt::podcli
