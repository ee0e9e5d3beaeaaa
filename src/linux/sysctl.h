// Which kernel parameters a container may set (config-linux.md, "Sysctl"; sysctl(8), sysctl.d(5)).
//
// Most of /proc/sys belongs to the whole machine. Only parameters that a namespace of the
// container's own keeps apart may be written, so a configuration cannot change the host.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace ocirt {

// Which namespaces the container does not share with the runtime, new or joined.
struct SysctlScope {
  bool ipc = false;
  bool network = false;  // a joined namespace that is the runtime's own counts as shared
  bool uts = false;
  bool user = false;
  bool domainname_set = false;  // the configuration has `domainname`, which would be overwritten
};

// Accepts the key or says why not. Known:
//   kernel.msg{max,mnb,mni}, kernel.sem, kernel.shm{all,max,mni,_rmid_forced}, fs.mqueue.*   ipc
//   net.*                                                                                   network
//   kernel.domainname (kernel.hostname has the property `hostname` and is refused)          uts
//   user.*                                                                                  user
Result<> check_sysctl(std::string_view key, const SysctlScope& scope);

// The dots form of a key: "net/ipv4/conf/eth0.100/forwarding" is
// "net.ipv4.conf.eth0/100.forwarding". The first separator decides which form it is; in either form
// the other one is a literal.
std::string sysctl_name(std::string_view key);

// The path below /proc/sys: "net.ipv4.conf.eth0/100.forwarding" is
// "net/ipv4/conf/eth0.100/forwarding". Error for an empty key, an empty part, "." and "..", and a
// NUL byte.
Result<std::string> sysctl_path(std::string_view key);

}  // namespace ocirt
