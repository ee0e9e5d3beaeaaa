#include "src/net/json.h"

#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#include <algorithm>
#include <memory>

#include "oci-spec/json/memory.h"
#include "src/base/text.h"

namespace ocirt::net {
namespace {

constexpr size_t kMostDepth = 64;

// What yajl calls back. Values go to where the innermost open list or object wants them.
struct Builder {
  Json root;
  std::vector<Json*> open;
  bool started = false;

  bool add(Json value) {
    const bool is_open = value.kind == Json::Kind::kList || value.kind == Json::Kind::kObject;
    Json* place = nullptr;
    if (open.empty()) {
      if (started) return false;
      started = true;
      root = std::move(value);
      place = &root;
    } else if (open.back()->kind == Json::Kind::kList) {
      place = &open.back()->items.emplace_back(std::move(value));
    } else {
      place = &open.back()->members.back().second;
      *place = std::move(value);
    }
    if (is_open) open.push_back(place);
    return open.size() <= kMostDepth;
  }
};

Builder& builder(void* context) { return *static_cast<Builder*>(context); }

std::string text_of(const unsigned char* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

int on_null(void* context) { return static_cast<int>(builder(context).add({})); }
int on_boolean(void* context, int value) {
  return static_cast<int>(
      builder(context).add({Json::Kind::kBoolean, value != 0 ? "true" : "false", {}, {}}));
}
int on_number(void* context, const char* digits, size_t size) {
  return static_cast<int>(
      builder(context).add({Json::Kind::kNumber, std::string(digits, size), {}, {}}));
}
int on_string(void* context, const unsigned char* bytes, size_t size) {
  return static_cast<int>(builder(context).add(Json::string(text_of(bytes, size))));
}
int on_object(void* context) { return static_cast<int>(builder(context).add(Json::object())); }
int on_list(void* context) { return static_cast<int>(builder(context).add(Json::list())); }
int on_key(void* context, const unsigned char* bytes, size_t size) {
  builder(context).open.back()->members.emplace_back(text_of(bytes, size), Json{});
  return 1;
}
int on_end(void* context) {
  builder(context).open.pop_back();
  return 1;
}

constexpr yajl_callbacks kCallbacks = {on_null,   on_boolean, nullptr,   nullptr,
                                       on_number, on_string,  on_object, on_key,
                                       on_end,    on_list,    on_end};

struct FreeParser {
  void operator()(yajl_handle_t* handle) const { yajl_free(handle); }
};
struct FreeWriter {
  void operator()(yajl_gen_t* generator) const { yajl_gen_free(generator); }
};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void write(yajl_gen generator, const Json& value) {
  switch (value.kind) {
    case Json::Kind::kNull:
      yajl_gen_null(generator);
      break;
    case Json::Kind::kBoolean:
      yajl_gen_bool(generator, static_cast<int>(value.text == "true"));
      break;
    case Json::Kind::kNumber:
      yajl_gen_number(generator, value.text.data(), value.text.size());
      break;
    case Json::Kind::kString:
      yajl_gen_string(generator, bytes_of(value.text), value.text.size());
      break;
    case Json::Kind::kList:
      yajl_gen_array_open(generator);
      for (const Json& item : value.items) write(generator, item);
      yajl_gen_array_close(generator);
      break;
    case Json::Kind::kObject:
      yajl_gen_map_open(generator);
      for (const auto& [name, member] : value.members) {
        yajl_gen_string(generator, bytes_of(name), name.size());
        write(generator, member);
      }
      yajl_gen_map_close(generator);
      break;
  }
}

}  // namespace

const Json* Json::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(members, [&](const auto& member) { return member.first == name; });
  return found == members.end() ? nullptr : &found->second;
}

std::string_view Json::text_of(std::string_view name) const {
  const Json* found = find(name);
  return found != nullptr && found->kind == Kind::kString ? std::string_view(found->text)
                                                          : std::string_view();
}

bool Json::is_true(std::string_view name) const {
  const Json* found = find(name);
  return found != nullptr && found->kind == Kind::kBoolean && found->text == "true";
}

void Json::set(std::string_view name, Json value) {
  for (auto& [known, member] : members) {
    if (known != name) continue;
    member = std::move(value);
    return;
  }
  members.emplace_back(name, std::move(value));
}

Result<Json> parse_json(std::string_view text) {
  Builder built;
  std::unique_ptr<yajl_handle_t, FreeParser> parser(
      yajl_alloc(&kCallbacks, oci::json::memory(), &built));
  yajl_status status = yajl_parse(parser.get(), bytes_of(text), text.size());
  if (status == yajl_status_ok) status = yajl_complete_parse(parser.get());
  if (status == yajl_status_ok && built.started) return std::move(built.root);
  const size_t read = std::min(yajl_get_bytes_consumed(parser.get()), text.size());
  const auto line = std::ranges::count(text.substr(0, read), '\n') + 1;
  if (status == yajl_status_client_canceled)
    return refuse(cat("line ", line, ": nested too deeply"));
  return refuse(cat("line ", line, ": this is not JSON"));
}

std::string write_json(const Json& value) {
  std::unique_ptr<yajl_gen_t, FreeWriter> generator(yajl_gen_alloc(oci::json::memory()));
  write(generator.get(), value);
  const unsigned char* bytes = nullptr;
  size_t size = 0;
  yajl_gen_get_buf(generator.get(), &bytes, &size);
  return bytes != nullptr ? text_of(bytes, size) : std::string();
}

}  // namespace ocirt::net
