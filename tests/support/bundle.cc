// See bundle.h.
#include "tests/support/bundle.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "tests/support/cgroups.h"
#include "tests/support/files.h"
#include "tests/support/workspace.h"

namespace harness {

namespace {

constexpr char kDefaultDocument[] = R"({
  "ociVersion": "1.0.2",
  "process": {
    "terminal": false,
    "user": {"uid": 0, "gid": 0},
    "args": ["sh", "-c", "exit 0"],
    "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
    "cwd": "/",
    "capabilities": {
      "bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_CHOWN",
        "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_MKNOD", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_CHROOT"],
      "effective": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_CHOWN",
        "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_MKNOD", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_CHROOT"],
      "permitted": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_CHOWN",
        "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_MKNOD", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_CHROOT"]
    },
    "noNewPrivileges": true
  },
  "root": {"path": "rootfs", "readonly": false},
  "hostname": "conformance",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
      "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
      "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
      "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs",
      "options": ["nosuid", "noexec", "nodev", "ro"]}
  ],
  "linux": {
    "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"},
      {"type": "mount"}]
  }
})";

constexpr const char* kApplets[] = {
    "sh",       "ash",     "cat",      "ls",       "id",      "env",   "pwd",      "echo",
    "true",     "false",   "sleep",    "mount",    "umount",  "stat",  "mknod",    "mkdir",
    "touch",    "rm",      "dd",       "wc",       "head",    "tail",  "grep",     "sed",
    "tr",       "cut",     "sort",     "seq",      "test",    "kill",  "ps",       "readlink",
    "ip",       "stty",    "tty",      "hostname", "chmod",   "chown", "ln",       "date",
    "yes",      "printf",  "ulimit",   "sysctl",   "mkfifo",  "df",    "find",     "umask",
    "awk",      "xargs",   "realpath", "chroot",   "unshare", "nproc", "usleep",   "su",
    "basename", "mv",      "cp",       "setsid",   "nohup",   "ping",  "ifconfig", "md5sum",
    "base64",   "timeout", "uname",    "which",    "trap",    "du",    "expr"};

// The busybox that all root file systems share, by hard links.
const std::string& shared_busybox() {
  static const std::string path = [] {
    const std::string copy = workspace() + "/busybox";
    write_file(copy, read_file(exists("/bin/busybox") ? "/bin/busybox" : "/usr/bin/busybox"), 0755);
    return copy;
  }();
  return path;
}

}  // namespace

std::string oci_version() {
  const char* version = std::getenv("OCI_VERSION");
  return version && *version ? version : "1.0.2";
}

void make_rootfs(const std::string& path) {
  for (const char* name : {"bin", "dev", "etc", "proc", "sys", "tmp", "root", "var", "home"})
    make_directories(path + "/" + name);
  chmod((path + "/tmp").c_str(), 01777);
  const std::string busybox = path + "/bin/busybox";
  if (link(shared_busybox().c_str(), busybox.c_str()) != 0) {
    if (errno != EXDEV) throw std::runtime_error("cannot link busybox into " + path);
    write_file(busybox, read_file(shared_busybox()));  // a file system of its own
    chmod(busybox.c_str(), 0755);
  }
  for (const char* applet : kApplets)
    if (symlink("busybox", (path + "/bin/" + applet).c_str()) != 0)
      throw std::runtime_error("cannot link applet " + std::string(applet));
  write_file(path + "/etc/passwd",
             "root:x:0:0:root:/root:/bin/sh\n"
             "nobody:x:65534:65534:nobody:/nowhere:/bin/sh\n"
             "tester:x:1000:1000:tester:/home/tester:/bin/sh\n");
  write_file(path + "/etc/group",
             "root:x:0:\ntty:x:5:\nnogroup:x:65534:\ntester:x:1000:\nextra:x:2000:tester\n");
}

Bundle::Bundle(std::string directory)
    : directory_(std::move(directory)), document_(Json::parse(kDefaultDocument)) {
  make_directories(directory_);
  make_rootfs(rootfs());
  document_.set("ociVersion", Json::string(oci_version()));
}

std::string Bundle::rootfs(std::string_view inside) const {
  return directory_ + "/rootfs" + std::string(inside);
}

Bundle& Bundle::set(std::string_view path, std::string_view json) {
  document_.set(path, Json::parse(json));
  return *this;
}

Bundle& Bundle::append(std::string_view path, std::string_view json) {
  document_.append(path, Json::parse(json));
  return *this;
}

Bundle& Bundle::remove(std::string_view path) {
  document_.remove(path);
  return *this;
}

Bundle& Bundle::args(const std::vector<std::string>& args) {
  document_.set("process.args", Json::array(args));
  return *this;
}

Bundle& Bundle::shell(std::string_view script) { return args({"sh", "-c", std::string(script)}); }

Bundle& Bundle::mount(std::string_view destination, std::string_view type, std::string_view source,
                      const std::vector<std::string>& options) {
  Json entry;
  entry.set("destination", Json::string(destination));
  if (!type.empty()) entry.set("type", Json::string(type));
  if (!source.empty()) entry.set("source", Json::string(source));
  entry.set("options", Json::array(options));
  document_.append("mounts", std::move(entry));
  return *this;
}

namespace {

// The path of the item in array `list` whose `member` is `value`, or "".
std::string find_item(const Json& document, std::string_view list, std::string_view member,
                      std::string_view value) {
  const Json* all = document.find(list);
  for (size_t i = 0; all && i < all->size(); ++i)
    if (all->items()[i][member].text() == value) return std::string(list) + "." + std::to_string(i);
  return {};
}

}  // namespace

Bundle& Bundle::without_mount(std::string_view destination) {
  return remove(find_item(document_, "mounts", "destination", destination));
}

Bundle& Bundle::without_namespace(std::string_view type) {
  return remove(find_item(document_, "linux.namespaces", "type", type));
}

Bundle& Bundle::with_namespace(std::string_view type, std::string_view path) {
  const std::string old = find_item(document_, "linux.namespaces", "type", type);
  if (!old.empty()) remove(old);
  Json entry;
  entry.set("type", Json::string(type));
  if (!path.empty()) entry.set("path", Json::string(path));
  document_.append("linux.namespaces", std::move(entry));
  return *this;
}

Bundle& Bundle::file(std::string_view inside, std::string_view text, mode_t mode) {
  const std::string path = rootfs(inside);
  make_directories(path.substr(0, path.rfind('/')));
  write_file(path, text, mode);
  return *this;
}

Bundle& Bundle::directory(std::string_view inside, mode_t mode) {
  make_directories(rootfs(inside));
  chmod(rootfs(inside).c_str(), mode);
  return *this;
}

void Bundle::save(std::string_view container_id) {
  if (is_raw_) {
    if (!raw_.empty()) write_file(config_path(), raw_);
    return;
  }
  if (!keep_cgroups_path_)
    document_.set("linux.cgroupsPath", Json::string(cgroups::cgroups_path(container_id)));
  write_file(config_path(), document_.print());
}

Bundle& Bundle::keep_cgroups_path() {
  keep_cgroups_path_ = true;
  return *this;
}

Bundle& Bundle::raw(std::string_view text) {
  is_raw_ = true;
  raw_ = text;
  return *this;
}

}  // namespace harness
