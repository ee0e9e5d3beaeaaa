#include "src/net/pod_hosts.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::net {
namespace {

constexpr size_t kMostHosts = size_t{8} << 20;  // a container may have written to its own

struct Slot {
  size_t offset;
  std::string_view text;  // with its newline
};

std::string text_of(const HostLine& line) {
  // As wide as most addresses of a bridge, so that lines fit where others were.
  std::string text = line.address;
  const size_t width = line.address.contains(':') ? 24 : 15;
  if (text.size() < width) text.resize(width, ' ');
  return cat(text, "\t", line.names, "\n");
}

std::vector<Slot> slots_of(std::string_view part, size_t offset) {
  std::vector<Slot> slots;
  while (!part.empty()) {
    const size_t end = part.find('\n');
    if (end == std::string_view::npos) break;  // not ours: all of ours end in one
    slots.push_back({offset, part.substr(0, end + 1)});
    offset += end + 1;
    part.remove_prefix(end + 1);
  }
  return slots;
}

}  // namespace

std::vector<Edit> edits_for(std::string_view file, const std::vector<HostLine>& lines) {
  std::vector<Edit> edits;
  std::string tail;  // goes to the end of the file
  const size_t mark = file.find(kHostsMark);
  std::vector<Slot> slots;
  if (mark == std::string_view::npos) {
    tail = cat(file.empty() || file.ends_with('\n') ? "" : "\n", kHostsMark);
  } else {
    const size_t begin = mark + kHostsMark.size();
    slots = slots_of(file.substr(begin), begin);
    if (!file.ends_with('\n')) tail = "\n";
  }
  std::vector<std::string> texts;
  texts.reserve(lines.size());
  for (const HostLine& line : lines) texts.push_back(text_of(line));
  std::set<std::string_view> missing(texts.begin(), texts.end());
  std::vector<Slot> unused;
  for (const Slot& slot : slots) {
    if (missing.erase(slot.text) != 0) continue;
    unused.push_back(slot);
    if (slot.text.front() != '#' && slot.text != "\n") edits.push_back({slot.offset, "#"});
  }
  std::vector<Edit> shown;  // the first characters, after everything else is in place
  const std::vector<std::string> left(missing.begin(), missing.end());
  for (std::string text : left) {
    const std::string first(1, text.front());
    text.front() = '#';
    auto free = std::ranges::find_if(
        unused, [&](const Slot& slot) { return slot.text.size() == text.size(); });
    if (free != unused.end()) {
      edits.push_back({free->offset, text});
      shown.push_back({free->offset, first});
      unused.erase(free);
    } else {
      shown.push_back({file.size() + tail.size(), first});
      tail += text;
    }
  }
  if (!tail.empty()) edits.push_back({file.size(), tail});
  edits.insert(edits.end(), shown.begin(), shown.end());
  return edits;
}

Result<> write_hosts(const std::string& path, const std::vector<HostLine>& lines) {
  UniqueFd fd = TRY(sys::open(sys::kCwd, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK));
  const std::string file = TRY(sys::read_all(fd, path, kMostHosts));
  for (const Edit& edit : edits_for(file, lines)) {
    const ssize_t put =
        ::pwrite(fd.raw(), edit.bytes.data(), edit.bytes.size(), static_cast<off_t>(edit.offset));
    if (put < 0) return os_error(cat("write ", path), errno);
    if (static_cast<size_t>(put) != edit.bytes.size()) return os_error(cat("write ", path), ENOSPC);
  }
  return {};
}

}  // namespace ocirt::net
