// The contents of a pod's hosts and resolv.conf. Pure: what the host's files say is handed in.
#pragma once

#include <string>
#include <string_view>

#include "src/podfile/manifest.h"

namespace ocirt::podfile {

// localhost and hostAliases; the pod's own line comes when it has an address. With hostNetwork the
// host's file comes first.
std::string hosts_text(const manifest::PodSpec& spec, std::string_view of_host);

// By dnsPolicy and dnsConfig. There is no cluster: ClusterFirst is Default, the host's file.
// Servers on the host's loopback are left out, which the pod's own loopback cannot reach, unless
// the network is the host's.
std::string resolv_text(const manifest::PodSpec& spec, std::string_view of_host);

}  // namespace ocirt::podfile
