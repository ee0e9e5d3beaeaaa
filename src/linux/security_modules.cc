#include "src/linux/security_modules.h"

#include <linux/magic.h>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt {
namespace {

// The file systems that the kernel labels by itself, or not at all.
constexpr std::string_view kLabelledByTheKernel[] = {"cgroup", "cgroup2", "mqueue", "proc",
                                                     "sysfs"};

}  // namespace

SecurityModules security_modules(const std::string& sys) {
  SecurityModules modules;
  Result<std::string> enabled =
      sys::read_file(sys::kCwd, cat(sys, "/module/apparmor/parameters/enabled"));
  modules.apparmor = enabled && enabled->starts_with('Y');
  Result<uint64_t> type = sys::filesystem_type(cat(sys, "/fs/selinux"));
  if (type && *type == SELINUX_MAGIC) {
    // Before a policy is loaded everything is "kernel".
    Result<std::string> own = sys::read_file(sys::kCwd, "/proc/self/attr/current");
    modules.selinux = own && own->find(':') != std::string::npos;
  }
  return modules;
}

Result<> check_apparmor(const SecurityModules& modules, std::string_view profile,
                        std::string_view property) {
  if (modules.apparmor || profile == "unconfined") return {};
  return refuse(cat("not supported: ", property, ": ", quoted(profile),
                    " is asked for, but AppArmor is not enabled on this host"));
}

Result<> check_selinux(const SecurityModules& modules, std::string_view label,
                       std::string_view property) {
  for (char c : label) {
    if (c <= ' ' || c == '"' || c == '\\' || c == '\x7f') {
      return refuse(cat(property, ": ", quoted(label), " is no label, such as user:role:type:s0"));
    }
  }
  if (modules.selinux) return {};
  return refuse(cat("not supported: ", property, ": ", quoted(label),
                    " is asked for, but SELinux is not enabled on this host"));
}

bool takes_context(std::string_view filesystem) {
  for (std::string_view name : kLabelledByTheKernel) {
    if (filesystem == name) return false;
  }
  return true;
}

bool needs_root_label(std::string_view filesystem) { return filesystem == "mqueue"; }

std::string context_option(std::string_view label, std::string_view type) {
  return cat(type, "=\"", label, "\"");
}

}  // namespace ocirt
