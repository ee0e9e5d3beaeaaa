// Fuzzer of the messages: any bytes are refused with an error or read, and what was read must be
// written as bytes that read as the same. The first byte chooses the message.
//
// Build with clang -fsanitize=fuzzer,address,undefined.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/wire/envelope.h"
#include "src/wire/messages.h"

namespace {

using namespace ocirt::wire;

template <Message M>
void round_trip(std::string_view bytes) {
  auto message = parse<M>(bytes);
  if (!message) {
    if (!message.error().text.starts_with(MessageInfo<M>::kName)) std::abort();
    return;
  }
  const std::string written = pack(**message);
  auto again = parse<M>(written);
  if (!again || pack(**again) != written) std::abort();
}

constexpr void (*kMessages[])(std::string_view) = {
    round_trip<ttrpc::Request>,
    round_trip<ttrpc::Response>,
    round_trip<CreateTaskRequest>,
    round_trip<ExecProcessRequest>,
    round_trip<StateResponse>,
    round_trip<PidsResponse>,
    round_trip<UpdateTaskRequest>,
    round_trip<CreateSandboxRequest>,
    round_trip<SandboxStatusResponse>,
    round_trip<ForwardRequest>,
    round_trip<TaskCreate>,
    round_trip<BootstrapParams>,
    round_trip<BootstrapResult>,
    round_trip<RuncOptions>,
    round_trip<CheckpointOptions>,
    round_trip<RuntimeInfo>,
    round_trip<v1::Metrics>,
    round_trip<v2::Metrics>,
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  kMessages[data[0] % std::size(kMessages)](bytes);
  (void)read_answer(bytes);
  return 0;
}
