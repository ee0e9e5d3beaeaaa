#include "src/shim/sandbox_replies.h"

#include "src/shim/process.h"
#include "src/wire/any.h"
#include "src/wire/messages.h"

namespace ocirt::shim {
namespace {

#if defined(__x86_64__)
constexpr const char* kArchitecture = "amd64";
#elif defined(__aarch64__)
constexpr const char* kArchitecture = "arm64";
#else
constexpr const char* kArchitecture = "unknown";
#endif

}  // namespace

void fail_sandbox(wire::Reply& reply, const Error& error) {
  const bool unsupported = error.text.contains("not supported");
  reply.fail(unsupported ? wire::Code::kUnimplemented : wire::Code::kUnknown, error.text);
}

void answer_platform(wire::Call& call) {
  auto platform = wire::blank<wire::Platform>();
  platform.os = wire::lend("linux");
  platform.architecture = wire::lend(kArchitecture);
  auto answer = wire::blank<wire::PlatformResponse>();
  answer.platform = &platform;
  call.reply.send(answer);
}

void answer_metrics(wire::Reply& reply, const Result<Done>& done) {
  if (!done) return fail_sandbox(reply, done.error());
  const wire::AnyValue value = take_metrics(*done);
  wire::Any any = value.lend();
  wire::Timestamp time;
  auto metric = wire::blank<wire::Metric>();
  metric.timestamp = to_timestamp(wall_time(), time);
  metric.data = &any;
  auto answer = wire::blank<wire::SandboxMetricsResponse>();
  answer.metrics = &metric;
  reply.send(answer);
}

}  // namespace ocirt::shim
