// All messages: one row each gives the struct that protoc-c makes its name here. The fields are
// those of src/wire/*.proto, as protobuf-c lays them out: `char*` for texts, `ProtobufCBinaryData`
// for bytes, a pointer for a message in a message, `n_NAME` and a pointer to pointers for what is
// repeated (a map is that too: entries with key and value). Packages are short here: they are not
// on the wire.
#pragma once

#include "src/wire/bootstrap.pb-c.h"
#include "src/wire/cgroups_v1.pb-c.h"
#include "src/wire/cgroups_v2.pb-c.h"
#include "src/wire/cri.pb-c.h"
#include "src/wire/events.pb-c.h"
#include "src/wire/google.pb-c.h"
#include "src/wire/message.h"
#include "src/wire/options.pb-c.h"
#include "src/wire/sandbox.pb-c.h"
#include "src/wire/streaming.pb-c.h"
#include "src/wire/task.pb-c.h"
#include "src/wire/ttrpc.pb-c.h"
#include "src/wire/types.pb-c.h"

// clang-format off
#define OCIRT_MESSAGE(alias, type, prefix)                                            \
  using alias = ::type;                                                               \
  template <>                                                                         \
  struct MessageInfo<::type> {                                                        \
    static constexpr const ProtobufCMessageDescriptor* kDescriptor = &::prefix##__descriptor; \
    static constexpr std::string_view kName = #alias;                                 \
  }
// In a namespace inside of wire: two messages of different services have the same name.
#define OCIRT_MESSAGE_IN(space, alias, type, prefix)                                  \
  namespace space { using alias = ::type; }                                           \
  template <>                                                                         \
  struct MessageInfo<::type> {                                                        \
    static constexpr const ProtobufCMessageDescriptor* kDescriptor = &::prefix##__descriptor; \
    static constexpr std::string_view kName = #space "::" #alias;                     \
  }

