// Fuzzer of what others say about networks: configurations, results and errors of CNI plugins, and
// the files and requests of ocirt-net. Build with clang -fsanitize=fuzzer,address,undefined.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/net/cni.h"
#include "src/net/pod_request.h"
#include "src/net/pool.h"
#include "src/net/request.h"
#include "src/net/subnet.h"

namespace {

using namespace ocirt;
using namespace ocirt::net;

void must(bool condition) {
  if (!condition) std::abort();
}

template <class Value>
void round_trip(std::string_view text, Result<Value> (*read)(std::string_view),
                std::string (*write)(const Value&)) {
  const Result<Value> value = read(text);
  if (!value) return must(!value.error().text.empty());
  const Result<Value> again = read(write(*value));
  must(again && *again == *value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const Result<Json> json = parse_json(text)) {
    // What goes on to the next plugin is what came.
    const std::string written = write_json(*json);
    const Result<Json> again = parse_json(written);
    must(again && write_json(*again) == written);
  }
  for (const bool is_list : {false, true}) {
    const Result<Json> list = read_cni_list(text, is_list);
    if (!list) continue;
    (void)publishes_ports(*list);
    (void)is_at_least(*list, 0, 4);
    for (size_t i = 0; i < plugins_of(*list).size() && i < 4; ++i)
      must(parse_json(plugin_configuration(*list, i, {}, "")).has_value());
  }
  PodNetwork network;
  const Result<> result = read_cni_result(text, network);
  must(result || !result.error().text.empty());
  (void)cni_error(text, text);
  round_trip(text, read_pool, write_pool);
  round_trip(text, read_pod_request, write_pod_request);
  round_trip(text, read_pod_network, write_pod_network);
  round_trip(text, read_request, write_request);
  round_trip(text, read_moved, write_moved);
  if (const auto subnet = parse_address(text)) (void)*subnet;
  (void)parse_subnet(text);
  return 0;
}
