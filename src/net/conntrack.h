// What the kernel remembers of connections (conntrack): a UDP client that goes on sending keeps
// being sent where its first packet went, to a pod that is gone, or to nobody, whatever the rules
// say now. TCP notices by itself.
//
// Best effort: a kernel without ctnetlink forgets after 30 seconds of silence.
#pragma once

#include "src/net/pod_request.h"
#include "src/net/subnet.h"

namespace ocirt::net {

// Everything that is answered by this address.
void forget_pod(const Subnet& address);

// What has been sent to a port that is published from now on and has not been translated. For UDP;
// nothing is done for others.
void forget_port(const PodPort& port);

}  // namespace ocirt::net