namespace ocirt::wire {

// google.proto
OCIRT_MESSAGE(Any, Google__Any, google__any);
OCIRT_MESSAGE(Timestamp, Google__Timestamp, google__timestamp);
OCIRT_MESSAGE(Empty, Google__Empty, google__empty);

// types.proto
OCIRT_MESSAGE(Mount, Types__Mount, types__mount);
OCIRT_MESSAGE(Platform, Types__Platform, types__platform);
OCIRT_MESSAGE(Metric, Types__Metric, types__metric);
OCIRT_MESSAGE(ProcessInfo, Types__ProcessInfo, types__process_info);
OCIRT_MESSAGE(RuntimeVersion, Types__RuntimeVersion, types__runtime_version);
OCIRT_MESSAGE(RuntimeInfo, Types__RuntimeInfo, types__runtime_info);
OCIRT_MESSAGE(RuntimeInfoAnnotation, Types__RuntimeInfo__AnnotationsEntry,
              types__runtime_info__annotations_entry);

// task.proto
OCIRT_MESSAGE(CreateTaskRequest, Task__CreateTaskRequest, task__create_task_request);
OCIRT_MESSAGE(CreateTaskResponse, Task__CreateTaskResponse, task__create_task_response);
OCIRT_MESSAGE(StartRequest, Task__StartRequest, task__start_request);
OCIRT_MESSAGE(StartResponse, Task__StartResponse, task__start_response);
OCIRT_MESSAGE(DeleteRequest, Task__DeleteRequest, task__delete_request);
OCIRT_MESSAGE(DeleteResponse, Task__DeleteResponse, task__delete_response);
OCIRT_MESSAGE(ExecProcessRequest, Task__ExecProcessRequest, task__exec_process_request);
OCIRT_MESSAGE(ResizePtyRequest, Task__ResizePtyRequest, task__resize_pty_request);
OCIRT_MESSAGE(CloseIORequest, Task__CloseIORequest, task__close_iorequest);
OCIRT_MESSAGE(StateRequest, Task__StateRequest, task__state_request);
OCIRT_MESSAGE(StateResponse, Task__StateResponse, task__state_response);
OCIRT_MESSAGE(KillRequest, Task__KillRequest, task__kill_request);
OCIRT_MESSAGE(WaitRequest, Task__WaitRequest, task__wait_request);
OCIRT_MESSAGE(WaitResponse, Task__WaitResponse, task__wait_response);
OCIRT_MESSAGE(PidsRequest, Task__PidsRequest, task__pids_request);
OCIRT_MESSAGE(PidsResponse, Task__PidsResponse, task__pids_response);
OCIRT_MESSAGE(PauseRequest, Task__PauseRequest, task__pause_request);
OCIRT_MESSAGE(ResumeRequest, Task__ResumeRequest, task__resume_request);
OCIRT_MESSAGE(CheckpointTaskRequest, Task__CheckpointTaskRequest, task__checkpoint_task_request);
OCIRT_MESSAGE(UpdateTaskRequest, Task__UpdateTaskRequest, task__update_task_request);
OCIRT_MESSAGE(StatsRequest, Task__StatsRequest, task__stats_request);
OCIRT_MESSAGE(StatsResponse, Task__StatsResponse, task__stats_response);
OCIRT_MESSAGE(ConnectRequest, Task__ConnectRequest, task__connect_request);
OCIRT_MESSAGE(ConnectResponse, Task__ConnectResponse, task__connect_response);
OCIRT_MESSAGE(ShutdownRequest, Task__ShutdownRequest, task__shutdown_request);
OCIRT_MESSAGE(UpdateAnnotation, Task__UpdateTaskRequest__AnnotationsEntry,
              task__update_task_request__annotations_entry);

// sandbox.proto
OCIRT_MESSAGE(CreateSandboxRequest, Sandbox__CreateSandboxRequest, sandbox__create_sandbox_request);
OCIRT_MESSAGE(CreateSandboxResponse, Sandbox__CreateSandboxResponse,
              sandbox__create_sandbox_response);
OCIRT_MESSAGE(StartSandboxRequest, Sandbox__StartSandboxRequest, sandbox__start_sandbox_request);
OCIRT_MESSAGE(StartSandboxResponse, Sandbox__StartSandboxResponse, sandbox__start_sandbox_response);
OCIRT_MESSAGE(PlatformRequest, Sandbox__PlatformRequest, sandbox__platform_request);
OCIRT_MESSAGE(PlatformResponse, Sandbox__PlatformResponse, sandbox__platform_response);
OCIRT_MESSAGE(StopSandboxRequest, Sandbox__StopSandboxRequest, sandbox__stop_sandbox_request);
OCIRT_MESSAGE(StopSandboxResponse, Sandbox__StopSandboxResponse, sandbox__stop_sandbox_response);
OCIRT_MESSAGE(WaitSandboxRequest, Sandbox__WaitSandboxRequest, sandbox__wait_sandbox_request);
OCIRT_MESSAGE(WaitSandboxResponse, Sandbox__WaitSandboxResponse, sandbox__wait_sandbox_response);
OCIRT_MESSAGE(SandboxStatusRequest, Sandbox__SandboxStatusRequest, sandbox__sandbox_status_request);
OCIRT_MESSAGE(SandboxStatusResponse, Sandbox__SandboxStatusResponse,
              sandbox__sandbox_status_response);
OCIRT_MESSAGE(PingRequest, Sandbox__PingRequest, sandbox__ping_request);
OCIRT_MESSAGE(PingResponse, Sandbox__PingResponse, sandbox__ping_response);
OCIRT_MESSAGE(ShutdownSandboxRequest, Sandbox__ShutdownSandboxRequest,
              sandbox__shutdown_sandbox_request);
OCIRT_MESSAGE(ShutdownSandboxResponse, Sandbox__ShutdownSandboxResponse,
              sandbox__shutdown_sandbox_response);
OCIRT_MESSAGE(SandboxMetricsRequest, Sandbox__SandboxMetricsRequest,
              sandbox__sandbox_metrics_request);
OCIRT_MESSAGE(SandboxMetricsResponse, Sandbox__SandboxMetricsResponse,
              sandbox__sandbox_metrics_response);
OCIRT_MESSAGE(SandboxAnnotation, Sandbox__CreateSandboxRequest__AnnotationsEntry,
              sandbox__create_sandbox_request__annotations_entry);
OCIRT_MESSAGE(SandboxInfo, Sandbox__SandboxStatusResponse__InfoEntry,
              sandbox__sandbox_status_response__info_entry);

// cri.proto
OCIRT_MESSAGE(PodSandboxConfig, Cri__PodSandboxConfig, cri__pod_sandbox_config);
OCIRT_MESSAGE(DnsConfig, Cri__DNSConfig, cri__dnsconfig);
OCIRT_MESSAGE(PodIdMapping, Cri__IDMapping, cri__idmapping);
OCIRT_MESSAGE(PodUserNamespace, Cri__UserNamespace, cri__user_namespace);
OCIRT_MESSAGE(PodNamespaces, Cri__NamespaceOption, cri__namespace_option);
OCIRT_MESSAGE(PodSecurityContext, Cri__SecurityContext, cri__security_context);
OCIRT_MESSAGE(PodLinuxConfig, Cri__LinuxConfig, cri__linux_config);
OCIRT_MESSAGE(PodSysctl, Cri__LinuxConfig__SysctlsEntry, cri__linux_config__sysctls_entry);

// events.proto
OCIRT_MESSAGE(Envelope, Events__Envelope, events__envelope);
OCIRT_MESSAGE(ForwardRequest, Events__ForwardRequest, events__forward_request);
OCIRT_MESSAGE(TaskIO, Events__TaskIO, events__task_io);
OCIRT_MESSAGE(TaskCreate, Events__TaskCreate, events__task_create);
OCIRT_MESSAGE(TaskStart, Events__TaskStart, events__task_start);
OCIRT_MESSAGE(TaskDelete, Events__TaskDelete, events__task_delete);
OCIRT_MESSAGE(TaskExit, Events__TaskExit, events__task_exit);
OCIRT_MESSAGE(TaskOOM, Events__TaskOOM, events__task_oom);
OCIRT_MESSAGE(TaskExecAdded, Events__TaskExecAdded, events__task_exec_added);
OCIRT_MESSAGE(TaskExecStarted, Events__TaskExecStarted, events__task_exec_started);
OCIRT_MESSAGE(TaskPaused, Events__TaskPaused, events__task_paused);
OCIRT_MESSAGE(TaskResumed, Events__TaskResumed, events__task_resumed);
OCIRT_MESSAGE(TaskCheckpointed, Events__TaskCheckpointed, events__task_checkpointed);

// bootstrap.proto
OCIRT_MESSAGE(Extension, Bootstrap__Extension, bootstrap__extension);
OCIRT_MESSAGE(BootstrapParams, Bootstrap__BootstrapParams, bootstrap__bootstrap_params);
OCIRT_MESSAGE(BootstrapResult, Bootstrap__BootstrapResult, bootstrap__bootstrap_result);
OCIRT_MESSAGE(BootstrapMetadata, Bootstrap__BootstrapResult__MetadataEntry,
              bootstrap__bootstrap_result__metadata_entry);

// options.proto
OCIRT_MESSAGE(RuncOptions, Options__RuncOptions, options__runc_options);
OCIRT_MESSAGE(CheckpointOptions, Options__CheckpointOptions, options__checkpoint_options);
OCIRT_MESSAGE(ProcessDetails, Options__ProcessDetails, options__process_details);
OCIRT_MESSAGE(CreateOptions, Options__CreateOptions, options__create_options);
OCIRT_MESSAGE(RuntimeOptions, Options__RuntimeOptions, options__runtime_options);

// streaming.proto
OCIRT_MESSAGE(StreamInit, Streaming__StreamInit, streaming__stream_init);
OCIRT_MESSAGE(StreamData, Streaming__Data, streaming__data);
OCIRT_MESSAGE(WindowUpdate, Streaming__WindowUpdate, streaming__window_update);

// cgroups_v1.proto
OCIRT_MESSAGE_IN(v1, HugetlbStat, Cgroups__V1__HugetlbStat, cgroups__v1__hugetlb_stat);
OCIRT_MESSAGE_IN(v1, PidsStat, Cgroups__V1__PidsStat, cgroups__v1__pids_stat);
OCIRT_MESSAGE_IN(v1, CPUUsage, Cgroups__V1__CPUUsage, cgroups__v1__cpuusage);
OCIRT_MESSAGE_IN(v1, Throttle, Cgroups__V1__Throttle, cgroups__v1__throttle);
OCIRT_MESSAGE_IN(v1, CPUStat, Cgroups__V1__CPUStat, cgroups__v1__cpustat);
OCIRT_MESSAGE_IN(v1, MemoryEntry, Cgroups__V1__MemoryEntry, cgroups__v1__memory_entry);
OCIRT_MESSAGE_IN(v1, MemoryStat, Cgroups__V1__MemoryStat, cgroups__v1__memory_stat);
OCIRT_MESSAGE_IN(v1, MemoryOomControl, Cgroups__V1__MemoryOomControl,
              cgroups__v1__memory_oom_control);
OCIRT_MESSAGE_IN(v1, BlkIOEntry, Cgroups__V1__BlkIOEntry, cgroups__v1__blk_ioentry);
OCIRT_MESSAGE_IN(v1, BlkIOStat, Cgroups__V1__BlkIOStat, cgroups__v1__blk_iostat);
OCIRT_MESSAGE_IN(v1, RdmaEntry, Cgroups__V1__RdmaEntry, cgroups__v1__rdma_entry);
OCIRT_MESSAGE_IN(v1, RdmaStat, Cgroups__V1__RdmaStat, cgroups__v1__rdma_stat);
OCIRT_MESSAGE_IN(v1, Metrics, Cgroups__V1__Metrics, cgroups__v1__metrics);

// cgroups_v2.proto
OCIRT_MESSAGE_IN(v2, PSIData, Cgroups__V2__PSIData, cgroups__v2__psidata);
OCIRT_MESSAGE_IN(v2, PSIStats, Cgroups__V2__PSIStats, cgroups__v2__psistats);
OCIRT_MESSAGE_IN(v2, PidsStat, Cgroups__V2__PidsStat, cgroups__v2__pids_stat);
OCIRT_MESSAGE_IN(v2, CPUStat, Cgroups__V2__CPUStat, cgroups__v2__cpustat);
OCIRT_MESSAGE_IN(v2, MemoryStat, Cgroups__V2__MemoryStat, cgroups__v2__memory_stat);
OCIRT_MESSAGE_IN(v2, MemoryEvents, Cgroups__V2__MemoryEvents, cgroups__v2__memory_events);
OCIRT_MESSAGE_IN(v2, RdmaEntry, Cgroups__V2__RdmaEntry, cgroups__v2__rdma_entry);
OCIRT_MESSAGE_IN(v2, RdmaStat, Cgroups__V2__RdmaStat, cgroups__v2__rdma_stat);
OCIRT_MESSAGE_IN(v2, IOEntry, Cgroups__V2__IOEntry, cgroups__v2__ioentry);
OCIRT_MESSAGE_IN(v2, IOStat, Cgroups__V2__IOStat, cgroups__v2__iostat);
OCIRT_MESSAGE_IN(v2, HugeTlbStat, Cgroups__V2__HugeTlbStat, cgroups__v2__huge_tlb_stat);
OCIRT_MESSAGE_IN(v2, Metrics, Cgroups__V2__Metrics, cgroups__v2__metrics);

// ttrpc.proto
OCIRT_MESSAGE_IN(ttrpc, KeyValue, Ttrpc__KeyValue, ttrpc__key_value);
OCIRT_MESSAGE_IN(ttrpc, Request, Ttrpc__Request, ttrpc__request);
OCIRT_MESSAGE_IN(ttrpc, Status, Ttrpc__Status, ttrpc__status);
OCIRT_MESSAGE_IN(ttrpc, Response, Ttrpc__Response, ttrpc__response);

#undef OCIRT_MESSAGE
#undef OCIRT_MESSAGE_IN
// clang-format on

// ProcessInfo and StateResponse say what a process does in these words.
using TaskStatus = ::Types__Status;

}  // namespace ocirt::wire
