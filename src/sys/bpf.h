// bpf(2), as far as the device rules of cgroup v2 need it: programs of type CGROUP_DEVICE, which
// the kernel asks before a process of the cgroup opens or makes a device node.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <span>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

// BPF_PROG_LOAD. Retries when a signal interrupted the verifier (EAGAIN), and once more with a
// higher RLIMIT_MEMLOCK, which kernels before 5.11 charge programs to (EPERM); the limit is put
// back after that. A refusal by the verifier (code EINVAL or EACCES) carries the last line of its
// log.
Result<UniqueFd> bpf_load_device_program(std::span<const bpf_insn> program);

// BPF_PROG_QUERY: ids of the device programs attached to this very cgroup, in their order.
Result<std::vector<uint32_t>> bpf_device_programs(Fd cgroup);

// BPF_PROG_GET_FD_BY_ID.
Result<UniqueFd> bpf_program_by_id(uint32_t id);

// BPF_PROG_ATTACH with BPF_F_ALLOW_MULTI: programs of ancestors stay in force, and each of them may
// refuse. A valid `replace` is swapped for `program` in one step (BPF_F_REPLACE, Linux 5.6; code
// EINVAL before that).
Result<> bpf_attach_device_program(Fd cgroup, Fd program, Fd replace);

// BPF_PROG_DETACH.
Result<> bpf_detach_device_program(Fd cgroup, Fd program);

}  // namespace ocirt::sys
