#include "src/linux/rlimits.h"

#include <sys/resource.h>

#include <array>

#include "src/base/names.h"
#include "src/base/text.h"

namespace ocirt {
namespace {

// RLIMIT_* of glibc are enumerators whose numbers differ between architectures.
constexpr Name<int> kRlimits[] = {
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
};
static_assert(sorted(kRlimits));
static_assert(std::size(kRlimits) == RLIM_NLIMITS);

constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kRlimits)> names;
  for (size_t i = 0; i < names.size(); ++i) names[i] = kRlimits[i].name;
  return names;
}();

}  // namespace

Result<int> rlimit_number(std::string_view name) {
  if (auto number = find(kRlimits, name)) return *number;
  std::string text = cat("unknown resource limit ", quoted(name), ": use one of ");
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (i != 0) text += ", ";
    text += kNames[i];
  }
  return refuse(std::move(text));
}

std::string_view rlimit_name(int number) {
  for (const auto& row : kRlimits) {
    if (row.value == number) return row.name;
  }
  return {};
}

std::span<const std::string_view> known_rlimits() { return kNames; }

}  // namespace ocirt
