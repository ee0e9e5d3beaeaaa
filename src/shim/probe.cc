#include "src/shim/probe.h"

#include <sched.h>

#include <csignal>

#include "src/base/text.h"
#include "src/pod/http_probe.h"
#include "src/sys/namespace.h"
#include "src/sys/process.h"
#include "src/sys/stream.h"
#include "src/sys/tcp.h"

namespace ocirt::shim {
namespace {

Result<> enter_network(const ProbeTarget& target) {
  if (target.netns.empty()) return {};
  const UniqueFd netns = TRY(sys::open_namespace(target.netns, CLONE_NEWNET));
  return sys::setns(netns, CLONE_NEWNET);
}

Result<Done> by_tcp(const ProbeTarget& target, const pod::TcpSocket& tcp, sys::Nanoseconds end) {
  TRY(enter_network(target));
  (void)TRY(sys::connect_tcp(tcp.host.empty() ? target.address : tcp.host, tcp.port, end));
  return Done{};
}

Result<pod::HttpAnswer> ask(const std::string& address, const pod::HttpGet& get,
                            sys::Nanoseconds end) {
  const UniqueFd socket = TRY(sys::connect_tcp(address, get.port, end));
  const std::string request = pod::http_request(get, address);
  // It fits into the socket's buffer, or the headers of the probe are beyond reason.
  if (TRY(sys::send_some(socket, request)) != request.size())
    return refuse("HTTP: the request is too long");
  std::string received;
  for (;;) {
    TRY(sys::wait_readable(socket, end));
    char room[1024];
    const std::optional<size_t> got = TRY(sys::read_some(socket, room));
    if (!got) continue;
    received.append(room, *got);
    const bool at_end = *got == 0 || received.size() >= pod::kMostOfAnAnswer;
    if (std::optional<pod::HttpAnswer> answer = pod::judge_http(received, at_end))
      return *std::move(answer);
  }
}

Result<Done> by_http(const ProbeTarget& target, const pod::HttpGet& get, sys::Nanoseconds end) {
  TRY(enter_network(target));
  const std::string address = get.host.empty() ? target.address : get.host;
  pod::HttpGet now = get;
  std::string where;
  for (int requests = 1;; ++requests) {
    Result<pod::HttpAnswer> answer = ask(address, now, end);
    if (!answer)
      return std::unexpected(Error{answer.error().code, cat(where, answer.error().text)});
    if (!answer->success) return refuse(cat(where, answer->text));
    Done done;
    done.text = cat(where, answer->text);
    if (answer->location.empty()) return done;
    pod::Redirect redirect = pod::redirect_of(now, address, answer->location);
    if (!redirect.to && !redirect.success) return refuse(redirect.text);
    if (!redirect.to) {
      done.text = std::move(redirect.text);
      return done;
    }
    if (requests == pod::kMostRequests)
      return refuse(cat("stopped after ", pod::kMostRequests, " redirects"));
    now = *std::move(redirect.to);
    where = cat("redirected to ", now.path, " of port ", now.port, ": ");
  }
}

}  // namespace

Result<Done> run_probe(const ProbeTarget& target, const pod::Probe& probe) {
  const sys::Nanoseconds timeout = std::chrono::seconds(probe.timeout_seconds);
  const sys::Nanoseconds end = sys::monotonic_now() + timeout;
  if (probe.exec) return exec_and_wait(target.runtime, target.container, *probe.exec, timeout);
  if (probe.http) return by_http(target, *probe.http, end);
  if (probe.tcp) return by_tcp(target, *probe.tcp, end);
  return refuse("a probe of no kind");
}

Result<Done> run_handler(const ProbeTarget& target, const pod::Handler& handler,
                         sys::Nanoseconds timeout) {
  if (handler.exec) return exec_and_wait(target.runtime, target.container, *handler.exec, timeout);
  if (handler.http) return by_http(target, *handler.http, sys::monotonic_now() + timeout);
  return refuse("a handler of no kind");
}

}  // namespace ocirt::shim
