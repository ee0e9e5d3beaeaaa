#include "src/net/pod_user.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <vector>

#include "src/base/text.h"
#include "src/net/address.h"
#include "src/net/link.h"
#include "src/net/plugin.h"
#include "src/net/pod_hosts.h"
#include "src/net/pod_listeners.h"
#include "src/net/pod_netns.h"
#include "src/sys/file.h"
#include "src/sys/process.h"
#include "src/sys/signals.h"

namespace ocirt::net {
namespace {

constexpr std::string_view kInside = "eth0";
constexpr std::string_view kProgramName = "pasta";
constexpr int kStepMs = 5;
constexpr int kEndMs = 2000;

std::string pid_file(const PodRequest& request) { return cat(request.directory, "/pasta.pid"); }
std::string log_file(const PodRequest& request) { return cat(request.directory, "/pasta.log"); }

Result<std::string> find_pasta() {
  const char* path = ::getenv("PATH");
  Result<std::string> found =
      find_plugin(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin", kProgramName);
  if (found) return found;
  return std::unexpected(
      Error{ENOENT,
            "not supported: networks for pods of ordinary users need the program pasta "
            "(package passt)"});
}

Result<> add_ports(const std::vector<PodPort>& ports, std::vector<std::string>& arguments) {
  bool has[2] = {};
  for (const PodPort& port : ports) {
    if (port.protocol == PodProtocol::kSctp) {
      return refuse(cat("not supported: host port ", port_text(port), ": pasta knows no SCTP"));
    }
    const bool udp = port.protocol == PodProtocol::kUdp;
    // Seen with the one of Debian 12 (2023-03-09): clients on the host got no answer.
    if (udp && port.host_port != port.pod_port) {
      return refuse(cat("not supported: host port ", port_text(port), " leading to port ",
                        port.pod_port, ": with pasta both have to be the same for UDP"));
    }
    has[static_cast<size_t>(udp)] = true;
    arguments.insert(arguments.end(),
                     {udp ? "-u" : "-t", cat(port.host_ip, port.host_ip.empty() ? "" : "/",
                                             port.host_port, ":", port.pod_port)});
  }
  for (size_t udp : {size_t{0}, size_t{1}}) {
    // By itself it publishes whatever listens inside.
    if (!has[udp]) arguments.insert(arguments.end(), {udp != 0 ? "-u" : "-t", "none"});
  }
  return {};
}

// Between fork and exec: a process that outlives us, without a stream of ours.
[[noreturn]] void become(const std::string& program, const std::vector<std::string>& arguments,
                         Fd null, Fd log) {
  (void)::setsid();
  ::dup2(null.raw(), STDIN_FILENO);
  ::dup2(null.raw(), STDOUT_FILENO);
  ::dup2(log.raw(), STDERR_FILENO);
  sys::default_signals();
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  ::execv(program.c_str(), pointers.data());
  ::_exit(127);
}

// The last thing that it said; it also says what it does without.
std::string complaint(const PodRequest& request) {
  const Result<std::string> log = sys::read_file(sys::kCwd, log_file(request));
  std::string last = "it does not say why";
  std::string_view rest = log ? std::string_view(*log) : std::string_view();
  while (std::optional<std::string_view> line = next_line(rest)) {
    if (!trim(*line).empty() && !line->contains("to syslog")) last = trim(*line);
  }
  return last;
}

// It writes its pid when everything is in place.
Result<> wait_until_ready(const PodRequest& request, pid_t child) {
  const int most = static_cast<int>(request.plugin_timeout_seconds) * 1000;
  for (int waited = 0; waited < most; waited += kStepMs) {
    const Result<std::string> pid = sys::read_file(sys::kCwd, pid_file(request));
    if (pid && pid->ends_with('\n')) return {};
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) != 0) return refuse(cat("pasta: ", complaint(request)));
    ::poll(nullptr, 0, kStepMs);
  }
  ::kill(child, SIGKILL);
  (void)::waitpid(child, nullptr, 0);
  return refuse(cat("pasta was not ready within ", request.plugin_timeout_seconds, " seconds"));
}

Result<> start_pasta(const PodRequest& request, const std::string& program,
                     const std::vector<std::string>& arguments) {
  UniqueFd null = TRY(sys::open(sys::kCwd, "/dev/null", O_RDWR));
  UniqueFd log = TRY(sys::open(sys::kCwd, log_file(request),
                               O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW, 0600));
  (void)::signal(SIGCHLD, SIG_DFL);
  const pid_t child = ::fork();
  if (child < 0) return os_error("fork", errno);
  if (child == 0) become(program, arguments, null, log);
  return wait_until_ready(request, child);
}

// Of eth0 in the namespace, with spaces between.
Result<std::string> addresses_in(const std::string& netns) {
  UniqueFd ns = TRY(open_netns(netns));
  TRY(sys::setns(ns, CLONE_NEWNET));
  Session session = TRY(Session::open());
  const std::optional<Link> eth0 = TRY(find_link(session, kInside));
  if (!eth0) return refuse("pasta has made no eth0");
  std::string text;
  for (const Reply& address : TRY(addresses_of(session, eth0->index))) {
    if (is_kept(address)) text += cat(text.empty() ? "" : " ", address_text(address));
  }
  return text;
}

// The process behind the pid file, if it still is pasta.
std::optional<UniqueFd> running(const PodRequest& request) {
  const Result<std::string> text = sys::read_file(sys::kCwd, pid_file(request));
  const std::optional<pid_t> pid = text ? to_number<pid_t>(trim(*text)) : std::nullopt;
  if (!pid || *pid <= 1) return std::nullopt;
  Result<UniqueFd> process = sys::pidfd_open(*pid);
  const Result<std::string> name = sys::read_file(sys::kCwd, cat("/proc/", *pid, "/comm"));
  // It executes itself anew as passt.avx2 where the processor can.
  const Result<std::optional<sys::ProcessStat>> stat = sys::process_stat(*pid);
  if (!process || !name || !stat || !*stat || (*stat)->state == 'Z') return std::nullopt;
  if (!name->starts_with("pasta") && !name->starts_with("passt")) return std::nullopt;
  return *std::move(process);
}

Result<> make(PodRecord& record, const std::string& program,
              const std::vector<std::string>& arguments) {
  TRY(make_netns(record.request.netns));
  TRY(start_pasta(record.request, program, arguments));
  const std::string addresses = TRY(in_child(addresses_in, record.request.netns));
  for (std::string_view address : split(addresses, ' ')) {
    if (!address.empty()) record.network.addresses.emplace_back(address);
  }
  const PodRequest& request = record.request;
  if (!request.hosts.empty()) {
    std::vector<HostLine> lines;
    lines.reserve(record.network.addresses.size());
    for (const std::string& address : record.network.addresses) {
      lines.push_back({std::string(without_length(address)),
                       request.hostname.empty() || request.hostname == request.name
                           ? request.name
                           : cat(request.hostname, " ", request.name)});
    }
    TRY(write_hosts(request.hosts, lines));
  }
  record.complete = true;
  return save_record(record);
}

}  // namespace

