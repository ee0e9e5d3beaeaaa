#include "src/linux/rlimits.h"

#include <sys/resource.h>

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

}  // namespace

Result<int> rlimit_number(std::string_view name) {
  if (auto number = find(kRlimits, name)) return *number;
  std::string text = cat("unknown resource limit ", quoted(name), ": use one of ");
  for (const auto& row : kRlimits) {
    if (&row != kRlimits) text += ", ";
    text += row.name;
  }
  return refuse(std::move(text));
}

}  // namespace ocirt
