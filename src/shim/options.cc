#include "src/shim/options.h"

#include <cerrno>
#include <optional>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::shim {
namespace {

Result<> check_binary(std::string_view path) {
  if (const size_t slash = path.rfind('/'); slash != std::string_view::npos)
    path.remove_prefix(slash + 1);
  if (path.empty() || path.starts_with("ocirt")) return {};
  return refuse(cat("not supported: BinaryName ", quoted(path),
                    ": this shim is the runtime itself; leave it out"));
}

template <class Message>
RuntimeOptions common(const Message& message) {
  RuntimeOptions options;
  options.shim_cgroup = message.shim_cgroup;
  options.no_pivot = message.no_pivot_root != 0;
  options.no_new_keyring = message.no_new_keyring != 0;
  options.io_uid = message.io_uid;
  options.io_gid = message.io_gid;
  return options;
}

// A value without the comment behind it. Texts of TOML with escapes are not taken apart: paths that
// need them are refused.
Result<std::string_view> text_value(std::string_view value) {
  const char quote = value.empty() ? '\0' : value[0];
  if (quote != '"' && quote != '\'') return refuse("expected a text in quotation marks");
  const size_t end = value.find(quote, 1);
  if (end == std::string_view::npos) return refuse("the text has no end");
  const std::string_view inside = value.substr(1, end - 1);
  if (quote == '"' && inside.find('\\') != std::string_view::npos)
    return refuse("not supported: a text with escapes");
  const std::string_view rest = trim(value.substr(end + 1));
  if (!rest.empty() && rest[0] != '#') return refuse("there is more behind the text");
  return inside;
}

std::string_view plain_value(std::string_view value) {
  return trim(value.substr(0, value.find('#')));
}

Result<bool> bool_value(std::string_view value) {
  const std::string_view word = plain_value(value);
  if (word != "true" && word != "false") return refuse("expected true or false");
  return word == "true";
}

Result<uint32_t> number_value(std::string_view value) {
  if (std::optional<uint32_t> number = to_number<uint32_t>(plain_value(value))) return *number;
  return refuse("expected a number");
}

// "systemdcgroup", of SystemdCgroup and systemd_cgroup alike.
std::string folded(std::string_view key) {
  std::string name;
  for (char c : key) {
    if (c == '_' || c == '"' || c == '\'') continue;
    name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name;
}

Result<> set_option(RuntimeOptions& options, std::string_view key, std::string_view value) {
  const std::string name = folded(key);
  bool* toggle = name == "systemdcgroup"  ? &options.systemd_cgroup
                 : name == "nopivotroot"  ? &options.no_pivot
                 : name == "nonewkeyring" ? &options.no_new_keyring
                                          : nullptr;
  if (toggle != nullptr) {
    *toggle = TRY(bool_value(value));
    return {};
  }
  uint32_t* number = name == "iouid"   ? &options.io_uid
                     : name == "iogid" ? &options.io_gid
                                       : nullptr;
  if (number != nullptr) {
    *number = TRY(number_value(value));
    return {};
  }
  std::string* text = name == "root"         ? &options.root
                      : name == "shimcgroup" ? &options.shim_cgroup
                                             : nullptr;
  if (text != nullptr) {
    *text = TRY(text_value(value));
    return {};
  }
  if (name == "binaryname") return check_binary(TRY(text_value(value)));
  // Of the envelope, and of checkpoints, which are refused where they are asked for.
  if (name == "typeurl" || name == "criuimagepath" || name == "criuworkpath") return {};
  return refuse("unknown option");
}

Result<RuntimeOptions> read_runc(const wire::RuncOptions& message) {
  TRY(check_binary(message.binary_name));
  RuntimeOptions options = common(message);
  options.root = message.root;
  options.systemd_cgroup = message.systemd_cgroup != 0;
  return options;
}

Result<RuntimeOptions> read_generic(const wire::RuntimeOptions& message) {
  const std::string_view body = wire::view(message.config_body);
  if (!body.empty()) return read_toml_options(body);
  if (message.config_path[0] == '\0') return RuntimeOptions();
  const std::string text =
      TRY(within("ConfigPath", sys::read_file(sys::kCwd, message.config_path)));
  return within(message.config_path, read_toml_options(text));
}

}  // namespace

Result<RuntimeOptions> read_toml_options(std::string_view text) {
  RuntimeOptions options;
  for (size_t number = 1; std::optional<std::string_view> line = next_line(text); ++number) {
    const std::string_view words = trim(*line);
    if (words.empty() || words[0] == '#') continue;
    const size_t equals = words.find('=');
    if (words[0] == '[' || equals == std::string_view::npos)
      return refuse(cat("line ", number, ": expected KEY = VALUE, found ", quoted(words)));
    const std::string_view key = trim(words.substr(0, equals));
    TRY(within(cat("line ", number, ": ", key),
               set_option(options, key, trim(words.substr(equals + 1)))));
  }
  return options;
}

Result<RuntimeOptions> read_options(const wire::Any* any) {
  if (any == nullptr || any->type_url[0] == '\0') return RuntimeOptions();
  auto read = [&]() -> Result<RuntimeOptions> {
    if (wire::is_a(any, wire::kTypeUrl<wire::RuncOptions>))
      return read_runc(*TRY(wire::parse_any<wire::RuncOptions>(any)));
    if (wire::is_a(any, wire::kTypeUrl<wire::RuntimeOptions>))
      return read_generic(*TRY(wire::parse_any<wire::RuntimeOptions>(any)));
    if (wire::is_a(any, wire::kTypeUrl<wire::CreateOptions>))
      return common(*TRY(wire::parse_any<wire::CreateOptions>(any)));
    return refuse(cat("not supported: options of type ", quoted(any->type_url)));
  };
  return within("options", read());
}

}  // namespace ocirt::shim
