// Programs that the caller wants us to talk to: what receives a terminal (--console-socket) or a
// pidfd (--pidfd-socket), and a seccomp agent (linux.seccomp.listenerPath). One that listens and is
// stuck has a queue that is full, in which connect(2) would wait without end, with the container
// half made and, at a start, its state locked.
#pragma once

namespace ocirt::container {

// How long such a program may take to accept a connection, and to read what it is sent.
inline constexpr int kPeerLimitMs = 10'000;

}  // namespace ocirt::container
