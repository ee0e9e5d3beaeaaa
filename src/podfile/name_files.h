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

// Whether a resolv.conf has name servers, and all of them on the loopback: systemd-resolved's,
// which writes down elsewhere whom it asks itself.
bool has_only_local_servers(std::string_view resolv_conf);

}  // namespace ocirt::podfile
