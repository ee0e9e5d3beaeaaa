// A mistake that a fuzzer has to find: that AFL++ counts edges here and hears of AddressSanitizer's
// errors is tested by it, and not by a target without mistakes (tests/tools/fuzz).
#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || data[0] != 'm' || data[1] != 'n' || data[2] != 't') return 0;
  volatile const std::uint8_t* behind = data + size;
  return *behind == 0 ? 0 : 0;
}
