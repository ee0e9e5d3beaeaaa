#include "src/linux/cgroup/devices.h"

#include <fcntl.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "src/base/text.h"
#include "src/linux/cgroup/device_program.h"
#include "src/linux/cgroup/device_rules.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/sys/bpf.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::cgroup {
namespace {

Result<> write_v1_rules(const std::string& directory, std::span<const DeviceRule> rules) {
  std::vector<DeviceLine> lines = TRY(v1_device_lines(rules));
  UniqueFd file;
  std::string path;
  std::optional<bool> open_for;  // which of the two files is open
  for (const DeviceLine& line : lines) {
    if (open_for != line.allow) {
      path = join(directory, line.allow ? "devices.allow" : "devices.deny");
      Result<UniqueFd> fd = sys::open(sys::kCwd, path, O_WRONLY);
      if (!fd) return std::unexpected(reword_missing(fd.error(), path));
      file = std::move(*fd);
      open_for = line.allow;
    }
    Result<> done = sys::write_once(file, path, line.text);
    if (!done) {
      if (done.error().code == EPERM) {
        done.error().text += "; the cgroup above does not allow this device to the runtime itself";
      }
      return done;
    }
  }
  return {};
}

// Attaches the program in the place of those that are there: a second program could only refuse
// more. A program that we may not look at (a security module protects it) stays.
Result<> replace_programs(Fd cgroup, const std::vector<uint32_t>& old_ids, Fd program) {
  std::vector<UniqueFd> old;
  for (uint32_t id : old_ids) {
    Result<UniqueFd> fd = sys::bpf_program_by_id(id);
    if (fd) {
      old.push_back(std::move(*fd));
    } else if (fd.error().code != EPERM && fd.error().code != EACCES && fd.error().code != ENOENT) {
      return std::unexpected(std::move(fd).error());
    }
  }
  if (old.size() == 1) {
    Result<> done = sys::bpf_attach_device_program(cgroup, program, old[0]);
    if (done || done.error().code != EINVAL) return done;  // EINVAL: no BPF_F_REPLACE before 5.6
  }
  TRY(sys::bpf_attach_device_program(cgroup, program, Fd()));
  for (const UniqueFd& fd : old) TRY(sys::bpf_detach_device_program(cgroup, fd));
  return {};
}

Result<> attach_v2_rules(Fd cgroup, std::span<const DeviceRule> rules, bool fresh) {
  std::vector<uint32_t> old;
  if (!fresh) old = TRY(sys::bpf_device_programs(cgroup));
  if (old.empty() && allows_everything(rules)) return {};
  std::vector<bpf_insn> instructions = device_program(rules);
  UniqueFd program = TRY(sys::bpf_load_device_program(instructions));
  Result<> done = replace_programs(cgroup, old, program);
  program.close_later();
  return done;
}

bool is_permission(const Error& error) { return error.code == EPERM || error.code == EACCES; }

}  // namespace

Result<> apply_device_rules(const Location& location, std::span<const oci::DeviceCgroup> configured,
                            Fd unified, bool fresh) {
  std::vector<DeviceRule> rules = TRY(device_rules(configured));
  Result<> done;
  if (const Directory* v1 = v1_directory(location, "devices")) {
    done = write_v1_rules(v1->path, rules);
  } else if (unified.valid()) {
    done = attach_v2_rules(unified, rules, fresh);
  } else if (!configured.empty() && !allows_everything(rules)) {
    done = refuse("the devices controller is not available here: its hierarchy is not mounted");
  }
  if (!done && is_permission(done.error()) &&
      (sys::effective_uid() != 0 || sys::in_user_namespace())) {
    return {};  // where nobody could make a device either
  }
  if (!done && done.error().text.starts_with("linux.resources")) return done;
  return within("linux.resources.devices", std::move(done));
}

}  // namespace ocirt::cgroup
