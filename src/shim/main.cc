// The program `ocirt-shim`: the process that has a pod's containers as its children, for ocirt-pod
// by the command line here, for containerd by the one of containerd.h.
//
// It says nothing when it succeeds, since whoever starts it may read its output to the end: it
// returns when its socket takes calls, and goes on as a child that has nothing of its caller.

#include <signal.h>

#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "src/base/text.h"
#include "src/pod/paths.h"
#include "src/shim/containerd.h"
#include "src/shim/kept_process.h"
#include "src/shim/pod_place.h"
#include "src/shim/shim.h"
#include "src/shim/user_place.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/fork.h"
#include "src/sys/process.h"
#include "src/sys/stream.h"

namespace ocirt::shim {
namespace {

constexpr std::string_view kHelp =
    R"(Usage: ocirt-shim --pod DIRECTORY [OPTION...]

Supervises one pod: has its containers as children and serves ocirt-pod at DIRECTORY/shim.sock.
Returns when the socket takes calls; the shim goes on in the background.

      --pod DIRECTORY        of the pod, which ends in its name and has pod.json
      --adopt                take over the containers of a shim that was killed
      --remove               take away everything of a pod whose shim is gone, and the directory
      --patience SECONDS     without a pod, end so long after the last call (default 30)
      --state-dir DIRECTORY  for what containers write (default /var/lib/ocirt/pods)
      --help                 print this

As containerd-shim-ocirt-v2 it is containerd's shim, with containerd's command line.
)";

struct Options {
  std::string pod;
  std::string state_directory = std::string(pod::kStateRoot);
  std::string patience = "30";
  bool adopt = false;
  bool remove = false;
  bool help = false;
  // Of the program as it executes itself in an ordinary user's place (user_place.h): the lock that
  // it holds there already.
  int lock_fd = -1;
};

void out_of_memory() {
  sys::print_error("ocirt-shim: out of memory\n");
  sys::exit_now(1);
}

Result<Options> parse(std::span<const char* const> words) {
  Options options;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    std::optional<std::string_view> value;
    if (const size_t equals = word.find('='); equals != std::string_view::npos) {
      value = word.substr(equals + 1);
      word = word.substr(0, equals);
    }
    bool* toggle = word == "--adopt"    ? &options.adopt
                   : word == "--remove" ? &options.remove
                   : word == "--help"   ? &options.help
                                        : nullptr;
    if (toggle != nullptr && !value) {
      *toggle = true;
      continue;
    }
    if (word == "--lock-fd" && i + 1 < words.size()) {
      options.lock_fd = to_number<int>(words[++i]).value_or(-1);
      continue;
    }
    std::string* text = word == "--pod"         ? &options.pod
                        : word == "--state-dir" ? &options.state_directory
                        : word == "--patience"  ? &options.patience
                                                : nullptr;
    if (text == nullptr) return refuse(cat("unknown option ", quoted(words[i])));
    if (!value) {
      if (++i == words.size()) return refuse(cat(word, ": a value is missing"));
      value = words[i];
    }
    *text = *value;
  }
  if (options.help) return options;
  if (options.pod.empty()) return refuse("--pod DIRECTORY is missing");
  if (to_number<uint32_t>(options.patience).value_or(0) == 0)
    return refuse(
        cat("--patience: expected a number of seconds, found ", quoted(options.patience)));
  if (options.adopt && options.remove) return refuse("--adopt and --remove exclude each other");
  return options;
}

struct Place {
  pod::Layout layout;
  UniqueFd directory, lock;
};

