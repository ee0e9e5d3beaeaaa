#include "src/net/pod_hosts.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::net {
namespace {

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

std::vector<std::string> texts_of(const std::vector<HostLine>& lines) {
  std::vector<std::string> texts;
  texts.reserve(lines.size());
  for (const HostLine& line : lines) texts.push_back(text_of(line));
  return texts;
}

// The lines of our part that none of `missing` is, which loses those that are there; nothing when
// they are too many.
std::optional<std::vector<Slot>> unused_slots(std::string_view file, size_t offset,
                                              std::set<std::string_view>& missing) {
  std::vector<Slot> unused;
  while (offset < file.size()) {
    const size_t end = file.find('\n', offset);
    if (end == std::string_view::npos) break;  // not ours: all of ours end in one
    const Slot slot{offset, file.substr(offset, end + 1 - offset)};
    offset = end + 1;
    if (missing.erase(slot.text) != 0) continue;
    if (unused.size() == kMostUnused) return std::nullopt;
    unused.push_back(slot);
  }
  return unused;
}

// Cut off first, so that nobody reads a line of which half is another one's.
HostsChange written_anew(size_t size, const std::vector<std::string>& texts) {
  std::string part;
  for (const std::string& text : texts) part += text;
  return {size, {{size, std::move(part)}}};
}

// As much of it as is looked at.
Result<std::string> read_beginning(Fd fd, const std::string& path, size_t limit) {
  const struct stat info = TRY(sys::stat_fd(fd, path));
  std::string text(std::min(static_cast<size_t>(info.st_size), limit), '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd.raw(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error(cat("read ", path), errno);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  text.resize(size);
  return text;
}

}  // namespace

Result<HostsChange> hosts_change(std::string_view file, bool is_whole,
                                 const std::vector<HostLine>& lines) {
  const std::vector<std::string> texts = texts_of(lines);
  std::set<std::string_view> missing(texts.begin(), texts.end());
  HostsChange change;
  std::string tail;  // goes to the end of the file
  const size_t mark = file.find(kHostsMark);
  std::vector<Slot> unused;
  if (mark == std::string_view::npos) {
    if (!is_whole) {
      return std::unexpected(
          Error{EFBIG, cat("it has more than ", kMostForeign,
                           " bytes, and not among them the line ", quoted(trim(kHostsMark)))});
    }
    tail = cat(file.empty() || file.ends_with('\n') ? "" : "\n", kHostsMark);
  } else {
    const size_t begin = mark + kHostsMark.size();
    if (!is_whole) return written_anew(begin, texts);
    std::optional<std::vector<Slot>> found = unused_slots(file, begin, missing);
    if (!found) return written_anew(begin, texts);
    unused = *std::move(found);
    if (!file.ends_with('\n')) tail = "\n";
  }
  for (const Slot& slot : unused) {
    if (slot.text.front() != '#' && slot.text != "\n") change.edits.push_back({slot.offset, "#"});
  }
  std::vector<Edit> shown;  // the first characters, after everything else is in place
  const std::vector<std::string> left(missing.begin(), missing.end());
  for (std::string text : left) {
    const std::string first(1, text.front());
    text.front() = '#';
    auto free = std::ranges::find_if(
        unused, [&](const Slot& slot) { return slot.text.size() == text.size(); });
    if (free != unused.end()) {
      change.edits.push_back({free->offset, text});
      shown.push_back({free->offset, first});
      unused.erase(free);
    } else {
      shown.push_back({file.size() + tail.size(), first});
      tail += text;
    }
  }
  if (!tail.empty()) change.edits.push_back({file.size(), tail});
  change.edits.insert(change.edits.end(), shown.begin(), shown.end());
  return change;
}

Result<> write_hosts(const std::string& path, const std::vector<HostLine>& lines) {
  UniqueFd fd = TRY(sys::open(sys::kCwd, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK));
  size_t limit = kMostForeign;
  for (const std::string& text : texts_of(lines)) limit += 2 * text.size();
  const std::string file = TRY(read_beginning(fd, path, limit + 1));
  const HostsChange change = TRY(within(
      path, hosts_change(std::string_view(file).substr(0, limit), file.size() <= limit, lines)));
  if (change.size && ::ftruncate(fd.raw(), static_cast<off_t>(*change.size)) < 0) {
    return os_error(cat("cut ", path), errno);
  }
  for (const Edit& edit : change.edits) {
    const ssize_t put =
        ::pwrite(fd.raw(), edit.bytes.data(), edit.bytes.size(), static_cast<off_t>(edit.offset));
    if (put < 0) return os_error(cat("write ", path), errno);
    if (static_cast<size_t>(put) != edit.bytes.size()) return os_error(cat("write ", path), ENOSPC);
  }
  return {};
}

}  // namespace ocirt::net
