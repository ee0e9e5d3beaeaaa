// attach: what a container says from now on, and with -i its input.
//
// The output is read from the log, as `logs --follow` does; the input is a fifo in the pod's
// directory, so that no byte goes through the shim. With a terminal it is in raw mode, and the keys
// Ctrl-P Ctrl-Q leave the container alone, as in other engines.
#include <algorithm>
#include <cerrno>
#include <csignal>

#include "src/base/text.h"
#include "src/podcli/log_follower.h"
#include "src/podcli/logs.h"
#include "src/podcli/pods.h"
#include "src/podcli/shim.h"
#include "src/sys/changes.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/signals.h"
#include "src/sys/stream.h"
#include "src/sys/terminal.h"
#include "src/sys/watch.h"

namespace ocirt::podcli {
namespace {

constexpr Fd kInput{0};
constexpr Fd kOutput{1};
constexpr size_t kMostUnsent = 65536;
constexpr char kCtrlP = 0x10, kCtrlQ = 0x11;

struct AttachOptions {
  bool interactive = false;
  std::string container;
};
constexpr Option kAttachOptions[] = {
    toggle<&AttachOptions::interactive>("interactive", 'i', "give it our input"),
    option<&AttachOptions::container>("container", 'c', "CONTAINER", "as POD/CONTAINER"),
};

// Our input on its way to a container.
class Input {
 public:
  Input(const Globals& globals, std::string pod, const pod::Container& container)
      : globals_(globals), pod_(std::move(pod)), container_(container) {}
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  // A terminal is written to by the shim, which keeps the fifo open until it is told.
  ~Input() {
    if (container_.stdin_once && raw_ != nullptr) (void)close_in_shim();
  }

