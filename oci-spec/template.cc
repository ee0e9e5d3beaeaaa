// The document that `ocirt spec` prints: something that starts a shell on "rootfs" as it is, with
// the content that users of other runtimes' `spec` know.
#include "oci-spec/documents.h"

namespace oci {
namespace {

std::vector<Mount> default_mounts(bool rootless) {
  std::vector<Mount> mounts = {
      {.destination = "/proc", .type = "proc", .source = "proc"},
      {.destination = "/dev",
       .type = "tmpfs",
       .source = "tmpfs",
       .options = {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {.destination = "/dev/pts",
       .type = "devpts",
       .source = "devpts",
       .options = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
      {.destination = "/dev/shm",
       .type = "tmpfs",
       .source = "shm",
       .options = {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
      {.destination = "/dev/mqueue",
       .type = "mqueue",
       .source = "mqueue",
       .options = {"nosuid", "noexec", "nodev"}},
  };
  if (rootless) {
    // sysfs belongs to the network namespace, which is the host's here: it can only be bound.
    mounts.push_back({.destination = "/sys",
                      .type = "none",
                      .source = "/sys",
                      .options = {"rbind", "nosuid", "noexec", "nodev", "ro"}});
  } else {
    mounts[2].options.push_back("gid=5");  // the tty group; it is not mapped for an ordinary user
    mounts.push_back({.destination = "/sys",
                      .type = "sysfs",
                      .source = "sysfs",
                      .options = {"nosuid", "noexec", "nodev", "ro"}});
  }
  mounts.push_back({.destination = "/sys/fs/cgroup",
                    .type = "cgroup",
                    .source = "cgroup",
                    .options = {"nosuid", "noexec", "nodev", "relatime", "ro"}});
  return mounts;
}

}  // namespace

Spec default_spec(bool rootless, std::uint32_t uid, std::uint32_t gid, bool cgroup_v1) {
  Spec spec;
  spec.oci_version = kVersion;

  Process& process = spec.process.emplace();
  process.terminal = true;
  process.args = {"sh"};
  process.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"};
  process.cwd = "/";
  const std::vector<std::string> capabilities = {"CAP_AUDIT_WRITE", "CAP_KILL",
                                                 "CAP_NET_BIND_SERVICE"};
  process.capabilities.emplace();
  process.capabilities->bounding = capabilities;
  process.capabilities->effective = capabilities;
  process.capabilities->permitted = capabilities;
  process.rlimits = {{.type = "RLIMIT_NOFILE", .hard = 1024, .soft = 1024}};
  process.no_new_privileges = true;

  spec.root.emplace();
  spec.root->path = "rootfs";
  spec.root->readonly = true;
  spec.hostname = "ocirt";
  spec.mounts = default_mounts(rootless);

  Linux& linux = spec.linux.emplace();
  linux.masked_paths = {"/proc/acpi",        "/proc/asound",        "/proc/kcore",
                        "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
                        "/proc/timer_stats", "/proc/sched_debug",   "/sys/firmware",
                        "/proc/scsi"};
  linux.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  linux.namespaces = {{.type = NamespaceType::kPid},
                      {.type = NamespaceType::kIpc},
                      {.type = NamespaceType::kUts},
                      {.type = NamespaceType::kMount}};
  if (!cgroup_v1) linux.namespaces.push_back({.type = NamespaceType::kCgroup});
  if (rootless) {
    linux.namespaces.push_back({.type = NamespaceType::kUser});
    linux.uid_mappings = {{.container_id = 0, .host_id = uid, .size = 1}};
    linux.gid_mappings = {{.container_id = 0, .host_id = gid, .size = 1}};
  } else {
    linux.namespaces.insert(linux.namespaces.begin() + 1, {.type = NamespaceType::kNetwork});
    DeviceCgroup& deny_all = linux.resources.emplace().devices.emplace_back();
    deny_all.allow = false;
    deny_all.access = "rwm";
  }
  return spec;
}

}  // namespace oci
