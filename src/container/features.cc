#include "src/container/features.h"

#include <linux/seccomp.h>

#include <string>

#include "oci-spec/documents.h"
#include "src/container/annotations.h"
#include "src/linux/capabilities.h"
#include "src/linux/cgroup/systemd.h"
#include "src/linux/mount_options.h"
#include "src/linux/namespaces.h"
#include "src/linux/resctrl.h"
#include "src/linux/seccomp.h"
#include "src/linux/security_modules.h"
#include "src/net/request.h"
#include "src/sys/companion.h"
#include "src/sys/seccomp_probe.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)  // Linux 5.19
#endif

namespace ocirt::container {
namespace {

template <class E>
std::vector<E> values_of(std::span<const std::string_view> words) {
  std::vector<E> values;
  for (std::string_view word : words) {
    if (std::optional<E> value = oci::parse<E>(word)) values.push_back(*value);
  }
  return values;
}

unsigned kernel_flag(oci::SeccompFlag flag) {
  switch (flag) {
    case oci::SeccompFlag::kLog:
      return SECCOMP_FILTER_FLAG_LOG;
    case oci::SeccompFlag::kSpecAllow:
      return SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    case oci::SeccompFlag::kTsync:
      return SECCOMP_FILTER_FLAG_TSYNC;
    case oci::SeccompFlag::kWaitKillableRecv:
      // Good together with a listener only.
      return SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | SECCOMP_FILTER_FLAG_NEW_LISTENER;
  }
  return 0;
}

oci::SeccompFeatures seccomp_features() {
  oci::SeccompFeatures seccomp;
  seccomp.enabled = true;
  seccomp.actions = values_of<oci::SeccompAction>(known_seccomp_actions());
  seccomp.operators = values_of<oci::SeccompOperator>(known_seccomp_operators());
  seccomp.archs = values_of<oci::SeccompArch>(known_seccomp_architectures());
  seccomp.known_flags = values_of<oci::SeccompFlag>(known_seccomp_flags());
  seccomp.supported_flags.emplace();
  for (oci::SeccompFlag flag : *seccomp.known_flags) {
    if (sys::knows_seccomp_flags(kernel_flag(flag))) seccomp.supported_flags->push_back(flag);
  }
  return seccomp;
}

std::vector<std::string> mount_options() {
  const std::vector<std::string_view> words = known_mount_options();
  return {words.begin(), words.end()};
}

}  // namespace

oci::Features features(std::string_view version, std::string_view commit) {
  oci::Features features;
  features.oci_version_min = "1.0.0";
  features.oci_version_max = oci::kVersion;
  features.hooks = {"prestart",       "createRuntime", "createContainer",
                    "startContainer", "poststart",     "poststop"};
  features.mount_options = mount_options();

  oci::LinuxFeatures& linux_features = features.linux.emplace();
  linux_features.namespaces.emplace();
  for (const NamespaceKind& kind : namespace_kinds()) {
    linux_features.namespaces->push_back(kind.type);
  }
  const std::vector<std::string_view> capabilities = known_capabilities();
  linux_features.capabilities.emplace(capabilities.begin(), capabilities.end());
  linux_features.cgroup = oci::CgroupFeatures{.v1 = true,
                                              .v2 = true,
                                              .systemd = cgroup::has_systemd_helper(),
                                              .systemd_user = cgroup::has_systemd_helper(),
                                              .rdma = true};
  linux_features.seccomp = seccomp_features();
  const SecurityModules modules = security_modules();
  linux_features.apparmor = oci::Feature{modules.apparmor};
  linux_features.selinux = oci::Feature{modules.selinux};
  linux_features.intel_rdt = oci::Feature{resctrl::find_root().has_value()};
  linux_features.mount_extensions = oci::MountExtensions{.idmap = oci::Feature{true}};
  linux_features.net_devices = oci::Feature{sys::find_companion(net::kProgram).has_value()};

  features.annotations.set("run.oci.ocirt.version", std::string(version));
  features.annotations.set("run.oci.ocirt.commit", std::string(commit));
  features.annotations.set("run.oci.ocirt.checkpoint.enabled", "false");
  features.annotations.set("io.github.seccomp.libseccomp.version", libseccomp_version());
  features.potentially_unsafe_config_annotations = known_annotations();
  return features;
}

}  // namespace ocirt::container
