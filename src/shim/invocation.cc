#include "src/shim/invocation.h"

#include <optional>

#include "src/base/text.h"
#include "src/container/store.h"

namespace ocirt::shim {
namespace {

constexpr std::string_view kPrefix = "containerd-shim-";

Result<Action> action_of(std::string_view word) {
  if (word == "start") return Action::kStart;
  if (word == "delete") return Action::kDelete;
  return refuse(cat("unknown action ", quoted(word), ", expected start or delete"));
}

Result<> check(const Invocation& call) {
  if (call.action != Action::kStart && call.action != Action::kDelete) return {};
  if (call.name_space.empty()) return refuse("-namespace is missing");
  if (call.id.empty()) return refuse("-id is missing");
  TRY(within("-namespace", container::check_id(call.name_space)));
  return within("-id", container::check_id(call.id));
}

}  // namespace

bool is_containerds(std::string_view program, std::span<const char* const> words) {
  if (const size_t slash = program.rfind('/'); slash != std::string_view::npos)
    program.remove_prefix(slash + 1);
  if (program.starts_with(kPrefix)) return true;
  for (std::string_view word : words) {
    if (word.size() > 1 && word[0] == '-' && word[1] != '-') return true;
  }
  return false;
}

Result<Invocation> parse_invocation(std::span<const char* const> words) {
  Invocation call;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (!word.starts_with("-")) {
      if (call.action != Action::kNone) return refuse(cat("unexpected word ", quoted(word)));
      call.action = TRY(action_of(word));
      continue;
    }
    std::string_view name = word.substr(word.starts_with("--") ? 2 : 1);
    std::optional<std::string_view> value;
    if (const size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    const bool on = !value || *value == "true" || *value == "1";
    if (name == "debug") {
      call.debug = on;
      continue;
    }
    if (name == "v" || name == "version" || name == "info") {
      if (on) call.action = name == "info" ? Action::kInfo : Action::kVersion;
      continue;
    }
    std::string* text = name == "namespace"        ? &call.name_space
                        : name == "id"             ? &call.id
                        : name == "address"        ? &call.address
                        : name == "publish-binary" ? &call.publish_binary
                        : name == "bundle"         ? &call.bundle
                                                   : nullptr;
    if (text == nullptr) return refuse(cat("unknown flag ", quoted(word)));
    if (!value) {
      if (++i == words.size()) return refuse(cat("-", name, ": a value is missing"));
      value = words[i];
    }
    *text = *value;
  }
  TRY(check(call));
  return call;
}

}  // namespace ocirt::shim
