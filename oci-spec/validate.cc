// Rules between the properties of config.json: its top level, mounts and hooks. The other parts are
// in validate_*.cc.
//
// A rule is here when the specification says MUST, or when the kernel cannot carry the document out
// and would say so with a bare errno in the middle of a start. What depends on the host (does a
// path exist, is a cgroup controller there) is the runtime's to find out. Nothing that other
// runtimes start is refused without a sentence of the specification behind it.
#include "oci-spec/validate.h"

#include <algorithm>

#include "oci-spec/documents.h"
#include "oci-spec/json/text.h"

namespace oci {
namespace rules {

Path Path::operator/(std::string_view member) const {
  Path path = *this;
  json::append_member(path.text_, member);
  return path;
}
Path Path::operator[](std::size_t index) const {
  Path path = *this;
  json::append_index(path.text_, index);
  return path;
}
Path Path::key(std::string_view name) const {
  Path path = *this;
  json::append_key(path.text_, name);
  return path;
}

const Namespace* find_namespace(const Spec& spec, NamespaceType type) {
  if (!spec.linux) return nullptr;
  for (const Namespace& entry : spec.linux->namespaces) {
    if (entry.type == type) return &entry;
  }
  return nullptr;
}

// user_namespaces(7), "Defining user and group ID mappings": a range has at least one ID and stays
// below 4294967295, and no ID is mapped twice. The kernel answers EINVAL to the whole write.
Finding check_id_mappings(const std::vector<IdMapping>& mappings, const Path& path) {
  constexpr std::uint64_t kNoId = 0xFFFFFFFFu;
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const IdMapping& one = mappings[i];
    if (one.size == 0) return finding(path[i] / "size", "must be at least 1");
    if (std::uint64_t{one.container_id} + one.size > kNoId ||
        std::uint64_t{one.host_id} + one.size > kNoId) {
      return finding(path[i] / "size", "the range ends beyond the largest ID, 4294967294");
    }
  }
  // Sorted by first ID, neighbours tell; there may be thousands.
  const auto overlap = [&](std::uint32_t IdMapping::* first) -> const IdMapping* {
    std::vector<const IdMapping*> order;
    order.reserve(mappings.size());
    for (const IdMapping& one : mappings) order.push_back(&one);
    std::sort(order.begin(), order.end(), [&](const IdMapping* a, const IdMapping* b) {
      return a->*first != b->*first ? a->*first < b->*first : a < b;
    });
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (order[i]->*first - order[i - 1]->*first < order[i - 1]->size) {
        return std::max(order[i], order[i - 1]);
      }
    }
    return nullptr;
  };
  if (mappings.size() < 2) return {};
  const auto index = [&](const IdMapping* one) {
    return static_cast<std::size_t>(one - mappings.data());
  };
  if (const IdMapping* one = overlap(&IdMapping::container_id)) {
    return finding(path[index(one)] / "containerID", "the range overlaps that of another entry");
  }
  if (const IdMapping* one = overlap(&IdMapping::host_id)) {
    return finding(path[index(one)] / "hostID", "the range overlaps that of another entry");
  }
  return {};
}

