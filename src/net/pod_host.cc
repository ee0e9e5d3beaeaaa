#include "src/net/pod_host.h"

#include <cerrno>
#include <ranges>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::net {
namespace {

constexpr std::string_view kProc = "/proc/sys/";
constexpr std::string_view kForward4 = "net/ipv4/ip_forward";
constexpr std::string_view kForward6 = "net/ipv6/conf/all/forwarding";
constexpr std::string_view kDevices6 = "net/ipv6/conf";

// Empty where there is no such value. Any other failure is one: a value that was taken for absent
// would not be put back.
Result<std::string> read_value(std::string_view path) {
  const Result<std::string> text = sys::read_file(sys::kCwd, cat(kProc, path));
  if (text) return std::string(trim(*text));
  if (text.error().code == ENOENT) return std::string();
  return std::unexpected(text.error());
}

std::string value_of(std::string_view path) { return read_value(path).value_or(""); }

Result<> need(std::vector<HostValue>& values, std::string_view path, std::string_view wanted) {
  std::string before = TRY(read_value(path));
  if (before != wanted) {
    values.push_back({std::string(path), std::move(before), std::string(wanted)});
  }
  return {};
}

Result<> keep_listening(std::vector<HostValue>& values) {
  for (const std::string& device : TRY(sys::list_directory(sys::kCwd, cat(kProc, kDevices6)))) {
    if (device == "all" || device == "default" || device == "lo") continue;
    const std::string path = cat(kDevices6, "/", device, "/accept_ra");
    const std::string listens = TRY(read_value(path));
    if (listens == "1") values.push_back({path, "1", "2"});
  }
  return {};
}

}  // namespace

bool has_ipv6() {
  if (!sys::exists(sys::kCwd, cat(kProc, kForward6))) return false;
  for (std::string_view device : {"all", "default"}) {
    if (value_of(cat(kDevices6, "/", device, "/disable_ipv6")) == "1") return false;
  }
  return true;
}

Result<std::vector<HostValue>> needed_values(bool v6) {
  std::vector<HostValue> values;
  TRY(need(values, kForward4, "1"));
  if (!v6 || value_of(kForward6) == "1") return values;
  TRY(keep_listening(values));
  TRY(need(values, kForward6, "1"));
  return values;
}

Result<> set_values(const std::vector<HostValue>& values) {
  for (const HostValue& value : values) {
    TRY(within("let the host forward packets",
               sys::write_control(sys::kCwd, cat(kProc, value.path), value.now)));
  }
  return {};
}

Result<> restore_values(const std::vector<HostValue>& values) {
  Result<> first;
  for (const HostValue& value : std::views::reverse(values)) {
    if (value.before.empty()) continue;
    const Result<std::string> now = read_value(value.path);
    if (now && *now != value.now) continue;
    Result<> restored = sys::write_control(sys::kCwd, cat(kProc, value.path), value.before);
    if (!restored && first) first = std::move(restored);
  }
  return first;
}

Result<> set_device_value(std::string_view family, std::string_view device, std::string_view name,
                          std::string_view value) {
  const std::string path = cat("/proc/sys/net/", family, "/conf/", device, "/", name);
  return sys::write_control(sys::kCwd, path, value);
}

Result<> tame_ipv6(std::string_view device) {
  TRY(set_device_value("ipv6", device, "accept_dad", "0"));
  return set_device_value("ipv6", device, "accept_ra", "0");
}

std::vector<std::string> notes_about(const std::vector<HostValue>& values) {
  std::vector<std::string> notes;
  for (const HostValue& value : values) {
    if (value.path != kForward4 && value.path != kForward6) continue;
    std::string name = value.path;
    for (char& c : name) {
      if (c == '/') c = '.';
    }
    notes.push_back(cat("the host forwards packets now: ", name, " was ", value.before, " and is ",
                        value.now, " until the last pod is gone"));
  }
  return notes;
}

}  // namespace ocirt::net
