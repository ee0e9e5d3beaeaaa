#include "src/shim/rdma_metrics.h"

#include <algorithm>
#include <optional>

#include "src/base/text.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::shim {
namespace {

std::optional<uint32_t> number_of(std::string_view text) {
  if (text == "max") return UINT32_MAX;
  return to_number<uint32_t>(text);
}

std::optional<RdmaDevice> parse_line(std::string_view line) {
  const auto words = split(line, ' ');
  RdmaDevice device{.name = std::string(words.front())};
  if (words.size() < 2) return std::nullopt;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const std::optional<uint32_t> number = number_of(word.substr(equals + 1));
    if (!number) return std::nullopt;
    const std::string_view resource = word.substr(0, equals);
    if (resource == "hca_handle") device.handles = *number;
    if (resource == "hca_object") device.objects = *number;
  }
  return device;
}

}  // namespace

std::vector<RdmaDevice> parse_rdma(std::string_view text) {
  std::vector<RdmaDevice> devices;
  for (std::string_view line : split(text, '\n')) {
    if (auto device = parse_line(line)) devices.push_back(std::move(*device));
  }
  return devices;
}

RdmaUse read_rdma(const cgroup::Location& location) {
  const cgroup::Directory* directory = cgroup::v1_directory(location, "rdma");
  if (directory == nullptr) directory = cgroup::v2_directory(location);
  if (directory == nullptr) return {};
  const auto read = [&](std::string_view file) {
    auto text = sys::read_control(sys::kCwd, cat(directory->path, "/", file));
    return text ? parse_rdma(*text) : std::vector<RdmaDevice>();
  };
  RdmaUse use{.current = read("rdma.current"), .limit = {}};
  if (!use.current.empty()) use.limit = read("rdma.max");
  return use;
}

}  // namespace ocirt::shim