  Result<> open() {
    const std::string path = layout_of(globals_, pod_).input(container_.name);
    Result<UniqueFd> fifo = sys::open(sys::kCwd, path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
    if (!fifo && (fifo.error().code == ENXIO || fifo.error().code == ENOENT))
      return refuse(cat("container ", container_.name, " does not run, or its input has ended"));
    fifo_ = TRY(std::move(fifo));
    // From here on the input ends with us, however we end: nobody else has the fifo open for
    // writing.
    if (container_.stdin_once && !container_.tty) TRY(close_in_shim());
    if (container_.tty) {
      raw_ = std::make_unique<sys::RawMode>(kInput);
      resize();
    }
    return {};
  }
  // Where more comes from; invalid when there will be no more, or no room for it: of who does not
  // read only the keys are heard.
  Fd source() const {
    const bool has_room = unsent_.empty() || (raw_ != nullptr && unsent_.size() < kMostUnsent);
    return fifo_.valid() && !ended_ && has_room ? kInput : Fd();
  }
  // Where room is waited for; invalid when it is not.
  Fd outlet() const { return unsent_.empty() ? Fd() : Fd(fifo_); }

  // Hands on what there is. False when the keys to leave were pressed.
  bool feed() {
    char room[4096];
    const Result<std::optional<size_t>> got = sys::read_some(kInput, room);
    if (got && !*got) return true;
    if (!got || **got == 0) {
      ended_ = true;
      hand_on();
      return true;
    }
    for (char c : std::string_view(room, **got)) {
      if (raw_ != nullptr && std::exchange(pressed_, c == kCtrlP)) {
        if (c == kCtrlQ) return false;
        unsent_ += kCtrlP;
      }
      if (raw_ == nullptr || c != kCtrlP) unsent_ += c;
    }
    hand_on();
    return true;
  }

  // As much as there is room for.
  void hand_on() {
    const Result<size_t> put = sys::write_some(fifo_, unsent_);
    unsent_.erase(0, put ? *put : unsent_.size());
    if (!put || (ended_ && unsent_.empty()))
      fifo_.reset();  // nobody reads it any more, or no more comes
  }

  void resize() {
    const std::optional<sys::WindowSize> size = sys::window_size(kOutput);
    Result<Shim> shim = Shim::connect(globals_, pod_);
    if (size && shim) (void)shim->resize(container_.name, size->columns, size->rows);
  }

 private:
  Result<> close_in_shim() {
    Shim shim = TRY(Shim::connect(globals_, pod_));
    return shim.close_input(container_.name);
  }

  const Globals& globals_;
  std::string pod_;
  const pod::Container& container_;
  UniqueFd fifo_;
  std::string unsent_;
  bool ended_ = false;
  std::unique_ptr<sys::RawMode> raw_;
  bool pressed_ = false;  // Ctrl-P, and what comes next decides
};

// The signal that ends us, or 0.
int handle(sys::SignalInbox& signals, Input* input) {
  for (;;) {
    const Result<int> signal = signals.next();
    if (!signal || *signal == 0) return 0;
    if (*signal == SIGWINCH && input != nullptr) input->resize();
    // A container that does not read any more is no reason to stop looking; our reader's end is.
    if (*signal == SIGPIPE && input == nullptr) return *signal;
    if (*signal == SIGINT || *signal == SIGTERM || *signal == SIGHUP || *signal == SIGQUIT)
      return *signal;
  }
}

// With that of the container, as if it were our child.
Result<int> exit_status_in(const pod::PodStatus& status, const std::string& name) {
  const pod::ContainerStatus* container = status.find(name);
  if (container != nullptr && container->state.terminated)
    return container->state.terminated->exit_code;
  return refuse(cat("how container ", name, " ended is not known: ",
                    container == nullptr ? "the pod has been removed" : "the pod ended first"));
}

Result<int> attach(Call& call, AttachOptions& options,
                   std::span<const std::string_view> arguments) {
  Target target = TRY(find_target(call.globals, arguments[0]));
  if (!options.container.empty()) target.container = options.container;
  const pod::Layout layout = layout_of(call.globals, target.pod);
  const pod::Pod pod = TRY(read_pod_json(layout));
  const std::string name = TRY(container_of(pod, target.container));
  const pod::Container& container = *std::ranges::find(pod.containers, name, &pod::Container::name);
  if (options.interactive && !container.stdin_open) {
    return refuse(cat("container ", name, " has no input: its file does not say `stdin: true`"));
  }
  sys::Changes changes = TRY(sys::Changes::open());
  TRY(changes.watch_directory(layout.directory()));
  (void)changes.watch_directory(layout.logs());
  LogFollower follower(layout.log(name), {});
  std::string out;
  TRY(follower.read_past(0, out));
  sys::SignalInbox signals = TRY(sys::SignalInbox::open());
  std::unique_ptr<Input> input;
  if (options.interactive) {
    (void)TRY(Shim::reach_socket(call.globals, target.pod));
    input = std::make_unique<Input>(call.globals, target.pod, container);
    TRY(input->open());
  }
  for (;;) {
    pod::PodStatus status;
    const bool last = has_ended(layout, {name}, &status);
    out.clear();
    TRY(follower.read_more(out));
    sys::print(out);
    if (last) return exit_status_in(status, name);
    sys::Watched watched[] = {{.fd = changes.fd()},
                              {.fd = signals.fd()},
                              {.fd = input != nullptr ? input->source() : Fd()},
                              {.fd = input != nullptr ? input->outlet() : Fd(), .for_room = true}};
    TRY(sys::wait_for_any(watched, -1));
    if (watched[0].ready) {
      changes.drain();
      (void)changes.watch_directory(layout.logs());  // it may have come to be meanwhile
    }
    if (watched[1].ready) {
      if (const int signal = handle(signals, input.get()); signal != 0) return 128 + signal;
    }
    if (watched[3].ready) input->hand_on();
    if (watched[2].ready && !input->feed()) return 0;
  }
}

}  // namespace

constinit const Command kAttach{.name = "attach",
                                .arguments = "POD[/CONTAINER]",
                                .summary = "Show what a container says from now on, until it ends",
                                .options = kAttachOptions,
                                .fewest = 1,
                                .most = 1,
                                .run = run<AttachOptions, attach>};

}  // namespace ocirt::podcli
