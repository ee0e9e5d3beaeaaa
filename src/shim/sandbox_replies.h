// What both Sandbox services have in common: that of ocirt-pod's pods (sandbox_service.h) and that
// of pods through CRI (cri_sandbox.h). A connection meets one of them.
#pragma once

#include "src/base/result.h"
#include "src/shim/runtime.h"
#include "src/wire/server.h"
#include "src/wire/service.h"

namespace ocirt::shim {

// The methods of containerd's Sandbox service.
template <class Service>
inline constexpr wire::Method<Service> kSandboxMethods[] = {
    wire::method<&Service::create>("CreateSandbox"),
    wire::method<&Service::start>("StartSandbox"),
    wire::method<&Service::platform>("Platform"),
    wire::method<&Service::stop>("StopSandbox"),
    wire::method<&Service::wait>("WaitSandbox"),
    wire::method<&Service::status>("SandboxStatus"),
    wire::method<&Service::ping>("PingSandbox"),
    wire::method<&Service::shutdown>("ShutdownSandbox"),
    wire::method<&Service::metrics>("SandboxMetrics"),
};

// Refusals of ours have no errno value that says what they are; containerd shows the text.
void fail_sandbox(wire::Reply& reply, const Error& error);

// The answer to Platform: this machine.
void answer_platform(wire::Call& call);

// The answer to SandboxMetrics: what the worker has read, as of now, or why it could not.
void answer_metrics(wire::Reply& reply, const Result<Done>& done);

}  // namespace ocirt::shim
