#include "src/linux/notify.h"

#include <algorithm>

#include "src/base/names.h"
#include "src/base/text.h"

namespace ocirt {
namespace {

constexpr size_t kMostStatus = 256;   // bytes that `systemctl status` shows of a container's words
constexpr size_t kMostAddress = 107;  // bytes of sun_path

bool is_one(std::string_view value) { return value == "1"; }

bool is_number(std::string_view value) {
  return !value.empty() && value.size() <= 20 &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// No control characters: they would reach terminals and logs.
bool is_status(std::string_view value) {
  return value.size() <= kMostStatus && std::all_of(value.begin(), value.end(), [](char c) {
           return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
         });
}

constexpr Name<bool (*)(std::string_view)> kAdmissible[] = {
    {"ERRNO", is_number},          {"EXTEND_TIMEOUT_USEC", is_number},
    {"MONOTONIC_USEC", is_number}, {"READY", is_one},
    {"RELOADING", is_one},         {"STATUS", is_status},
    {"STOPPING", is_one},          {"WATCHDOG", is_one},
};
static_assert(sorted(kAdmissible));

}  // namespace

Notification admissible(std::string_view message) {
  Notification wanted;
  while (std::optional<std::string_view> line = next_line(message)) {
    const size_t equals = line->find('=');
    if (equals == std::string_view::npos) continue;
    const auto check = find(kAdmissible, line->substr(0, equals));
    if (!check || !(*check)(line->substr(equals + 1))) continue;
    wanted.text += cat(wanted.text.empty() ? "" : "\n", *line);
    wanted.ready |= *line == "READY=1";
  }
  return wanted;
}

Result<std::string> notify_directory(std::string_view address) {
  const bool is_path = address.starts_with('/');
  if (!is_path && !address.starts_with('@')) {
    return refuse(cat("not supported: NOTIFY_SOCKET=", quoted(address),
                      ": expected the path of a UNIX socket, or @ and an abstract name"));
  }
  if (address.size() < 2 || address.size() > kMostAddress) {
    return refuse(cat("NOTIFY_SOCKET=", quoted(address), ": no socket has an address like this"));
  }
  std::string path = is_path ? clean_path(address) : std::string();
  if (path == "/") return refuse("NOTIFY_SOCKET: expected a socket, found the root directory");
  if (!is_path || path.starts_with("/run/systemd/")) return "/run/notify";
  return path;
}

}  // namespace ocirt
