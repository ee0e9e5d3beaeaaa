// Fuzzer of the pod file's reader: any bytes are refused with one line that names the file, or
// read. Build with clang -fsanitize=fuzzer,address,undefined; the seeds are the files of
// tests/pods/files.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/podfile/file.h"
#include "src/podfile/quantity.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> ignored;
  for (const bool lenient : {false, true}) {
    const ocirt::podfile::ReadOptions options{.ignore_unknown = lenient, .ignored = &ignored};
    const auto file = ocirt::podfile::read_pod_file(text, "fuzz", options);
    if (!file) {
      const std::string message = file.error().message();
      if (!message.starts_with("fuzz") || message.contains('\n')) std::abort();
    }
  }
  for (const std::string& line : ignored) {
    if (line.contains('\n')) std::abort();
  }
  (void)ocirt::podfile::units(text.substr(0, 40));
  (void)ocirt::podfile::thousandths(text.substr(0, 40));
  return 0;
}
