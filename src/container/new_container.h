// A container being made, for `create` and `run`: owns all that has been made of it and unmakes it
// in the right order unless it is kept.
#pragma once

#include <optional>

#include "src/container/bundle.h"
#include "src/container/host_root.h"
#include "src/container/launch.h"
#include "src/container/options.h"
#include "src/container/pid_file.h"
#include "src/container/store.h"
#include "src/container/warnings.h"

namespace ocirt::container {

struct NewContainer {
  Bundle bundle;
  Record record;
  Warnings warnings;
  Warnings complaints;  // warnings that are shown unasked, as the peers do
  // Destroyed from the last to the first: the process, its devices, its root, its cgroup, its class
  // of resctrl, its directory.
  std::optional<NewDirectory> directory;
  resctrl::Made resctrl;
  cgroup::Made cgroup, systemd_v1;
  StartedUnit unit;                   // instead of `cgroup` where systemd makes it
  std::optional<HostRoot> host_root;  // without a mount namespace
  std::optional<NetDevices> net_devices;
  std::optional<Launched> init;
  PidFile pid_file;

  // Records the container and its pid file. What exists now is kept when commit() is called.
  Result<> record_it(const std::string& pid_file_path);
  void commit();
};

// Decides everything, then makes everything up to a ready init. Refusals of the configuration
// happen before anything on the host has changed.
Result<NewContainer> make_container(const Store& store, const GlobalOptions& global,
                                    const CreateOptions& options, plan::Purpose purpose);

}  // namespace ocirt::container
