// google.protobuf.Any: bytes with the name of what they are. containerd writes the bare name of a
// protobuf message, or, for JSON documents of the runtime specification, a path.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/base/text.h"
#include "src/wire/messages.h"

namespace ocirt::wire {

// The names of messages that travel in an Any.
template <class M>
inline constexpr std::string_view kTypeUrl{};
template <>
inline constexpr std::string_view kTypeUrl<RuncOptions> = "containerd.runc.v1.Options";
template <>
inline constexpr std::string_view kTypeUrl<CheckpointOptions> =
    "containerd.runc.v1.CheckpointOptions";
template <>
inline constexpr std::string_view kTypeUrl<ProcessDetails> = "containerd.runc.v1.ProcessDetails";
template <>
inline constexpr std::string_view kTypeUrl<RuntimeOptions> = "runtimeoptions.v1.Options";
template <>
inline constexpr std::string_view kTypeUrl<CreateOptions> = "containerd.linux.runc.CreateOptions";
template <>
inline constexpr std::string_view kTypeUrl<PodSandboxConfig> = "runtime.v1.PodSandboxConfig";
template <>
inline constexpr std::string_view kTypeUrl<StreamInit> =
    "containerd.services.streaming.v1.StreamInit";
template <>
inline constexpr std::string_view kTypeUrl<StreamData> = "containerd.types.transfer.Data";
template <>
inline constexpr std::string_view kTypeUrl<WindowUpdate> = "containerd.types.transfer.WindowUpdate";
template <>
inline constexpr std::string_view kTypeUrl<v1::Metrics> = "io.containerd.cgroups.v1.Metrics";
template <>
inline constexpr std::string_view kTypeUrl<v2::Metrics> = "io.containerd.cgroups.v2.Metrics";
template <>
inline constexpr std::string_view kTypeUrl<TaskCreate> = "containerd.events.TaskCreate";
template <>
inline constexpr std::string_view kTypeUrl<TaskStart> = "containerd.events.TaskStart";
template <>
inline constexpr std::string_view kTypeUrl<TaskDelete> = "containerd.events.TaskDelete";
template <>
inline constexpr std::string_view kTypeUrl<TaskExit> = "containerd.events.TaskExit";
template <>
inline constexpr std::string_view kTypeUrl<TaskOOM> = "containerd.events.TaskOOM";
template <>
inline constexpr std::string_view kTypeUrl<TaskExecAdded> = "containerd.events.TaskExecAdded";
template <>
inline constexpr std::string_view kTypeUrl<TaskExecStarted> = "containerd.events.TaskExecStarted";
template <>
inline constexpr std::string_view kTypeUrl<TaskPaused> = "containerd.events.TaskPaused";
template <>
inline constexpr std::string_view kTypeUrl<TaskResumed> = "containerd.events.TaskResumed";
template <>
inline constexpr std::string_view kTypeUrl<TaskCheckpointed> = "containerd.events.TaskCheckpointed";

// JSON documents of the runtime specification (oci::Spec, oci::Process, ...).
inline constexpr std::string_view kSpecUrl =
    "types.containerd.io/opencontainers/runtime-spec/1/Spec";
inline constexpr std::string_view kProcessUrl =
    "types.containerd.io/opencontainers/runtime-spec/1/Process";
inline constexpr std::string_view kLinuxResourcesUrl =
    "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";
inline constexpr std::string_view kFeaturesUrl =
    "types.containerd.io/opencontainers/runtime-spec/1/features/Features";
// The resolved pod of ocirt-pod, as pod.json has it.
inline constexpr std::string_view kPodUrl = "ocirt.pod.v1.Pod";

// Whether the Any is there and says that it is of this type; "type.googleapis.com/", which some
// writers put in front, is passed over.
bool is_a(const Any* any, std::string_view type_url);

// An Any to be written, with what it holds: keep it for as long as the Any is used.
struct AnyValue {
  std::string type_url, bytes;
  // Borrows from this.
  Any lend() const {
    Any any = blank<Any>();
    any.type_url = wire::lend(type_url);
    any.value = lend_bytes(bytes);
    return any;
  }
};
template <Message M>
AnyValue any_of(const M& message) {
  static_assert(!kTypeUrl<M>.empty(), "this message has no row above");
  return {std::string(kTypeUrl<M>), pack(message)};
}

// The message that an Any holds; refuses one of another type.
template <Message M>
Result<Owned<M>> parse_any(const Any* any) {
  static_assert(!kTypeUrl<M>.empty(), "this message has no row above");
  if (!is_a(any, kTypeUrl<M>)) {
    return refuse(cat("expected ", kTypeUrl<M>, ", not ",
                      any == nullptr ? "nothing" : std::string_view(any->type_url)));
  }
  return parse<M>(view(any->value));
}

}  // namespace ocirt::wire
