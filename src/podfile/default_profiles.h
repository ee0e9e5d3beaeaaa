// What a container may do that says nothing about it: the capabilities that Kubernetes' runtimes
// give, and the seccomp profile RuntimeDefault.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/seccomp.h"

namespace ocirt::podfile {

std::span<const std::string_view> default_capabilities();

// The profile for a process with these capabilities ("CAP_..."): every call that an ordinary
// program makes, and of those that change the system the ones that its capabilities are for.
oci::Seccomp default_seccomp(const std::vector<std::string>& capabilities);

}  // namespace ocirt::podfile