// Holds the pod's lock: from here on nobody else is its shim.
Result<Place> take_place(const Options& options) {
  const std::string path = TRY(within("--pod", sys::real_directory(options.pod)));
  const size_t slash = path.rfind('/');
  const std::string name = path.substr(slash + 1);
  if (slash == 0 || !pod::is_dns_label(name))
    return refuse(cat("--pod: ", quoted(path), ": the name of a pod ", pod::kNameRule));
  Place place{pod::Layout(path.substr(0, slash), name, options.state_directory), {}, {}};
  place.directory = TRY(sys::open(sys::kCwd, path, O_RDONLY | O_DIRECTORY));
  if (options.lock_fd > 2 && sys::is_inherited(Fd(options.lock_fd))) {
    place.lock = TRY(sys::duplicate(Fd(options.lock_fd)));
    UniqueFd(options.lock_fd).reset();
    return place;
  }
  place.lock = TRY(sys::open(place.directory, "lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (!TRY(sys::try_lock(place.lock, "lock")))
    return refuse(cat("pod ", name, " has a shim already"));
  return place;
}

Result<> remove_pod(const Place& place) {
  const std::string json = TRY(sys::read_file(place.directory, "pod.json"));
  const pod::Pod pod = TRY(pod::read_pod(json));
  TRY(unmake_place(pod, place.layout));
  return remove_directory(place.layout);
}

// Of the background half: who is killed before has not said it.
constexpr std::string_view kServes = "+";

// The background half. What goes wrong before it serves is the caller's to say to `ready`.
Result<> serve(const Options& options, Place& place, UniqueFd listener, UniqueFd& ready) {
  const std::unique_ptr<sys::EventLoop> loop = TRY(sys::EventLoop::open());
  Shim shim(*loop, Runtime{.root = place.layout.runtime_root(), .rootless = options.lock_fd >= 0},
            place.layout);
  shim.set_patience(std::chrono::seconds(to_number<uint32_t>(options.patience).value_or(30)));
  TRY(shim.open(std::move(listener)));
  if (options.adopt) TRY(shim.adopt());
  place.directory.reset();
  (void)sys::write_all(ready, "answer", kServes);  // or it is gone: a pod that was adopted is not
  ready.reset();
  Result<> done = shim.run();
  // A pod has taken it away with everything else; this is for when nobody wanted one.
  if (options.lock_fd >= 0) (void)end_process(place.layout.holder());
  return done;
}

Result<> start(const Options& options, std::span<const char* const> arguments) {
  Place place = TRY(take_place(options));
  if (options.lock_fd < 0 && needs_user_place()) {
    return std::unexpected(
        go_to_user_place(place.layout, place.lock, options.adopt, arguments, arguments.subspan(1)));
  }
  if (options.remove) return remove_pod(place);
  // Of a shim that is dead: we have the lock.
  (void)sys::unlink(place.directory, "shim.sock");
  UniqueFd listener = TRY(sys::listen_stream_at(place.directory, "shim.sock"));
  sys::Pipe word = TRY(sys::make_pipe());
  TRY(sys::set_waiting(word.from, true));
  const int keep[] = {place.directory.raw(), place.lock.raw(), listener.raw(), word.to.raw()};
  sys::Fork how;
  how.keep = keep;
  how.dies_with_us = false;
  if (TRY(sys::fork_child(how)) == 0) {
    word.from.reset();
    Result<> done = sys::detach_from_caller();
    if (done) done = serve(options, place, std::move(listener), word.to);
    if (!done && word.to.valid()) (void)sys::write_all(word.to, "answer", done.error().text);
    sys::exit_now(done ? 0 : 1);
  }
  word.to.reset();
  const std::string why = TRY(sys::read_all(word.from, "answer"));
  if (why == kServes) return {};
  return refuse(why.empty() ? "the shim ended before it took calls" : why);
}

int run(std::span<const char* const> arguments) {
  const std::span<const char* const> words = arguments.subspan(1);
  if (is_containerds(arguments[0], words)) return run_for_containerd(arguments[0], words);
  Result<Options> options = parse(words);
  if (options && options->help) {
    sys::print(kHelp);
    return 0;
  }
  Result<> done = options ? start(*options, arguments) : Result<>(std::unexpected(options.error()));
  if (done) return 0;
  sys::print_error(cat("ocirt-shim: ", done.error().text, "\n"));
  return 1;
}

}  // namespace
}  // namespace ocirt::shim

int main(int argc, char** argv) {
  // Who ignores it has us ignore it too, and the kernel then keeps no exit status of our children.
  ::signal(SIGCHLD, SIG_DFL);
  std::set_new_handler(ocirt::shim::out_of_memory);
  if (!ocirt::sys::ensure_standard_streams()) return 1;
  if (argc == 0) return 1;
  return ocirt::shim::run({argv, static_cast<size_t>(argc)});
}
