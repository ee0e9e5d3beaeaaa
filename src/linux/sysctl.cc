// Which parameter belongs to which namespace is the kernel's choice: ipc/ipc_sysctl.c and
// ipc/mq_sysctl.c register their tables per ipc namespace, net/ per network namespace,
// kernel/utsname_sysctl.c per uts namespace, kernel/ucount.c ("user.max_*") per user namespace.
#include "src/linux/sysctl.h"

#include "src/base/names.h"
#include "src/base/text.h"

namespace ocirt {
namespace {

struct Nothing {};
constexpr Name<Nothing> kIpcKeys[] = {
    {"kernel.msgmax", {}}, {"kernel.msgmnb", {}},          {"kernel.msgmni", {}},
    {"kernel.sem", {}},    {"kernel.shm_rmid_forced", {}}, {"kernel.shmall", {}},
    {"kernel.shmmax", {}}, {"kernel.shmmni", {}},
};
static_assert(sorted(kIpcKeys));

std::unexpected<Error> needs(std::string_view key, std::string_view ns) {
  return refuse(cat("sysctl ", quoted(key), " would change the host: it needs a ", ns,
                    " namespace of the container's own in linux.namespaces"));
}

char swapped(char c) {
  if (c == '.') return '/';
  if (c == '/') return '.';
  return c;
}

}  // namespace

std::string sysctl_name(std::string_view key) {
  std::string name(key);
  size_t first = name.find_first_of("./");
  if (first == std::string::npos || name[first] == '.') return name;
  for (char& c : name) c = swapped(c);
  return name;
}

Result<std::string> sysctl_path(std::string_view key) {
  // A path is the slashes form: what is a separator in the dots form becomes one of the path.
  std::string path = sysctl_name(key);
  for (char& c : path) c = swapped(c);
  if (path.find('\0') != std::string::npos) {
    return refuse(cat("sysctl ", quoted(key), " contains a NUL byte"));
  }
  for (std::string_view part : split(path, '/')) {
    if (part.empty() || part == "." || part == "..") {
      return refuse(cat("sysctl ", quoted(key), " is not a key: it has the part ", quoted(part),
                        "; write it as net.ipv4.ip_forward or net/ipv4/ip_forward"));
    }
  }
  return path;
}

Result<> check_sysctl(std::string_view key, const SysctlScope& scope) {
  TRY(sysctl_path(key));  // first, so that "net/../kernel/core_pattern" is not taken for a net key
  std::string name = sysctl_name(key);
  std::string_view view = name;
  if (find(kIpcKeys, view) || view.starts_with("fs.mqueue.")) {
    if (!scope.ipc) return needs(key, "ipc");
    return {};
  }
  if (view.starts_with("net.")) {
    if (!scope.network) return needs(key, "network");
    return {};
  }
  if (view.starts_with("user.")) {
    if (!scope.user) return needs(key, "user");
    return {};
  }
  if (view == "kernel.hostname") {
    return refuse(cat("sysctl ", quoted(key), " conflicts with the property hostname: use that"));
  }
  if (view == "kernel.domainname") {
    if (!scope.uts) return needs(key, "uts");
    if (scope.domainname_set) {
      return refuse(cat("sysctl ", quoted(key),
                        " conflicts with the property domainname: keep one of the two"));
    }
    return {};
  }
  return refuse(cat("sysctl ", quoted(key),
                    " is not in a separate kernel namespace, so it would change the whole host"));
}

}  // namespace ocirt
