#include "src/podfile/volumes.h"

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/podfile/container_spec.h"
#include "src/podfile/fixed_volumes.h"
#include "src/podfile/quantity.h"
#include "src/sys/file.h"

namespace ocirt::podfile {
namespace {

using manifest::HostPathType;

bool has_type(HostPathType type, mode_t mode) {
  switch (type) {
    case HostPathType::kBlockDevice:
      return S_ISBLK(mode);
    case HostPathType::kCharDevice:
      return S_ISCHR(mode);
    case HostPathType::kDirectory:
    case HostPathType::kDirectoryOrCreate:
      return S_ISDIR(mode);
    case HostPathType::kFile:
    case HostPathType::kFileOrCreate:
      return S_ISREG(mode);
    case HostPathType::kSocket:
      return S_ISSOCK(mode);
  }
  return false;
}

Result<> resolve_host_path(const manifest::HostPath& host, bool touch_host) {
  const bool make_directory = host.type == HostPathType::kDirectoryOrCreate;
  const bool make_file = host.type == HostPathType::kFileOrCreate;
  Result<struct stat> info = sys::stat(sys::kCwd, host.path);
  if (!info && info.error().code == ENOENT) {
    if (!make_directory && !make_file) {
      return refuse(cat("hostPath: ", host.path,
                        " does not exist; type: DirectoryOrCreate would make a directory"));
    }
    if (!touch_host) return {};
    if (make_directory) return within("hostPath", sys::mkdir_parents(host.path, 0755));
    UniqueFd file =
        TRY(within("hostPath", sys::open(sys::kCwd, host.path, O_WRONLY | O_CREAT, 0644)));
    return {};
  }
  if (!info) return within("hostPath", Result<>(std::unexpected(std::move(info).error())));
  if (!host.type || has_type(*host.type, info->st_mode)) return {};
  return refuse(cat("hostPath: ", host.path, " is not of the type ", oci::to_string(*host.type)));
}

int64_t group_of(const File& file) {
  const auto& security = file.pod.spec.security_context;
  return security && security->fs_group ? *security->fs_group : -1;
}

// emptyDir: everybody in the pod may write, and with fsGroup new files belong to that group.
void add_empty_dir(const File& file, const std::string& name, const manifest::EmptyDir& volume,
                   Resolved& out) {
  const int64_t group = group_of(file);
  const std::string path = cat("volumes/", name);
  const uint32_t mode = group < 0 ? 0777 : 02777;
  out.entries.push_back({.path = path, .is_directory = true, .mode = mode, .group = group});
  if (volume.medium != "Memory") {
    // The pod's own directory is in memory, where a volume could take what the host runs on.
    out.pod.mounts.push_back(
        {.target = path, .type = pod::MountType::kDisk, .options = {"nosuid", "nodev"}});
    return;
  }
  pod::PodMount mount{.target = path, .type = pod::MountType::kTmpfs};
  mount.options = {"nosuid", "nodev", group < 0 ? "mode=0777" : "mode=2777"};
  if (group >= 0) mount.options.push_back(cat("gid=", group));
  if (volume.size_limit) {
    if (const Result<int64_t> bytes = units(*volume.size_limit)) {
      mount.options.push_back(cat("size=", *bytes));
    }
  }
  out.pod.mounts.push_back(std::move(mount));
}

const Entry* find_entry(const Resolved& out, std::string_view path) {
  const auto found = std::ranges::find(out.entries, path, &Entry::path);
  return found == out.entries.end() ? nullptr : &*found;
}

// Those that lead to `path`, which is in the volume.
void add_directories(Resolved& out, const std::string& volume, std::string_view path) {
  std::string directory = volume;
  const std::vector<std::string_view> parts = split(path, '/');
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    directory += cat("/", parts[i]);
    if (find_entry(out, directory) == nullptr)
      out.entries.push_back({.path = directory, .is_directory = true, .mode = 0755});
  }
}

void add_file(Resolved& out, const std::string& volume, std::string_view path, uint32_t mode,
              int64_t group, const std::string& content) {
  add_directories(out, volume, path);
  if (group >= 0) mode |= 0440;
  out.entries.push_back(
      {.path = cat(volume, "/", path), .mode = mode, .group = group, .content = content});
}

void add_fixed(const File& file, const manifest::Volume& volume, Resolved& out) {
  const std::string path = cat("volumes/", volume.name);
  out.entries.push_back({.path = path, .is_directory = true, .mode = 0755});
  for (const VolumeFile& each : files_of(file, volume, out.pod.uid))
    add_file(out, path, each.path, each.mode, group_of(file), each.content);
}

const manifest::Volume& volume_of(const File& file, const manifest::VolumeMount& mount) {
  return *std::ranges::find(file.pod.spec.volumes, mount.name, &manifest::Volume::name);
}

bool is_of_a_file(const File& file, const manifest::VolumeMount& mount, const Resolved& out) {
  const manifest::Volume& volume = volume_of(file, mount);
  const std::string inside = clean_path(cat("/", mount.sub_path)).substr(1);
  if (volume.host_path) {
    const std::string path =
        inside.empty() ? volume.host_path->path : cat(volume.host_path->path, "/", inside);
    const Result<struct stat> info = sys::stat(sys::kCwd, path);
    return info && !S_ISDIR(info->st_mode);
  }
  if (inside.empty() || !is_fixed(volume)) return false;
  const Entry* entry = find_entry(out, cat("volumes/", mount.name, "/", inside));
  return entry != nullptr && !entry->is_directory;
}

}  // namespace

