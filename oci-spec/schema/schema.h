// The tables that exist: one line per struct, so that rows of one file can refer to those of
// another.
#pragma once

#include "oci-spec/features.h"
#include "oci-spec/schema/field.h"
#include "oci-spec/spec.h"
#include "oci-spec/state.h"

namespace oci::schema {

// config.cc
template <>
const Type Object<Spec>::type;
template <>
const Type Object<Root>::type;
template <>
const Type Object<IdMapping>::type;
template <>
const Type Object<Mount>::type;
template <>
const Type Object<Hook>::type;
template <>
const Type Object<Hooks>::type;

extern const Type kMountList;  // a document that is a list

// process.cc
template <>
const Type Object<Process>::type;
template <>
const Type Object<ConsoleSize>::type;
template <>
const Type Object<User>::type;
template <>
const Type Object<Capabilities>::type;
template <>
const Type Object<Rlimit>::type;
template <>
const Type Object<IoPriority>::type;
template <>
const Type Object<Scheduler>::type;
template <>
const Type Object<ExecCpuAffinity>::type;

// linux.cc
template <>
const Type Object<Linux>::type;
template <>
const Type Object<Namespace>::type;
template <>
const Type Object<Device>::type;
template <>
const Type Object<NetDevice>::type;
template <>
const Type Object<IntelRdt>::type;
template <>
const Type Object<MemoryPolicy>::type;
template <>
const Type Object<Personality>::type;
template <>
const Type Object<TimeOffset>::type;
template <>
const Type Object<TimeOffsets>::type;

// resources.cc
template <>
const Type Object<Resources>::type;
template <>
const Type Object<DeviceCgroup>::type;
template <>
const Type Object<Memory>::type;
template <>
const Type Object<Cpu>::type;
template <>
const Type Object<Pids>::type;
template <>
const Type Object<BlockIo>::type;
template <>
const Type Object<WeightDevice>::type;
template <>
const Type Object<ThrottleDevice>::type;
template <>
const Type Object<HugepageLimit>::type;
template <>
const Type Object<Network>::type;
template <>
const Type Object<InterfacePriority>::type;
template <>
const Type Object<Rdma>::type;

// seccomp.cc
template <>
const Type Object<Seccomp>::type;
template <>
const Type Object<Syscall>::type;
template <>
const Type Object<SyscallArg>::type;

// state.cc
template <>
const Type Object<State>::type;
template <>
const Type Object<ContainerProcessState>::type;

// features.cc
template <>
const Type Object<Features>::type;
template <>
const Type Object<LinuxFeatures>::type;
template <>
const Type Object<CgroupFeatures>::type;
template <>
const Type Object<SeccompFeatures>::type;
template <>
const Type Object<MountExtensions>::type;
template <>
const Type Object<Feature>::type;

}  // namespace oci::schema
