// Fuzzer of the readers: any bytes are refused with an error or read, and what was read must be
// written as a text that reads as the same value, also when that text is written again.
//
// Build with clang -fsanitize=fuzzer,address,undefined; seeds are in fuzz_corpus/.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "oci-spec/documents.h"

namespace {

template <class Document>
void round_trip(oci::Result<Document> (*read)(std::string_view, std::string_view),
                std::string (*write)(const Document&, bool), std::string_view text) {
  const auto value = read(text, "fuzz");
  if (!value) {
    if (value.error().text.empty() || value.error().message().empty()) std::abort();
    return;
  }
  for (const bool pretty : {false, true}) {
    const std::string written = write(*value, pretty);
    const auto again = read(written, "fuzz");
    if (!again || !(*again == *value) || write(*again, pretty) != written) std::abort();
  }
}

std::string write_state(const oci::State& state, bool pretty) { return oci::write(state, pretty); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  round_trip<oci::Spec>(oci::read_config, oci::write, text);
  round_trip<oci::Process>(oci::read_process, oci::write, text);
  round_trip<oci::Resources>(oci::read_resources, oci::write, text);
  round_trip<oci::State>(oci::read_state, write_state, text);
  round_trip<oci::Features>(oci::read_features, oci::write, text);
  round_trip<oci::ContainerProcessState>(oci::read_container_process_state, oci::write, text);
  return 0;
}
