// The main of a fuzz program (LLVMFuzzerTestOneInput) under AFL++. The objects are those of
// libFuzzer, which the compiler made count how often each edge is passed in an array of bytes
// (-fsanitize-coverage=inline-8bit-counters); AFL++'s runtime knows only the instrumentation that
// asks for the place of each counter (trace-pc-guard). So the runtime is told of as many guards as
// there are counters, numbers them, and gets the counts after each input.
//
// Not instrumented itself. With the names of files as arguments it runs each once, outside of
// afl-fuzz.
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

extern "C" {
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// AFL++'s runtime (afl-compiler-rt.o).
extern std::uint8_t* __afl_area_ptr;
extern std::uint8_t* __afl_fuzz_ptr;
extern std::uint32_t* __afl_fuzz_len;
int __afl_persistent_loop(unsigned count);
void __afl_manual_init();
void __sanitizer_cov_trace_pc_guard_init(std::uint32_t* begin, std::uint32_t* end);
// Inputs come in shared memory.
int __afl_sharedmem_fuzzing = 1;

// The sanitizers': called when an error was found, before the program ends.
void __sanitizer_set_death_callback(void (*callback)());
}

namespace {

// What afl-fuzz looks for in a program to know that it takes many inputs and says itself when it is
// ready.
[[gnu::used]] constexpr const char kTakesManyInputs[] = "##SIG_AFL_PERSISTENT##";
[[gnu::used]] constexpr const char kSaysWhenReady[] = "##SIG_AFL_DEFER_FORKSRV##";
constexpr unsigned kInputs = 10000;

std::span<std::uint8_t> g_counters;
std::uint32_t* g_places = nullptr;

void tell_counts() {
  for (std::size_t i = 0; i < g_counters.size(); ++i) {
    if (g_counters[i] != 0) __afl_area_ptr[g_places[i]] = g_counters[i];
  }
}

int run_file(const char* path) {
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return std::perror(path), 1;
  std::vector<std::uint8_t> bytes(1 << 20);
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
  std::fclose(file);
  bytes.shrink_to_fit();
  return LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

// Called by each program once, before main and the constructors: there is no heap yet.
extern "C" void __sanitizer_cov_8bit_counters_init(std::uint8_t* begin, std::uint8_t* end) {
  if (g_places != nullptr || begin == end) return;
  g_counters = {begin, end};
  const std::size_t bytes = g_counters.size() * sizeof *g_places;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  g_places = static_cast<std::uint32_t*>(memory);
  __sanitizer_cov_trace_pc_guard_init(g_places, g_places + g_counters.size());
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (run_file(argv[i]) != 0) return 1;
  }
  if (argc > 1) return 0;
  __sanitizer_set_death_callback(tell_counts);
  __afl_manual_init();
  if (__afl_fuzz_ptr == nullptr)
    return std::fputs("runs under afl-fuzz, or with the names of files\n", stderr), 2;
  while (__afl_persistent_loop(kInputs) != 0) {
    std::memset(g_counters.data(), 0, g_counters.size());
    // In memory of its own: AddressSanitizer tells when it is left.
    const std::vector<std::uint8_t> input(__afl_fuzz_ptr, __afl_fuzz_ptr + *__afl_fuzz_len);
    LLVMFuzzerTestOneInput(input.data(), input.size());
    tell_counts();
  }
  return 0;
}
