#include "src/podcli/json.h"

#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#include "oci-spec/json/memory.h"
#include "src/base/text.h"

namespace ocirt::podcli {
namespace {

yajl_gen gen_of(void* context) { return static_cast<yajl_gen>(context); }
int ok(yajl_gen_status status) { return status == yajl_gen_status_ok ? 1 : 0; }

constexpr yajl_callbacks kCopy = {
    .yajl_null = [](void* gen) { return ok(yajl_gen_null(gen_of(gen))); },
    .yajl_boolean = [](void* gen, int value) { return ok(yajl_gen_bool(gen_of(gen), value)); },
    .yajl_integer = nullptr,
    .yajl_double = nullptr,
    .yajl_number = [](void* gen, const char* text,
                      size_t size) { return ok(yajl_gen_number(gen_of(gen), text, size)); },
    .yajl_string = [](void* gen, const unsigned char* text,
                      size_t size) { return ok(yajl_gen_string(gen_of(gen), text, size)); },
    .yajl_start_map = [](void* gen) { return ok(yajl_gen_map_open(gen_of(gen))); },
    .yajl_map_key = [](void* gen, const unsigned char* text,
                       size_t size) { return ok(yajl_gen_string(gen_of(gen), text, size)); },
    .yajl_end_map = [](void* gen) { return ok(yajl_gen_map_close(gen_of(gen))); },
    .yajl_start_array = [](void* gen) { return ok(yajl_gen_array_open(gen_of(gen))); },
    .yajl_end_array = [](void* gen) { return ok(yajl_gen_array_close(gen_of(gen))); },
};

void append(void* out, const char* text, size_t size) {
  static_cast<std::string*>(out)->append(text, size);
}

}  // namespace

std::string pretty_json(std::string_view json) {
  std::string out;
  yajl_gen gen = yajl_gen_alloc(oci::json::memory());
  yajl_gen_config(gen, yajl_gen_print_callback, append, &out);
  yajl_gen_config(gen, yajl_gen_beautify, 1);
  yajl_gen_config(gen, yajl_gen_indent_string, "  ");
  yajl_handle handle = yajl_alloc(&kCopy, oci::json::memory(), gen);
  bool copied = handle != nullptr;
  if (copied) {
    copied = yajl_parse(handle, reinterpret_cast<const unsigned char*>(json.data()), json.size()) ==
                 yajl_status_ok &&
             yajl_complete_parse(handle) == yajl_status_ok;
    yajl_free(handle);
  }
  yajl_gen_free(gen);
  if (!copied) return std::string(json);
  if (!out.ends_with('\n')) out += '\n';
  return out;
}

std::string json_text(std::string_view text) {
  std::string out;
  yajl_gen gen = yajl_gen_alloc(oci::json::memory());
  yajl_gen_config(gen, yajl_gen_print_callback, append, &out);
  yajl_gen_string(gen, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  yajl_gen_free(gen);
  return out;
}

}  // namespace ocirt::podcli
