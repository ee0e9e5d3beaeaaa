#include "src/linux/resctrl.h"

#include <cerrno>
#include <utility>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::resctrl {
namespace {

constexpr const char* kUsualPlace = "/sys/fs/resctrl";
constexpr uint64_t kMagic = 0x7655821;  // RDTGROUP_SUPER_MAGIC, in newer <linux/magic.h>

bool has_schema(const oci::IntelRdt& rdt) {
  return rdt.l3_cache_schema || rdt.mem_bw_schema || !rdt.schemata.empty();
}

// A mask or percentage without the zeros and the case by which the kernel's form differs from ours.
std::string plain(std::string_view value) {
  value = trim(value);
  while (value.size() > 1 && value.front() == '0') value.remove_prefix(1);
  std::string text(value);
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// Of the lines "L3:0=ff;1=f", the value of one resource's domain; empty when there is none.
std::string value_of(std::string_view schemata, std::string_view resource,
                     std::string_view domain) {
  for (std::string_view line : split(schemata, '\n')) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || trim(line.substr(0, colon)) != resource) continue;
    for (std::string_view pair : split(line.substr(colon + 1), ';')) {
      const size_t equals = pair.find('=');
      if (equals == std::string_view::npos) continue;
      if (plain(pair.substr(0, equals)) == domain) return plain(pair.substr(equals + 1));
    }
  }
  return "";
}

// "If `closID` exists, runtimes MUST compare ... and generate an error if doesn't match."
Result<> compare(std::string_view directory, const std::vector<std::string>& lines) {
  const std::string present = TRY(sys::read_file(sys::kCwd, cat(directory, "/schemata")));
  for (const std::string& line : lines) {
    const size_t colon = line.find(':');
    const std::string_view resource = trim(std::string_view(line).substr(0, colon));
    for (std::string_view pair : split(std::string_view(line).substr(colon + 1), ';')) {
      const size_t equals = pair.find('=');
      const std::string value =
          equals == std::string_view::npos ? "" : plain(pair.substr(equals + 1));
      const std::string found = value_of(present, resource, plain(pair.substr(0, equals)));
      if (!value.empty() && value == found) continue;
      return refuse(cat("linux.intelRdt.closID: the class ", directory,
                        " is there already with another schema than ", quoted(line)));
    }
  }
  return {};
}

}  // namespace

std::optional<std::string> root_in_mountinfo(std::string_view mountinfo) {
  for (std::string_view line : split(mountinfo, '\n')) {
    const size_t dash = line.find(" - resctrl ");
    if (dash == std::string_view::npos) continue;
    const std::vector<std::string_view> fields = split(line.substr(0, dash), ' ');
    if (fields.size() > 4 && fields[3] == "/") return std::string(fields[4]);
  }
  return std::nullopt;
}

std::optional<std::string> find_root() {
  Result<uint64_t> type = sys::filesystem_type(kUsualPlace);
  if (type && *type == kMagic) return kUsualPlace;
  // A kernel without it has no such directory, and then need not be searched.
  if (!type) return std::nullopt;
  Result<std::string> mountinfo = sys::read_file(sys::kCwd, "/proc/self/mountinfo", 64 << 20);
  return mountinfo ? root_in_mountinfo(*mountinfo) : std::nullopt;
}

std::vector<std::string> schemata_lines(const oci::IntelRdt& rdt) {
  std::vector<std::string> lines;
  const std::string_view cache =
      rdt.l3_cache_schema ? std::string_view(*rdt.l3_cache_schema) : std::string_view();
  for (std::string_view line : split(cache, '\n')) {
    if (trim(line).empty() || (rdt.mem_bw_schema && line.starts_with("MB:"))) continue;
    lines.emplace_back(line);
  }
  if (rdt.mem_bw_schema) lines.push_back(*rdt.mem_bw_schema);
  for (const std::string& line : rdt.schemata) lines.push_back(line);
  return lines;
}

Result<Group> locate(const std::optional<std::string>& root, const oci::IntelRdt& rdt,
                     std::string_view id) {
  if (!root) {
    return refuse(
        "not supported: linux.intelRdt: no resctrl file system is mounted on this host, nor does "
        "every processor and kernel have one");
  }
  Group group;
  const bool named = rdt.clos_id && !rdt.clos_id->empty();
  // "/" is the class that everything is in which has no other: the root itself.
  const bool is_default = named && *rdt.clos_id == "/";
  group.directory =
      is_default ? *root : cat(*root, "/", named ? std::string_view(*rdt.clos_id) : id);
  group.own_class = !named;
  const bool is_there = sys::is_directory(sys::kCwd, group.directory);
  if (!named && is_there) {
    return refuse(cat("linux.intelRdt: there is a class ", group.directory,
                      " already, which is not this container's"));
  }
  if (named && !has_schema(rdt) && !is_there) {
    return refuse(cat("linux.intelRdt.closID: there is no class ", group.directory,
                      ", and no schema to make it with"));
  }
  if (named && is_there) TRY(compare(group.directory, schemata_lines(rdt)));
  if (rdt.enable_monitoring.value_or(false)) {
    group.monitoring = cat(group.directory, "/mon_groups/", id);
    if (sys::is_directory(sys::kCwd, group.monitoring)) {
      return refuse(cat("linux.intelRdt.enableMonitoring: there is a group ", group.monitoring,
                        " already, which is not this container's"));
    }
  }
  return group;
}

Made::~Made() {
  while (!directories_.empty()) {
    (void)sys::rmdir(sys::kCwd, directories_.back());
    directories_.pop_back();
  }
}

Result<Made> make(const Group& group) {
  Made made;
  for (const std::string& directory : {group.directory, group.monitoring}) {
    if (directory.empty()) continue;
    Result<> done = sys::mkdir(sys::kCwd, directory, 0755);
    if (done) {
      made.directories_.push_back(directory);
      continue;
    }
    if (done.error().code == EEXIST && directory == group.directory && !group.own_class) continue;
    if (done.error().code == ENOSPC) {
      return std::unexpected(
          Error{ENOSPC, cat("make ", directory, ": the processor has no class or counter left")});
    }
    return std::unexpected(std::move(done).error());
  }
  return made;
}

Result<> configure(const Group& group, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    Result<> done =
        sys::write_control(sys::kCwd, cat(group.directory, "/schemata"), cat(line, "\n"));
    if (done) continue;
    std::string top = group.directory;
    if (!sys::is_directory(sys::kCwd, cat(top, "/info"))) top.resize(top.rfind('/'));
    Result<std::string> why = sys::read_file(sys::kCwd, cat(top, "/info/last_cmd_status"));
    Error error = std::move(done).error();
    error.text = cat(quoted(line), ": ", error.text);
    if (why && !trim(*why).empty()) error.text += cat(" (the kernel says: ", trim(*why), ")");
    return std::unexpected(std::move(error));
  }
  return {};
}

Result<> enter(const Group& group, pid_t pid) {
  if (group.directory.empty()) return {};
  TRY(sys::write_control(sys::kCwd, cat(group.directory, "/tasks"), cat(pid)));
  if (group.monitoring.empty()) return {};
  return sys::write_control(sys::kCwd, cat(group.monitoring, "/tasks"), cat(pid));
}

Result<> remove(const Group& group) {
  for (const std::string& directory :
       {group.monitoring, group.own_class ? group.directory : std::string()}) {
    if (directory.empty()) continue;
    Result<> done = sys::rmdir(sys::kCwd, directory);
    if (!done && done.error().code != ENOENT) return done;
  }
  return {};
}

}  // namespace ocirt::resctrl