namespace {

// config.md, "Specification version": "ociVersion MUST be in SemVer v2.0.0 format". All of 1.x is
// compatible; other major versions are other formats.
Finding check_version(std::string_view version) {
  const auto take_number = [&] {
    const std::size_t digits = std::min(version.find_first_not_of("0123456789"), version.size());
    const std::string_view number = version.substr(0, digits);
    version.remove_prefix(digits);
    return number;
  };
  const auto is_number = [](std::string_view text) {
    return !text.empty() && (text.size() == 1 || text.front() != '0');
  };
  // Dot-separated words of letters, digits and hyphens, up to one of `stops`.
  const auto take_words = [&](std::string_view stops) {
    version.remove_prefix(1);
    std::string_view words = version.substr(0, version.find_first_of(stops));
    version.remove_prefix(words.size());
    constexpr std::string_view kWord =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.";
    return !words.empty() && words.find_first_not_of(kWord) == std::string_view::npos &&
           !words.starts_with('.') && !words.ends_with('.') && !words.contains("..");
  };
  const std::string found = json::quoted(version);
  bool valid = true;
  std::string_view major;
  for (int part = 0; part < 3 && valid; ++part) {
    if (part != 0) {
      valid = version.starts_with('.');
      if (!valid) break;
      version.remove_prefix(1);
    }
    const std::string_view number = take_number();
    valid = is_number(number);
    if (part == 0) major = number;
  }
  if (valid && version.starts_with('-')) valid = take_words("+");
  if (valid && version.starts_with('+')) valid = take_words("");
  if (!valid || !version.empty()) {
    return finding(Path("ociVersion"), "must be a semantic version such as 1.3.0, found " + found);
  }
  if (major != "1") {
    return finding(Path("ociVersion"),
                   "version " + found + " is not supported; supported are 1.0.0 to " +
                       std::string(kVersion) + " and later ones of the 1.x series");
  }
  return {};
}

// config.md, "Mounts".
Finding check_mounts(const std::vector<Mount>& mounts, std::string_view list) {
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const Mount& mount = mounts[i];
    const auto path = [&] { return Path(list)[i]; };
    // "destination (string, REQUIRED)". A relative one is taken from "/" since 1.2.0.
    if (mount.destination.empty()) {
      return finding(path() / "destination", "must not be empty");
    }
    // uidMappings and gidMappings of a mount belong together (1.1.0).
    if (mount.uid_mappings.empty() != mount.gid_mappings.empty()) {
      return finding(path() / (mount.uid_mappings.empty() ? "gidMappings" : "uidMappings"),
                     "uidMappings and gidMappings must be given together");
    }
    if (mount.uid_mappings.empty()) continue;
    OCI_CHECK(check_id_mappings(mount.uid_mappings, path() / "uidMappings"));
    OCI_CHECK(check_id_mappings(mount.gid_mappings, path() / "gidMappings"));
  }
  return {};
}

// config.md, "POSIX-platform Hooks": "path ... This value MUST be an absolute path", "timeout ...
// If set, timeout MUST be greater than zero".
Finding check_hooks(const Hooks& hooks) {
  const std::pair<std::string_view, const std::vector<Hook>*> kinds[] = {
      {"prestart", &hooks.prestart},
      {"createRuntime", &hooks.create_runtime},
      {"createContainer", &hooks.create_container},
      {"startContainer", &hooks.start_container},
      {"poststart", &hooks.poststart},
      {"poststop", &hooks.poststop},
  };
  for (const auto& [name, list] : kinds) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      const Hook& hook = (*list)[i];
      const auto path = [&, word = name] { return (Path("hooks") / word)[i]; };
      if (!is_absolute(hook.path)) return finding(path() / "path", "must be an absolute path");
      if (hook.timeout && *hook.timeout <= 0) {
        return finding(path() / "timeout", "must be greater than zero");
      }
    }
  }
  return {};
}

Finding check_spec(const Spec& spec) {
  OCI_CHECK(check_version(spec.oci_version));
  // config.md, "Root": optional for virtual machines and hyper-v containers alone, "On all other
  // platforms, this field is REQUIRED".
  if (!spec.root) return finding(Path("root"), "required, but missing");
  if (spec.root->path.empty()) return finding(Path("root.path"), "must not be empty");
  if (spec.process) OCI_CHECK(check_process(*spec.process, Path("process")));
  // config.md, "Hostname", "Domainname": of the UTS namespace of the container; without one they
  // would be the host's.
  if (spec.hostname && !spec.hostname->empty() && !find_namespace(spec, NamespaceType::kUts)) {
    return finding(Path("hostname"), "needs an entry of type \"uts\" in linux.namespaces");
  }
  if (spec.domainname && !spec.domainname->empty() && !find_namespace(spec, NamespaceType::kUts)) {
    return finding(Path("domainname"), "needs an entry of type \"uts\" in linux.namespaces");
  }
  OCI_CHECK(check_mounts(spec.mounts, "mounts"));
  if (spec.hooks) OCI_CHECK(check_hooks(*spec.hooks));
  // config.md, "Annotations": "Keys MUST NOT be an empty string."
  if (spec.annotations.find("") != nullptr) {
    return finding(Path("annotations").key(""), "the name of an annotation must not be empty");
  }
  if (spec.linux) OCI_CHECK(check_linux(spec));
  return {};
}

}  // namespace
}  // namespace rules

std::optional<Error> validate(const Spec& spec) { return rules::check_spec(spec); }

std::optional<Error> validate(const Process& process) {
  return rules::check_process(process, rules::Path(""));
}

std::optional<Error> validate(const std::vector<Mount>& mounts) {
  return rules::check_mounts(mounts, "");
}

std::optional<Error> validate(const Resources& resources) {
  return rules::check_resources(resources, rules::Path(""));
}

}  // namespace oci
