#include "src/container/notify_socket.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "src/base/text.h"
#include "src/linux/notify.h"
#include "src/sys/clock.h"
#include "src/sys/control_file.h"
#include "src/sys/datagram.h"
#include "src/sys/file.h"
#include "src/sys/socket.h"
#include "src/sys/watch.h"

namespace ocirt::container {
namespace {

constexpr char kDirectory[] = "notify";   // in the container's state directory
constexpr size_t kMostBytes = 4096;       // of a message; systemd takes no longer ones either
constexpr int kMostAtOnce = 1024;         // more than a socket's queue usually holds
constexpr int kReadyTimeoutMs = 5000;     // for room in the manager's queue
constexpr int kBarrierTimeoutMs = 30000;  // as runc and crun have it
constexpr int64_t kMostTokens = 32;       // messages at once,
constexpr int64_t kMsPerToken = 100;      // and then ten a second

}  // namespace

std::string notify_address() {
  const char* address = std::getenv("NOTIFY_SOCKET");
  return address == nullptr ? std::string() : std::string(address);
}

Result<bool> add_notify_mount(oci::Spec& spec, const Store& store, const std::string& id) {
  const std::string address = notify_address();
  if (address.empty() || !spec.process) return false;
  std::string inside = TRY(notify_directory(address));
  const std::string root = TRY(within("state directory", sys::real_directory(store.root())));
  // The last value of a variable counts.
  spec.process->env.push_back(cat("NOTIFY_SOCKET=", inside, "/", kNotifyName));
  oci::Mount mount;
  mount.destination = std::move(inside);
  mount.type = "bind";
  mount.source = cat(root, "/", id, "/", kDirectory);
  mount.options = {"bind", "ro", "nosuid", "nodev", "noexec"};
  spec.mounts.push_back(std::move(mount));
  return true;
}

Result<> make_notify_directory(const Directory& directory) {
  TRY(sys::mkdir(directory.fd(), kDirectory, 0755));
  return sys::chmod(directory.fd(), kDirectory, 0755);
}

Result<std::optional<NotifySocket>> NotifySocket::open(const Directory& directory) {
  NotifySocket made;
  made.address_ = notify_address();
  if (made.address_.empty()) return std::nullopt;
  Result<UniqueFd> place =
      sys::open(directory.fd(), kDirectory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!place && place.error().code == ENOENT) return std::nullopt;
  UniqueFd fd = TRY(within("NOTIFY_SOCKET", std::move(place)));
  (void)sys::unlink(fd, kNotifyName);  // of a `start` that failed before the container heard of it
  made.inbox_ = TRY(within("NOTIFY_SOCKET", sys::receive_datagrams_at(fd, kNotifyName)));
  made.tokens_ = kMostTokens;
  made.refilled_ms_ = sys::monotonic_ms();
  return made;
}

// A container must not keep the manager busy.
bool NotifySocket::may_send() {
  const int64_t earned = (sys::monotonic_ms() - refilled_ms_) / kMsPerToken;
  refilled_ms_ += earned * kMsPerToken;
  tokens_ = std::min(tokens_ + earned, kMostTokens);
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

Result<> NotifySocket::send(std::string_view text, int timeout_ms) {
  if (!manager_.valid()) manager_ = TRY(sys::connect_datagrams(address_));
  return sys::send_datagram_within(manager_, text, timeout_ms);
}

Result<> NotifySocket::tell_ready(const std::string& text, pid_t main_pid) {
  TRY(send(text, kReadyTimeoutMs));
  return send(cat("MAINPID=", main_pid), kReadyTimeoutMs);
}

void NotifySocket::pass_on(pid_t main_pid) {
  for (int i = 0; i < kMostAtOnce; ++i) {
    Result<std::optional<std::string>> message = sys::take_datagram(inbox_, kMostBytes);
    if (!message || !*message) return;
    const Notification wanted = admissible(**message);
    if (wanted.text.empty()) continue;
    if (wanted.ready && !ready_) {
      ready_ = true;
      Result<> told = tell_ready(wanted.text, main_pid);
      if (!told) {
        failure_ = cat("the service manager does not know that the container is ready: ",
                       "NOTIFY_SOCKET: ", told.error().text);
      }
    } else if (may_send()) {
      (void)send(wanted.text, 0);
    }
  }
}

// A descriptor that the manager closes when it comes to this message (sd_notify_barrier(3)).
Result<> NotifySocket::barrier() {
  auto [ours, theirs] = TRY(sys::socket_pair());
  TRY(sys::send_datagram_within(manager_, "BARRIER=1", kReadyTimeoutMs, theirs));
  theirs.reset();
  sys::Watched closed{ours};
  return sys::wait_for_any({&closed, 1}, kBarrierTimeoutMs);
}

Result<> NotifySocket::wait_until_ready(Fd init, pid_t main_pid) {
  for (bool ended = false; !ready_ && !ended;) {
    sys::Watched watched[] = {{inbox_}, {init}};
    TRY(sys::wait_for_any(watched, -1));
    ended = watched[1].ready;
    pass_on(main_pid);  // also what it said as its last words
  }
  if (!manager_.valid() || !failure_.empty()) return {};
  return barrier();
}

}  // namespace ocirt::container
