#include "src/shim/sandbox_replies.h"

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

}  // namespace ocirt::shim
