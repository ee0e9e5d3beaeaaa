// linux.intelRdt: classes of service for cache and memory bandwidth, in the resctrl file system
// (config-linux.md, "IntelRdt"; Documentation/filesystems/resctrl.rst of the kernel). A class is a
// directory with a file `schemata`, and processes enter it by their number in its `tasks`.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/linux.h"
#include "src/base/result.h"

namespace ocirt::resctrl {

// A container's place, a plain value for its record. All empty: it has none.
struct Group {
  std::string directory;   // of the class: "/sys/fs/resctrl/c1"
  std::string monitoring;  // its own monitoring group in it, or empty
  bool own_class = false;  // made for this container alone, and removed with it
  bool operator==(const Group&) const = default;
};

// Where resctrl is mounted: at its usual place, otherwise looked for in `mountinfo`.
std::optional<std::string> find_root();
std::optional<std::string> root_in_mountinfo(std::string_view mountinfo);

// Decides where the container's class is; `root` from find_root(). Only looks. Refuses a host
// without resctrl, a class that must be there already (closID without any schema) and is not, one
// that must be new (no closID) and is there, and one whose schemata are other than those asked for.
Result<Group> locate(const std::optional<std::string>& root, const oci::IntelRdt& rdt,
                     std::string_view id);

// The lines for `schemata`: where memBwSchema is given, its line takes the place of
// l3CacheSchema's.
std::vector<std::string> schemata_lines(const oci::IntelRdt& rdt);

// Owns what make() made until commit().
class [[nodiscard]] Made {
 public:
  Made() = default;
  Made(Made&& other) noexcept : directories_(std::move(other.directories_)) {
    other.directories_.clear();
  }
  Made& operator=(Made&& other) noexcept {
    directories_.swap(other.directories_);
    return *this;
  }
  ~Made();
  void commit() { directories_.clear(); }

 private:
  friend Result<Made> make(const Group&);
  std::vector<std::string> directories_;
};

// Makes the directories that are missing.
Result<Made> make(const Group& group);

// Writes the lines; the kernel's own words about a bad one are part of the error.
Result<> configure(const Group& group, const std::vector<std::string>& lines);

// Moves a process into the class and its monitoring group; its children are born there.
Result<> enter(const Group& group, pid_t pid);

// Removes the monitoring group, and the class if it is the container's own.
Result<> remove(const Group& group);

}  // namespace ocirt::resctrl
