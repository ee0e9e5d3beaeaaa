// AppArmor and SELinux: whether this host has them, and what a configuration may ask of them
// (config.md, `apparmorProfile`, `selinuxLabel`; config-linux.md, "Mount Label"). A profile that
// nobody enforces is refused before anything is made, as runc has it: who asked for it relies on
// it.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace ocirt {

struct SecurityModules {
  bool apparmor = false;
  bool selinux = false;  // with a policy: without one the kernel takes no labels
};

// Looks below `sys`, where the kernel's sysfs is. Whatever cannot be read is not there.
SecurityModules security_modules(const std::string& sys = "/sys");

// Errors name `property` ("process.apparmorProfile"). "unconfined" asks for nothing and is fine
// without AppArmor too.
Result<> check_apparmor(const SecurityModules& modules, std::string_view profile,
                        std::string_view property);
// Blanks, quotes and control characters are in no label, and could end one in a mount's options.
Result<> check_selinux(const SecurityModules& modules, std::string_view label,
                       std::string_view property);

// Whether a new file system of this type takes the mount option context=. The kernel labels proc,
// sysfs and cgroups itself; the root of an mqueue is labelled afterwards (needs_root_label).
bool takes_context(std::string_view filesystem);
bool needs_root_label(std::string_view filesystem);

// The mount option: quoted, because labels have commas. `type` is context, fscontext, defcontext or
// rootcontext (mount(8), "context=").
std::string context_option(std::string_view label, std::string_view type = "context");

}  // namespace ocirt
