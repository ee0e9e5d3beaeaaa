#include "src/net/pod_netns.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>

#include "src/base/text.h"
#include "src/net/link.h"
#include "src/sys/companion.h"
#include "src/sys/namespace.h"
#include "src/sys/process.h"

namespace ocirt::net {
namespace {

constexpr const char* kOwn = "/proc/self/ns/net";

Result<> loopback_up() {
  Session session = TRY(Session::open());
  const std::optional<Link> loopback = TRY(find_link(session, "lo"));
  if (!loopback) return refuse("there is no loopback device");
  return set_up(session, loopback->index);
}

// What ip-netns(8) does too, and has to be done before the first pin: it binds the directory onto
// itself with all that is mounted in it, and our pins would have a second, hidden mount from then
// on that nobody takes away. The mount stays, as it does after ip-netns(8).
Result<> share_directory(const std::string& directory) {
  if (directory != "/run/netns") return {};  // no other program looks elsewhere
  const char* path = directory.c_str();
  if (::mount("", path, "none", MS_SHARED | MS_REC, nullptr) == 0) return {};
  if (errno != EINVAL) return os_error(cat("share ", directory), errno);
  if (::mount(path, path, "none", MS_BIND | MS_REC, nullptr) < 0) {
    return os_error(cat("bind ", directory), errno);
  }
  if (::mount("", path, "none", MS_SHARED | MS_REC, nullptr) < 0) {
    return os_error(cat("share ", directory), errno);
  }
  return {};
}

// In the new namespace.
Result<> pin_own(const std::string& path) {
  if (::mount(kOwn, path.c_str(), nullptr, MS_BIND, nullptr) < 0) {
    return os_error(cat("pin the network namespace at ", path), errno);
  }
  return within("set the loopback device up", loopback_up());
}

// Goes into a new one and pins it.
Result<std::string> create(const std::string& path) {
  if (::unshare(CLONE_NEWNET) < 0) return os_error("make a network namespace", errno);
  TRY(pin_own(path));
  return std::string();
}

// Whether setns(2) back to it is allowed: not for an ordinary user, who is privileged in namespaces
// of its own only.
bool may_return(Fd home) {
  const Result<UniqueFd> user = sys::open(sys::kCwd, "/proc/self/ns/user", O_RDONLY);
  return user && sys::is_owned_by(home, *user);
}

}  // namespace

Result<> make_netns(const std::string& path) {
  const std::string directory = path.substr(0, path.rfind('/'));
  TRY(sys::mkdir_parents(directory.empty() ? "/" : directory, 0755));
  TRY(share_directory(directory));
  UniqueFd home = TRY(sys::open(sys::kCwd, kOwn, O_RDONLY));
  (void)TRY(sys::open(sys::kCwd, path, O_RDONLY | O_CREAT | O_EXCL, 0444));
  Result<std::string> made;
  if (may_return(home)) {
    made = create(path);
    return_home(home);
  } else {
    made = in_child(create, path);
  }
  if (made) return {};
  (void)remove_netns(path);
  return std::unexpected(std::move(made).error());
}

void return_home(Fd home) {
  Result<> back = within("return to the host's network namespace", sys::setns(home, CLONE_NEWNET));
  if (back) return;
  sys::exit_now(sys::companion_answer(std::unexpected(std::move(back).error())));
}

Result<std::string> in_child(Result<std::string> (*work)(const std::string&),
                             const std::string& argument) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return os_error("pipe", errno);
  UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  (void)::signal(SIGCHLD, SIG_DFL);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return os_error("fork", errno);
  if (child == 0) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const Result<std::string> done = work(argument);
    const std::string said =
        done ? cat("0 ", *done) : cat(done.error().code, "!", done.error().text);
    (void)sys::write_all(writing, "pipe", said);
    ::_exit(0);
  }
  writing.reset();
  Result<std::string> said = sys::read_all(reading, "pipe");
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (!said) return said;
  const size_t end = said->find_first_of(" !");
  if (end == std::string::npos) return refuse("a child process has ended without a word");
  if ((*said)[end] == ' ') return said->substr(end + 1);
  return std::unexpected(
      Error{to_number<int>(said->substr(0, end)).value_or(0), said->substr(end + 1)});
}

Result<UniqueFd> open_netns(const std::string& path) {
  return sys::open_namespace(path, CLONE_NEWNET);
}

bool is_netns(const std::string& path) { return open_netns(path).has_value(); }

Result<> remove_netns(const std::string& path) {
  // As often as it is mounted. EINVAL: it is no mount (any more).
  while (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
  }
  if (errno != EINVAL && errno != ENOENT) return os_error(cat("unmount ", path), errno);
  Result<> gone = sys::unlink(sys::kCwd, path);
  if (!gone && gone.error().code == ENOENT) return {};
  return gone;
}

}  // namespace ocirt::net
