// Rows of `linux.seccomp` (config-linux.json, defs-linux.json).
#include "oci-spec/schema/schema.h"

namespace oci::schema {
namespace {

constexpr Field kSyscallArg[] = {
    OCI_FIELD(SyscallArg, index, "index", kRequired),
    OCI_FIELD(SyscallArg, value, "value", kRequired),
    OCI_FIELD(SyscallArg, value_two, "valueTwo"),
    OCI_FIELD(SyscallArg, op, "op", kRequired),
};

constexpr Field kSyscall[] = {
    OCI_FIELD(Syscall, names, "names", {.required = true, .min_items = 1}),
    OCI_FIELD(Syscall, action, "action", kRequired),
    OCI_FIELD(Syscall, errno_ret, "errnoRet"),
    OCI_FIELD(Syscall, args, "args"),
};

constexpr Field kSeccomp[] = {
    OCI_FIELD(Seccomp, default_action, "defaultAction", kRequired),
    OCI_FIELD(Seccomp, default_errno_ret, "defaultErrnoRet"),
    OCI_FIELD(Seccomp, architectures, "architectures"),
    OCI_FIELD(Seccomp, flags, "flags"),
    OCI_FIELD(Seccomp, listener_path, "listenerPath"),
    OCI_FIELD(Seccomp, listener_metadata, "listenerMetadata"),
    OCI_FIELD(Seccomp, syscalls, "syscalls"),
};

}  // namespace

template <>
constinit const Type Object<SyscallArg>::type = object(kSyscallArg);
template <>
constinit const Type Object<Syscall>::type = object(kSyscall);
template <>
constinit const Type Object<Seccomp>::type = object(kSeccomp);

}  // namespace oci::schema
