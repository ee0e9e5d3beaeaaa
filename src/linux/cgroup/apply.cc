// Puts linux.resources in force: computes the writes (settings.h), carries them out in an order
// that the kernel accepts, and hands the device rules to the controller or to BPF.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/linux/cgroup/cgroup.h"
#include "src/linux/cgroup/controllers.h"
#include "src/linux/cgroup/device_rules.h"
#include "src/linux/cgroup/devices.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/linux/cgroup/settings.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::cgroup {
namespace {

Error in_property(const Setting& setting, std::string_view text, int code = 0) {
  return {code, cat("linux.resources.", setting.property, ": ", text)};
}

// Why a file of the cgroup is missing: the controller is, or the kernel has no such file.
Error missing(const Setting& setting, std::string_view directory, const Location& location,
              bool v2) {
  if (v2 && setting.controller != "cgroup") {
    const std::string list = join(directory, "cgroup.controllers");
    Result<std::string> text = sys::read_control(sys::kCwd, list);
    if (!text) return in_property(setting, cat("the cgroup ", directory, " is gone"));
    const std::vector<std::string_view> here = words(*text);
    if (std::ranges::find(here, std::string_view(setting.controller)) == here.end()) {
      if (v1_directory(location, setting.controller) != nullptr) {
        return in_property(setting, cat("invalid configuration: the ", setting.controller,
                                        " controller is one of cgroup v1 on this host, which has "
                                        "no such file"));
      }
      return in_property(
          setting,
          cat("the requested cgroup controller `", setting.controller,
              "` is not available: ", here.empty() ? "no controller" : trim(*text), " is in ", list,
              "; enable it in cgroup.subtree_control of the cgroups above"));
    }
  }
  return in_property(setting, cat("this kernel has no ", join(directory, setting.file),
                                  ": no such file or directory"));
}

// The kernel's "Device or resource busy" for a v1 memory limit says that the processes use more.
Error busy_memory(const Setting& setting, std::string_view directory, Error error) {
  if (error.code != EBUSY || setting.controller != "memory") return error;
  Result<std::string> usage =
      sys::read_control(sys::kCwd, join(directory, "memory.usage_in_bytes"));
  if (usage) error.text += cat(" (the present usage is ", trim(*usage), " bytes)");
  return error;
}

Result<> write_setting(const Setting& setting, std::string_view directory, const Location& location,
                       bool v2) {
  const std::string path = join(directory, setting.file);
  Result<> done = sys::write_control(sys::kCwd, path, setting.value);
  if (done) return done;
  if (done.error().code == ENOENT && !setting.other_file.empty()) {
    done = sys::write_control(sys::kCwd, join(directory, setting.other_file), setting.other_value);
    if (done) return done;
  }
  if (done.error().code == ENOENT) {
    if (setting.harmless) return {};
    return std::unexpected(missing(setting, directory, location, v2));
  }
  Error error = busy_memory(setting, directory, std::move(done).error());
  return std::unexpected(in_property(setting, error.text, error.code));
}

// Writes all settings. Some values are checked against each other (memory and memory with swap,
// quota with period and burst), and which order is accepted depends on what is in force: what is
// refused with EINVAL is tried again as long as others succeed.
Result<> write_settings(const std::vector<Setting>& settings, const Location& location, bool v2) {
  std::vector<const Setting*> waiting;
  waiting.reserve(settings.size());
  for (const Setting& setting : settings) waiting.push_back(&setting);
  while (!waiting.empty()) {
    std::vector<const Setting*> refused;
    std::optional<Error> first;
    for (const Setting* setting : waiting) {
      const Directory* directory =
          v2 ? v2_directory(location) : v1_directory(location, setting->controller);
      if (directory == nullptr) {
        if (setting->harmless) continue;
        return std::unexpected(in_property(
            *setting, cat("the requested cgroup controller `", setting->controller,
                          "` is not available: its ",
                          "hierarchy is not mounted, or the container has no cgroup in it")));
      }
      Result<> done = write_setting(*setting, directory->path, location, v2);
      if (done) continue;
      if (done.error().code != EINVAL) return done;
      if (!first) first = std::move(done).error();
      refused.push_back(setting);
    }
    if (refused.size() == waiting.size()) return std::unexpected(std::move(*first));
    waiting = std::move(refused);
  }
  return {};
}

Result<> write_v2(const Location& location, const oci::Resources& resources) {
  const Directory* directory = v2_directory(location);
  if (directory == nullptr) return refuse("linux.resources: the container has no cgroup v2");
  Present present;
  auto read = [&](bool needed, const char* file) -> std::optional<std::string> {
    if (!needed) return std::nullopt;
    Result<std::string> text = sys::read_control(sys::kCwd, join(directory->path, file));
    return text ? std::optional(std::move(*text)) : std::nullopt;
  };
  present.memory_max = read(needs_memory_max(resources), "memory.max");
  present.memory_current = read(needs_memory_current(resources), "memory.current");
  present.cpu_max = read(needs_cpu_max(resources), "cpu.max");
  std::vector<Setting> settings = TRY(v2_settings(resources, present));
  return write_settings(settings, location, true);
}

// On a hybrid host a controller that is on no v1 hierarchy may be had from the cgroup2 tree. Moves
// what belongs to such controllers from `resources` to the result, and names them in `controllers`.
oci::Resources take_for_v2(const Location& location, oci::Resources& resources,
                           std::vector<std::string>& controllers) {
  oci::Resources taken;
  const Directory* v2 = v2_directory(location);
  if (v2 == nullptr) return taken;
  std::optional<std::string> top;
  auto has = [&](std::string_view controller) {
    if (!top) {
      top = sys::read_control(sys::kCwd, join(top_of_tree(v2->path), "cgroup.controllers"))
                .value_or(std::string());
    }
    const std::vector<std::string_view> here = words(*top);
    return std::ranges::find(here, controller) != here.end();
  };
  auto goes_to_v2 = [&](bool used, std::string_view v1_name, std::string_view v2_name) {
    if (!used || v1_directory(location, v1_name) != nullptr || !has(v2_name)) return false;
    controllers.emplace_back(v2_name);
    return true;
  };
  if (goes_to_v2(resources.memory.has_value(), "memory", "memory")) {
    taken.memory = std::exchange(resources.memory, std::nullopt);
  }
  if (resources.cpu) {
    const oci::Cpu all = *resources.cpu;
    oci::Cpu scheduling = all;
    scheduling.cpus = scheduling.mems = std::nullopt;
    oci::Cpu sets;
    sets.cpus = all.cpus;
    sets.mems = all.mems;
    const bool scheduling_to_v2 = goes_to_v2(scheduling != oci::Cpu(), "cpu", "cpu");
    const bool sets_to_v2 = goes_to_v2(sets != oci::Cpu(), "cpuset", "cpuset");
    if (scheduling_to_v2 && sets_to_v2) {
      taken.cpu = std::exchange(resources.cpu, std::nullopt);
    } else if (scheduling_to_v2 || sets_to_v2) {
      taken.cpu = scheduling_to_v2 ? scheduling : sets;
      resources.cpu = scheduling_to_v2 ? sets : scheduling;
    }
  }
  if (goes_to_v2(resources.pids.has_value(), "pids", "pids")) {
    taken.pids = std::exchange(resources.pids, std::nullopt);
  }
  if (goes_to_v2(resources.block_io.has_value(), "blkio", "io")) {
    taken.block_io = std::exchange(resources.block_io, std::nullopt);
  }
  if (goes_to_v2(!resources.hugepage_limits.empty(), "hugetlb", "hugetlb")) {
    taken.hugepage_limits = std::exchange(resources.hugepage_limits, {});
  }
  if (goes_to_v2(!resources.rdma.empty(), "rdma", "rdma")) {
    taken.rdma = std::exchange(resources.rdma, {});
  }
  for (const auto& [file, value] : resources.unified) {
    std::string controller = file.substr(0, file.find('.'));
    if (controller != "cgroup" && has(controller)) controllers.push_back(std::move(controller));
  }
  taken.unified = std::exchange(resources.unified, {});
  return taken;
}

Result<> write_v1(const Location& location, const oci::Resources& resources) {
  std::vector<Setting> settings = TRY(v1_settings(resources));
  return write_settings(settings, location, false);
}

Result<> write_hybrid(const Location& location, oci::Resources resources) {
  std::vector<std::string> controllers;
  oci::Resources for_v2 = take_for_v2(location, resources, controllers);
  TRY(write_v1(location, resources));
  if (for_v2 == oci::Resources()) return {};
  const Directory* v2 = v2_directory(location);
  if (!controllers.empty()) {
    TRY(within("linux.resources", enable_controllers(v2->path, controllers)));
  }
  return write_v2(location, for_v2);
}

// Writes all limits, without device rules.
Result<> write_limits(const Location& location, const oci::Resources& resources) {
  // Without a cgroup the first write fails with the right words, and no write is no failure.
  if (location.directories.empty()) return write_v1(location, resources);
  switch (location.layout) {
    case Layout::unified:
      return write_v2(location, resources);
    case Layout::hybrid:
      return write_hybrid(location, resources);
    case Layout::legacy:
      return write_v1(location, resources);
  }
  return {};
}

}  // namespace

Result<> apply(const Location& location, const oci::Resources& resources, bool update) {
  TRY(write_limits(location, resources));
  if (update || location.directories.empty()) return {};
  Entrance entrance;
  if (location.layout == Layout::unified) entrance = TRY(open_entrance(location));
  return apply_device_rules(location, resources.devices, entrance.directory, false);
}

Result<bool> apply_new(const Location& location, const oci::Resources& resources, const Made& made,
                       const Entrance& entrance) {
  TRY(write_limits(location, resources));
  if (location.directories.empty()) return false;
  const bool is_program = location.layout == Layout::unified && entrance.directory.valid();
  if (is_program && made.is_fresh()) {
    TRY(device_rules(resources.devices));
    return true;
  }
  TRY(apply_device_rules(location, resources.devices, entrance.directory, made.is_fresh()));
  return false;
}

Result<> apply_new_device_rules(const Location& location,
                                std::span<const oci::DeviceCgroup> configured,
                                const Entrance& entrance) {
  return apply_device_rules(location, configured, entrance.directory, true);
}

}  // namespace ocirt::cgroup
