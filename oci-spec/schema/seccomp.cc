// Rows of `linux.seccomp` (config-linux.json, defs-linux.json).
#include "oci-spec/schema/schema.h"

namespace oci::schema {
namespace {

constexpr Field kSyscallArg[] = {
    field<&SyscallArg::index>("index", kRequired),
    field<&SyscallArg::value>("value", kRequired),
    field<&SyscallArg::value_two>("valueTwo"),
    field<&SyscallArg::op>("op", kRequired),
};

constexpr Field kSyscall[] = {
    field<&Syscall::names>("names", {.required = true, .min_items = 1}),
    field<&Syscall::action>("action", kRequired),
    field<&Syscall::errno_ret>("errnoRet"),
    field<&Syscall::args>("args"),
};

constexpr Field kSeccomp[] = {
    field<&Seccomp::default_action>("defaultAction", kRequired),
    field<&Seccomp::default_errno_ret>("defaultErrnoRet"),
    field<&Seccomp::architectures>("architectures"),
    field<&Seccomp::flags>("flags"),
    field<&Seccomp::listener_path>("listenerPath"),
    field<&Seccomp::listener_metadata>("listenerMetadata"),
    field<&Seccomp::syscalls>("syscalls"),
};

}  // namespace

template <>
constinit const Type Object<SyscallArg>::type = object(kSyscallArg);
template <>
constinit const Type Object<Syscall>::type = object(kSyscall);
template <>
constinit const Type Object<Seccomp>::type = object(kSeccomp);

}  // namespace oci::schema
