// What is known of a container between two commands: STATE_ROOT/ID/state.json. It holds what cannot
// be derived; the status is never in it, because only the kernel knows that (status.h).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "oci-spec/map.h"
#include "src/base/result.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/systemd.h"
#include "src/linux/resctrl.h"

namespace ocirt::container {

struct Record {
  std::string oci_version;  // of the bundle's config.json
  std::string id;
  pid_t pid = 0;  // of init in this pid namespace; 0 until it has been made
  uint64_t start_time =
      0;                // of init (sys::ProcessStat); with the pid it names the process for good
  std::string bundle;   // absolute
  std::string rootfs;   // absolute
  std::string created;  // RFC 3339 with nanoseconds, UTC
  uint32_t owner = 0;   // uid that created it
  bool own_pid_namespace = true;  // init's end is the end of all its processes
  bool user_namespace = false;    // another one than ours
  bool shares_mounts = false;   // our mount namespace, in which its root is mounted (host_root.h),
  uint64_t root_mount = 0;      // as this mount; 0 until it has been made
  bool time_namespace = false;  // maybe another one than ours
  bool no_new_privileges = false;
  bool new_keyring = false;      // a session keyring of its own
  bool plain = false;            // config.json has neither hooks nor a filter
  bool exec_inherits = false;    // config.json has something for every process (exec_settings.h)
  std::string seccomp_receiver;  // listenerPath, where config.json does not say it; empty: none
  oci::Map<std::string> annotations;
  cgroup::Location cgroup;
  std::string systemd_v1;                 // its cgroup of that hierarchy beside v2; empty: none
  std::optional<resctrl::Group> resctrl;  // absent: none
  std::optional<cgroup::Unit> unit;       // of systemd, which made the cgroup; absent: we did

  bool operator==(const Record&) const = default;
};

// As one JSON document, and back. A document that this version cannot read is an error that says
// so.
std::string write_record(const Record& record);
Result<Record> read_record(std::string_view json);

}  // namespace ocirt::container
