// Files, lines and mount tables, as the tests need them. Failures throw: in a test they are bugs of
// the test or of the machine, and gtest reports the message.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace harness {

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view text, mode_t mode = 0644);
bool exists(const std::string& path);
// Makes the directory and its missing parents.
void make_directories(const std::string& path, mode_t mode = 0755);
// Removes a tree without crossing into other file systems; what is absent is fine.
void remove_tree(const std::string& path);
// Names in a directory without "." and "..", sorted; empty when it cannot be opened.
std::vector<std::string> names_in(const std::string& directory);
// What a symbolic link says, or "" when it is not one.
std::string link_target(const std::string& path);

std::vector<std::string> split(std::string_view text, char separator);
std::vector<std::string> lines(std::string_view text);
std::vector<std::string> words(std::string_view text);
std::string trim(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
bool contains(const std::vector<std::string>& list, std::string_view word);
// The rest of the first line that begins with `key`, trimmed; "" when there is none.
std::string field(std::string_view text, std::string_view key);

// One line of /proc/PID/mountinfo (proc(5)).
struct Mount {
  std::string root, target, type, source;
  std::vector<std::string> options;        // of this mount
  std::vector<std::string> super_options;  // of the file system
  std::vector<std::string> tags;           // shared:N, master:N, propagate_from:N, unbindable

  bool has(std::string_view option) const { return contains(options, option); }
  bool has_super(std::string_view option) const { return contains(super_options, option); }
  bool is_shared() const;
  bool is_slave() const;
};
std::vector<Mount> parse_mountinfo(std::string_view text);
// The last (topmost) mount at `target`; throws when there is none.
Mount mount_at(const std::vector<Mount>& mounts, std::string_view target);

// Waits until the condition holds; false when it did not within the time, which is long: only
// failures take all of it, and machines may be slow.
template <class Condition>
bool eventually(Condition condition, int milliseconds = 30000);

void sleep_ms(int milliseconds);

template <class Condition>
bool eventually(Condition condition, int milliseconds) {
  for (int waited = 0; waited < milliseconds; waited += 5) {
    if (condition()) return true;
    sleep_ms(5);
  }
  return condition();
}

}  // namespace harness
