// The lines of `events`: JSON in the form that runc gave them, since containerd's and other
// callers' decoders are written against it. Written by hand and not by rows (oci-spec/schema/):
// members that are 0 are left out or not one by one, and names of members come from the kernel.
#pragma once

#include <string>
#include <string_view>

#include "src/linux/cgroup/stats.h"

namespace ocirt::container {

// {"type":"stats","id":"ID","data":{...}} and a newline.
std::string stats_line(std::string_view id, const cgroup::Stats& stats);

// {"type":"oom","id":"ID"} and a newline.
std::string oom_line(std::string_view id);

}  // namespace ocirt::container