Result<> user_up(PodRecord& record) {
  const PodRequest& request = record.request;
  const std::string program = TRY(find_pasta());
  std::vector<std::string> arguments = {std::string(kProgramName),
                                        "--foreground",
                                        "--stderr",
                                        "--quiet",
                                        "--config-net",
                                        "--no-map-gw",
                                        "--ns-ifname",
                                        std::string(kInside),
                                        "--pid",
                                        pid_file(request),
                                        "--tcp-ns",
                                        "none",
                                        "--udp-ns",
                                        "none"};
  TRY(add_ports(request.ports, arguments));
  arguments.insert(arguments.end(), {"--netns", request.netns});
  TRY(within(cat("pod ", request.name), check_unused(request.ports)));
  record.network.netns = request.netns;
  record.network.interface = kInside;
  record.network.ports = request.ports;
  TRY(save_record(record));
  Result<> made = make(record, program, arguments);
  if (made) return {};
  if (made.error().code == EPERM) {
    made.error().text += "; an ordinary user needs a user and a mount namespace of its own for it";
  }
  Result<> undone = user_down(request);
  if (undone) undone = remove_record(request.directory);
  if (!undone) made.error().text += cat("; then, while undoing this: ", undone.error().text);
  return made;
}

Result<> user_down(const PodRequest& request) {
  if (std::optional<UniqueFd> pasta = running(request)) {
    (void)sys::send_signal(*pasta, SIGTERM);
    const Result<bool> ended = sys::wait_until_ended(*pasta, kEndMs);
    if (!ended || !*ended) (void)sys::send_signal(*pasta, SIGKILL);
  }
  // One that has not written its pid yet ends when its namespace has no name any more.
  TRY(remove_netns(request.netns));
  for (const std::string& path : {pid_file(request), log_file(request)}) {
    Result<> gone = sys::unlink(sys::kCwd, path);
    if (!gone && gone.error().code != ENOENT) return gone;
  }
  return {};
}

Result<> user_check(const PodRequest& request) {
  if (!running(request)) return refuse("its pasta has ended");
  return {};
}

}  // namespace ocirt::net
