// Rules of a pod's volumes: what they are of, the files in them, and who mounts them.
#include <algorithm>

#include "src/pod/paths.h"
#include "src/podfile/check.h"
#include "src/podfile/environment.h"
#include "src/podfile/fixed_volumes.h"
#include "src/podfile/quantity.h"

namespace ocirt::podfile {
namespace {

using manifest::Container;
using manifest::PodSpec;
using manifest::Volume;

// A path that stays inside of whatever it is taken from, and is not that.
bool stays_inside(std::string_view path) {
  if (path.starts_with('/') || clean_path(path) == "/") return false;
  for (std::string_view part : split(path, '/')) {
    if (part == "..") return false;
  }
  return true;
}

// A file of a volume, and where the pod file says it.
struct Placed {
  std::string path;  // cleaned
  std::string where;
  std::string_view written = {};  // of an item; a key has no path of its own
};

// Sorted, there may be thousands: no item is the file of another one, and no file is the directory
// of another one.
std::optional<Finding> check_paths(const std::vector<Placed>& files) {
  std::vector<std::string> all, items;
  for (const Placed& file : files) {
    all.push_back(file.path);
    if (!file.written.empty()) items.push_back(file.path);
  }
  std::ranges::sort(all);
  std::ranges::sort(items);
  std::vector<std::string> seen;
  for (const auto& [path, where, written] : files) {
    bool clashes = false;
    if (!written.empty() && std::ranges::equal_range(items, path).size() > 1) {
      clashes = std::ranges::find(seen, path) != seen.end();
      seen.push_back(path);
    }
    for (size_t slash = path.rfind('/'); slash != 0 && !clashes; slash = path.rfind('/', slash - 1))
      clashes = std::ranges::binary_search(all, path.substr(0, slash));
    if (!clashes) continue;
    return Finding{where,
                   cat(quoted(written), " is already the path of another item, or leads over it")};
  }
  return std::nullopt;
}

std::optional<Finding> check_item_path(std::string_view path, const std::string& where,
                                       std::vector<Placed>& files) {
  if (!stays_inside(path))
    return Finding{where, "must be a relative path, and must not contain \"..\""};
  files.push_back({clean_path(path), where, path});
  return std::nullopt;
}

// Of a ConfigMap or Secret; none that is optional and not there.
std::optional<Finding> check_keys(const manifest::KeyProjection& source,
                                  const oci::Map<std::string>* data, std::string_view where,
                                  std::vector<Placed>& files) {
  const std::vector<manifest::KeyToPath>& items = source.items;
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string place = cat(where, ".items[", i, "]");
    POD_CHECK(check_item_path(items[i].path, cat(place, ".path"), files));
    if (data != nullptr && !source.optional && data->find(items[i].key) == nullptr)
      return Finding{cat(place, ".key"), cat("there is no ", quoted(items[i].key))};
  }
  if (!items.empty() || data == nullptr) return std::nullopt;
  for (const auto& [key, value] : *data) {
    if (key.contains('/') || !stays_inside(key)) {
      return Finding{std::string(where),
                     cat("the key ", quoted(key), " is no name of a file; use items")};
    }
    files.push_back({clean_path(key), std::string(where)});
  }
  return std::nullopt;
}

std::optional<Finding> check_downward_file(const File& file, const manifest::DownwardFile& item,
                                           const std::string& where) {
  if (item.field_ref.has_value() == item.resource_field_ref.has_value())
    return Finding{where, cat(item.field_ref ? "has more than one of " : "needs one of ",
                              "fieldRef and resourceFieldRef")};
  if (item.field_ref) {
    const std::string& path = item.field_ref->field_path;
    if (volume_field(file.pod, path, {})) return std::nullopt;
    return Finding{cat(where, ".fieldRef.fieldPath"),
                   cat("not supported: ", quoted(path), "; there are ", kVolumeFields)};
  }
  if (!item.resource_field_ref->container_name) {
    return Finding{cat(where, ".resourceFieldRef.containerName"),
                   "required, but missing: a volume belongs to no container"};
  }
  const PodSpec& spec = file.pod.spec;
  Result<std::string> value = resource_value(spec, container_at(spec, 0), *item.resource_field_ref);
  if (value) return std::nullopt;
  return Finding{cat(where, ".resourceFieldRef"), std::move(value).error().text};
}

std::optional<Finding> check_source(const File& file, const Source& source,
                                    const std::string& where, std::vector<Placed>& files) {
  const manifest::Projection& of = source.projection;
  const size_t kinds = static_cast<size_t>(of.config_map.has_value()) +
                       static_cast<size_t>(of.secret.has_value()) +
                       static_cast<size_t>(of.downward.has_value());
  if (kinds != 1) {
    return Finding{where, cat(kinds == 0 ? "needs one of " : "has more than one of ",
                              "configMap, secret and downwardAPI")};
  }
  const auto missing = [&](std::string_view kind, std::string_view name) {
    return Finding{cat(where, ".", source.name),
                   cat("there is no ", kind, " ", quoted(name), " in the file")};
  };
  if (of.config_map) {
    const manifest::ConfigMap* map = file.config_map(of.config_map->name);
    if (map == nullptr && !of.config_map->optional)
      return missing("ConfigMap", of.config_map->name);
    return check_keys(*of.config_map, map == nullptr ? nullptr : &map->data, where, files);
  }
  if (of.secret) {
    const manifest::Secret* secret = file.secret(of.secret->name);
    if (secret == nullptr && !of.secret->optional) return missing("Secret", of.secret->name);
    return check_keys(*of.secret, secret == nullptr ? nullptr : &secret->data, where, files);
  }
  for (size_t i = 0; i < of.downward->items.size(); ++i) {
    const std::string place = cat(where, ".items[", i, "]");
    POD_CHECK(check_item_path(of.downward->items[i].path, cat(place, ".path"), files));
    POD_CHECK(check_downward_file(file, of.downward->items[i], place));
  }
  return std::nullopt;
}

std::optional<Finding> check_empty_dir(const manifest::EmptyDir& volume, std::string_view where) {
  if (!volume.medium.empty() && volume.medium != "Memory") {
    return Finding{cat(where, ".medium"),
                   cat("expected \"\" or Memory, found ", quoted(volume.medium))};
  }
  if (!volume.size_limit) return std::nullopt;
  if (volume.medium.empty()) {
    return Finding{cat(where, ".sizeLimit"), std::string(kOnlyInMemory)};
  }
  const Result<int64_t> bytes = units(*volume.size_limit);
  if (!bytes) return Finding{cat(where, ".sizeLimit"), bytes.error().text};
  if (*bytes == 0) return Finding{cat(where, ".sizeLimit"), "must not be 0"};
  return std::nullopt;
}

std::optional<Finding> check_volume(const File& file, const Volume& volume,
                                    const std::string& where) {
  const size_t kinds = static_cast<size_t>(volume.host_path.has_value()) +
                       static_cast<size_t>(volume.empty_dir.has_value()) +
                       static_cast<size_t>(volume.config_map.has_value()) +
                       static_cast<size_t>(volume.secret.has_value()) +
                       static_cast<size_t>(volume.downward.has_value()) +
                       static_cast<size_t>(volume.projected.has_value());
  if (kinds != 1) {
    return Finding{where, cat(kinds == 0 ? "needs one of " : "has more than one of ",
                              "hostPath, emptyDir, configMap, secret, downwardAPI and projected")};
  }
  if (volume.host_path) {
    const std::string& path = volume.host_path->path;
    if (!path.starts_with('/') || !(path == "/" || stays_inside(path.substr(1)))) {
      return Finding{cat(where, ".hostPath.path"),
                     "must be an absolute path, and must not contain \"..\""};
    }
  }
  if (volume.empty_dir) return check_empty_dir(*volume.empty_dir, cat(where, ".emptyDir"));
  const std::vector<Source> sources = sources_of(volume);
  std::vector<Placed> files;  // with views of these
  for (const Source& source : sources)
    POD_CHECK(check_source(file, source, cat(where, ".", source.place), files));
  return check_paths(files);
}

std::optional<Finding> check_mounts(const PodSpec& spec, const Container& container,
                                    const std::string& where) {
  const auto& mounts = container.volume_mounts;
  for (size_t i = 0; i < mounts.size(); ++i) {
    const manifest::VolumeMount& mount = mounts[i];
    const std::string place = cat(where, ".volumeMounts[", i, "]");
    const auto volume = std::find_if(spec.volumes.begin(), spec.volumes.end(),
                                     [&](const Volume& v) { return v.name == mount.name; });
    if (volume == spec.volumes.end()) {
      return Finding{cat(place, ".name"), cat("there is no volume ", quoted(mount.name))};
    }
    if (!mount.mount_path.starts_with('/') || clean_path(mount.mount_path) == "/") {
      return Finding{cat(place, ".mountPath"), "must be an absolute path, and not /"};
    }
    for (size_t j = 0; j < i; ++j) {
      if (clean_path(mounts[j].mount_path) == clean_path(mount.mount_path)) {
        return Finding{cat(place, ".mountPath"),
                       cat(quoted(mount.mount_path), " is already where volumeMounts[", j, "] is")};
      }
    }
    if (!mount.sub_path.empty() && !stays_inside(mount.sub_path)) {
      return Finding{cat(place, ".subPath"),
                     "must be a relative path, and must not contain \"..\""};
    }
    const bool privileged =
        container.security_context && container.security_context->privileged.value_or(false);
    if (mount.mount_propagation == manifest::Propagation::kBidirectional && !privileged) {
      return Finding{cat(place, ".mountPropagation"), "Bidirectional needs privileged: true"};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Finding> check_volumes(const File& file) {
  const PodSpec& spec = file.pod.spec;
  for (size_t i = 0; i < spec.volumes.size(); ++i) {
    const Volume& volume = spec.volumes[i];
    const std::string where = cat("spec.volumes[", i, "]");
    if (!pod::is_dns_label(volume.name)) {
      return Finding{cat(where, ".name"), cat(quoted(volume.name), " ", pod::kNameRule)};
    }
    for (size_t j = 0; j < i; ++j) {
      if (spec.volumes[j].name == volume.name) {
        return Finding{cat(where, ".name"),
                       cat(quoted(volume.name), " is already the name of spec.volumes[", j, "]")};
      }
    }
    POD_CHECK(check_volume(file, volume, where));
  }
  for (size_t i = 0; i < container_count(spec); ++i) {
    POD_CHECK(check_mounts(spec, container_at(spec, i), place_of_container(spec, i)));
  }
  return std::nullopt;
}

}  // namespace ocirt::podfile
