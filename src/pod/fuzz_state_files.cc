// Fuzzer of the state files, which another version, a full disk or an administrator may have
// written: any bytes are refused with a sentence or read, and what was read must be written as a
// text that reads as the same value. Build with clang -fsanitize=fuzzer,address,undefined.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/container/record.h"
#include "src/pod/event.h"
#include "src/pod/pod.h"
#include "src/pod/state.h"
#include "src/pod/status.h"

namespace {

using namespace ocirt;

template <class Value>
void round_trip(const Result<Value>& value, std::string (*write)(const Value&),
                Result<Value> (*read)(std::string_view)) {
  if (!value) {
    if (value.error().text.empty()) std::abort();
    return;
  }
  const Result<Value> again = read(write(*value));
  if (!again || !(*again == *value)) std::abort();
}

Result<pod::State> read_state(std::string_view json) { return pod::read_state(json); }
Result<pod::Pod> read_pod(std::string_view json) { return pod::read_pod(json); }
Result<pod::Event> read_event(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  return pod::read_event(line);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  round_trip(container::read_record(text), container::write_record, container::read_record);
  round_trip(read_state(text), pod::write_state, read_state);
  round_trip(read_pod(text), pod::write_pod, read_pod);
  round_trip(pod::read_status(text), pod::write_status, pod::read_status);
  round_trip(read_event(text), pod::write_event, read_event);
  return 0;
}
