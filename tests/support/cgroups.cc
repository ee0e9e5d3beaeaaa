// See cgroups.h.
#include "tests/support/cgroups.h"

#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/support/files.h"

namespace harness::cgroups {

namespace {

constexpr char kRoot[] = "/sys/fs/cgroup";

bool is_directory(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// Groups below `directory`, the deepest first.
void collect(const std::string& directory, std::vector<std::string>& out) {
  for (const std::string& name : names_in(directory)) {
    const std::string path = directory + "/" + name;
    if (!is_directory(path)) continue;
    collect(path, out);
    out.push_back(path);
  }
}

}  // namespace

bool by_systemd() {
  const char* flags = std::getenv("RUNTIME_FLAGS");
  return flags != nullptr && std::string_view(flags).find("systemd") != std::string_view::npos;
}

const std::string& test_parent() {
  static const std::string parent = by_systemd()
                                        ? "/ocirttest" + std::to_string(getpid()) + ".slice"
                                        : "/ocirt-test-" + std::to_string(getpid());
  return parent;
}

std::string group_of(std::string_view container_id) {
  return test_parent() + "/" + std::string(container_id) + (by_systemd() ? ".scope" : "");
}

std::string cgroups_path(std::string_view container_id) {
  if (!by_systemd()) return group_of(container_id);
  return test_parent().substr(1) + "::" + std::string(container_id);
}

bool is_pure_v2() {
  struct statfs status;
  return statfs(kRoot, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

bool has_controller(std::string_view name) { return !directory(name, "").empty(); }

std::vector<std::string> roots() {
  std::vector<std::string> out;
  for (const Mount& mount : parse_mountinfo(read_file("/proc/self/mountinfo")))
    if ((mount.type == "cgroup" || mount.type == "cgroup2") && mount.target.starts_with(kRoot))
      out.push_back(mount.target);
  return out;
}

std::string directory(std::string_view controller, std::string_view path) {
  // The version 2 half of a hybrid manages processes; runtimes do not set limits there.
  const bool pure = is_pure_v2();
  for (const Mount& mount : parse_mountinfo(read_file("/proc/self/mountinfo"))) {
    if (!mount.target.starts_with(kRoot)) continue;
    const bool v1 = mount.type == "cgroup" && !controller.empty() && mount.has_super(controller);
    const bool v2 =
        mount.type == "cgroup2" &&
        (controller.empty() ||
         (pure && contains(words(read_file(mount.target + "/cgroup.controllers")), controller)));
    if (v1 || v2) return mount.target + std::string(path);
  }
  return {};
}

std::vector<std::string> existing(std::string_view path) {
  std::vector<std::string> out;
  for (const std::string& root : roots())
    if (is_directory(root + std::string(path))) out.push_back(root + std::string(path));
  return out;
}

std::vector<int> pids_in(const std::string& group) {
  std::vector<int> pids;
  if (!exists(group + "/cgroup.procs")) return pids;
  for (const std::string& word : words(read_file(group + "/cgroup.procs")))
    pids.push_back(std::atoi(word.c_str()));
  return pids;
}

std::vector<std::string> leftovers() {
  std::vector<std::string> out;
  for (const std::string& root : roots()) collect(root + test_parent(), out);
  return out;
}

void remove_leftovers() {
  for (const std::string& group : leftovers()) {
    // Thaw first: a frozen version 1 group does not act on SIGKILL.
    if (exists(group + "/freezer.state")) write_file(group + "/freezer.state", "THAWED");
    if (exists(group + "/cgroup.freeze")) write_file(group + "/cgroup.freeze", "0");
    for (const int pid : pids_in(group)) kill(pid, SIGKILL);
    eventually([&] { return rmdir(group.c_str()) == 0 || !is_directory(group); }, 1000);
  }
}

void remove_parent() {
  for (const std::string& directory : existing(test_parent())) rmdir(directory.c_str());
}

}  // namespace harness::cgroups
