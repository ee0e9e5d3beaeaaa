#include "src/sys/bpf.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "src/base/text.h"

namespace ocirt::sys {
namespace {

// All of bpf_attr is passed and cleared beforehand: the kernel takes any size, but Linux 6.17
// to 7.1 write a field of BPF_PROG_QUERY back whether or not the caller's structure reaches that
// far.
long bpf(bpf_cmd command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

uint64_t address(const void* memory) { return reinterpret_cast<uint64_t>(memory); }

long load(bpf_attr& attributes) {
  constexpr int kMostTries = 30;
  for (int i = 0;; ++i) {
    long fd = bpf(BPF_PROG_LOAD, attributes);
    if (fd >= 0 || errno != EAGAIN || i == kMostTries) return fd;
  }
}

// load() with the soft and, where we may, the hard limit of locked memory out of the way.
long load_with_more_memory(bpf_attr& attributes) {
  rlimit before{};
  if (::getrlimit(RLIMIT_MEMLOCK, &before) < 0) return load(attributes);
  rlimit most{RLIM_INFINITY, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_MEMLOCK, &most) < 0) {
    most = {before.rlim_max, before.rlim_max};
    (void)::setrlimit(RLIMIT_MEMLOCK, &most);
  }
  long fd = load(attributes);
  int code = errno;
  (void)::setrlimit(RLIMIT_MEMLOCK, &before);
  errno = code;
  return fd;
}

// The verifier's last word: loads again with a log, which the first attempt saves the time for.
std::string verifier_complaint(bpf_attr& attributes) {
  std::string log(size_t{64} * 1024, '\0');
  attributes.log_level = 1;
  attributes.log_size = static_cast<uint32_t>(log.size());
  attributes.log_buf = address(log.data());
  long fd = load(attributes);
  if (fd >= 0) ::close(static_cast<int>(fd));
  std::string_view rest = std::string_view(log).substr(0, log.find('\0'));
  std::string_view last;
  while (std::optional<std::string_view> line = next_line(rest)) {
    // "processed N insns ..." is the statistics that end every log.
    if (!line->empty() && !line->starts_with("processed ")) last = *line;
  }
  return std::string(last);
}

}  // namespace

Result<UniqueFd> bpf_load_device_program(std::span<const bpf_insn> program) {
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.expected_attach_type = BPF_CGROUP_DEVICE;
  attributes.insns = address(program.data());
  attributes.insn_cnt = static_cast<uint32_t>(program.size());
  attributes.license = address("");  // no helper is called that asks for one
  long fd = load(attributes);
  if (fd < 0 && errno == EPERM) fd = load_with_more_memory(attributes);
  if (fd >= 0) return UniqueFd(static_cast<int>(fd));
  const int code = errno;
  if (code == EINVAL || code == EACCES) {
    std::string complaint = verifier_complaint(attributes);
    if (!complaint.empty()) {
      return os_error(cat("load a device program (", complaint, ")"), code);
    }
  }
  return os_error("load a device program", code);
}

Result<std::vector<uint32_t>> bpf_device_programs(Fd cgroup) {
  std::vector<uint32_t> ids(64);  // as many as the kernel attaches to one cgroup
  bpf_attr attributes{};
  attributes.query.target_fd = static_cast<uint32_t>(cgroup.raw());
  attributes.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.query.prog_ids = address(ids.data());
  attributes.query.prog_cnt = static_cast<uint32_t>(ids.size());
  if (bpf(BPF_PROG_QUERY, attributes) < 0) {
    return os_error("list the device programs of the cgroup", errno);
  }
  ids.resize(attributes.query.prog_cnt);
  return ids;
}

Result<UniqueFd> bpf_program_by_id(uint32_t id) {
  bpf_attr attributes{};
  attributes.prog_id = id;
  long fd = bpf(BPF_PROG_GET_FD_BY_ID, attributes);
  if (fd < 0) return os_error(cat("open BPF program ", id), errno);
  return UniqueFd(static_cast<int>(fd));
}

Result<> bpf_attach_device_program(Fd cgroup, Fd program, Fd replace) {
  bpf_attr attributes{};
  attributes.target_fd = static_cast<uint32_t>(cgroup.raw());
  attributes.attach_bpf_fd = static_cast<uint32_t>(program.raw());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (replace.valid()) {
    attributes.attach_flags |= BPF_F_REPLACE;
    attributes.replace_bpf_fd = static_cast<uint32_t>(replace.raw());
  }
  if (bpf(BPF_PROG_ATTACH, attributes) < 0) {
    return os_error("attach a device program to the cgroup", errno);
  }
  return {};
}

Result<> bpf_detach_device_program(Fd cgroup, Fd program) {
  bpf_attr attributes{};
  attributes.target_fd = static_cast<uint32_t>(cgroup.raw());
  attributes.attach_bpf_fd = static_cast<uint32_t>(program.raw());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  if (bpf(BPF_PROG_DETACH, attributes) < 0) {
    return os_error("detach a device program from the cgroup", errno);
  }
  return {};
}

}  // namespace ocirt::sys
