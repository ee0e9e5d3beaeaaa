#include "src/container/draft_id_maps.h"

#include "src/base/text.h"

namespace ocirt::container {
namespace {

std::string map_text(const std::vector<oci::IdMapping>& mappings) {
  std::string text;
  for (const oci::IdMapping& one : mappings) {
    text += cat(one.container_id, " ", one.host_id, " ", one.size, "\n");
  }
  return text;
}

// The path of the user namespace that the container joins; empty when it joins none.
std::string joined_user_namespace(const oci::Linux& linux) {
  for (const oci::Namespace& one : linux.namespaces) {
    if (one.type == oci::NamespaceType::kUser && one.path) return *one.path;
  }
  return "";
}

// The host's id for `range.outside` of the container. Without a user namespace ids are the host's.
// All of the range has to be in one range of the container: a mount is not shown to ids that
// nobody wrote.
Result<uint32_t> absolute(const IdMapOptionRange& range,
                          const std::vector<oci::IdMapping>& container) {
  if (!range.relative || container.empty()) return range.outside;
  for (const oci::IdMapping& one : container) {
    if (range.outside < one.container_id) continue;
    const uint64_t skipped = uint64_t{range.outside} - one.container_id;
    if (skipped + range.size > one.size) continue;
    return static_cast<uint32_t>(one.host_id + skipped);
  }
  return refuse(cat("idmap: \"@", range.inside, "-", range.outside, "-", range.size,
                    "\" is not inside one range of the container's user namespace"));
}

Result<std::string> map_text(const std::vector<IdMapOptionRange>& ranges,
                             const std::vector<oci::IdMapping>& container) {
  std::string text;
  for (const IdMapOptionRange& range : ranges) {
    uint32_t outside = TRY(absolute(range, container));
    text += cat(range.inside, " ", outside, " ", range.size, "\n");
  }
  return text;
}

bool any_relative(const IdMapOption& option) {
  for (const auto* ranges : {&option.uids, &option.gids}) {
    for (const IdMapOptionRange& range : *ranges) {
      if (range.relative) return true;
    }
  }
  return false;
}

Result<IdMaps> maps_of_option(const std::string& text, const oci::Linux& linux) {
  IdMapOption option = TRY(parse_id_map_option(text));
  if (option.uids.empty() || option.gids.empty()) {
    return refuse(cat("idmap: ", option.uids.empty() ? "uids=" : "gids=",
                      " is missing: owners without a mapping could not be shown"));
  }
  if (any_relative(option) && !joined_user_namespace(linux).empty()) {
    return refuse("idmap: \"@\" needs linux.uidMappings and linux.gidMappings to count from");
  }
  IdMaps maps;
  maps.uids = TRY(map_text(option.uids, linux.uid_mappings));
  maps.gids = TRY(map_text(option.gids, linux.gid_mappings));
  return maps;
}

}  // namespace

Result<IdMaps> draft_id_maps(const oci::Mount& mount, const MountOptions& options,
                             const oci::Linux& linux) {
  const bool has_fields = !mount.uid_mappings.empty() || !mount.gid_mappings.empty();
  if (!options.idmap_ids.empty()) {
    if (has_fields) {
      return refuse("ids are mapped both by uidMappings and gidMappings and by the option idmap=");
    }
    return maps_of_option(options.idmap_ids, linux);
  }
  if (has_fields) return IdMaps{map_text(mount.uid_mappings), map_text(mount.gid_mappings), {}};
  if (!options.idmap) return IdMaps{};
  if (std::string path = joined_user_namespace(linux); !path.empty()) return IdMaps{{}, {}, path};
  if (linux.uid_mappings.empty() || linux.gid_mappings.empty()) {
    return refuse(
        "idmap needs uidMappings and gidMappings, or idmap=uids=...;gids=..., where the container "
        "has no user namespace");
  }
  return IdMaps{map_text(linux.uid_mappings), map_text(linux.gid_mappings), {}};
}

}  // namespace ocirt::container