void add_mount_points(const File& file, const manifest::Container& container,
                      const pod::Layout& layout, Resolved& out) {
  const std::vector<manifest::VolumeMount>& mounts = container.volume_mounts;
  std::vector<std::string> paths;
  paths.reserve(mounts.size());
  for (const manifest::VolumeMount& mount : mounts)
    paths.push_back(cat(clean_path(mount.mount_path), "/"));
  for (size_t i = 0; i < mounts.size(); ++i) {
    const bool is_empty_dir = volume_of(file, mounts[i]).empty_dir && mounts[i].read_only;
    if (!mounts[i].sub_path.empty()) continue;
    if (!is_empty_dir && !is_fixed(volume_of(file, mounts[i]))) continue;
    for (size_t j = 0; j < mounts.size(); ++j) {
      if (j == i || !paths[j].starts_with(paths[i])) continue;
      // One between the two has the mount point.
      const bool is_between = std::ranges::any_of(paths, [&](const std::string& path) {
        return path.size() > paths[i].size() && path.size() < paths[j].size() &&
               paths[j].starts_with(path);
      });
      if (is_between) continue;
      const std::string volume = cat("volumes/", mounts[i].name);
      std::string path = paths[j].substr(paths[i].size());
      path.pop_back();
      if (is_empty_dir) {  // there is nothing in it yet, and the shim makes what it is to bind
        out.pod.mounts.push_back({.target = sub_path_target(container.name, mounts.size() + j),
                                  .type = pod::MountType::kBind,
                                  .source = layout.volume(mounts[i].name),
                                  .inside = std::move(path),
                                  .options = {}});
        continue;
      }
      if (find_entry(out, cat(volume, "/", path)) != nullptr) continue;
      add_directories(out, volume, path);
      const bool is_file = is_of_a_file(file, mounts[j], out);
      out.entries.push_back({.path = cat(volume, "/", path),
                             .is_directory = !is_file,
                             .mode = is_file ? 0444U : 0755U});
    }
  }
}

Result<> resolve_volume(const File& file, size_t index, bool touch_host, Resolved& out) {
  const manifest::Volume& volume = file.pod.spec.volumes[index];
  if (volume.host_path) return resolve_host_path(*volume.host_path, touch_host);
  if (volume.empty_dir) add_empty_dir(file, volume.name, *volume.empty_dir, out);
  if (is_fixed(volume)) add_fixed(file, volume, out);
  return {};
}

Result<> resolve_sub_paths(const File& file, const manifest::Container& container,
                           const pod::Layout& layout, Resolved& out) {
  for (size_t i = 0; i < container.volume_mounts.size(); ++i) {
    const manifest::VolumeMount& mount = container.volume_mounts[i];
    if (mount.sub_path.empty()) continue;
    const auto volume =
        std::ranges::find(file.pod.spec.volumes, mount.name, &manifest::Volume::name);
    if (!volume->host_path && !volume->empty_dir) {
      // Files of ours that nobody else writes: what is named must be among them.
      const std::string path =
          clean_path(cat("volumes/", mount.name, "/", mount.sub_path)).substr(1);
      const bool known =
          std::ranges::any_of(out.entries, [&](const Entry& entry) { return entry.path == path; });
      if (!known)
        return refuse(cat("volumeMounts[", i, "].subPath: there is no ", quoted(mount.sub_path),
                          " in the volume"));
    }
    out.pod.mounts.push_back(
        {.target = sub_path_target(container.name, i),
         .type = pod::MountType::kBind,
         .source = volume->host_path ? volume->host_path->path : layout.volume(mount.name),
         .inside = clean_path(cat("/", mount.sub_path)).substr(1),
         .options = {}});
  }
  return {};
}

}  // namespace ocirt::podfile
