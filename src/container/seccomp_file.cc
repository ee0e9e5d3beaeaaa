#include "src/container/seccomp_file.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::container {
namespace {

constexpr const char* kName = "seccomp.bpf";
constexpr size_t kMostInstructions = 4096;  // BPF_MAXINSNS

struct FileHeader {
  uint32_t flags = 0;
  uint32_t count = 0;  // so that a file cut short is noticed
};

}  // namespace

Result<> write_filter(const Directory& directory, const StoredFilter& filter) {
  if (filter.program.empty()) return {};
  FileHeader header{filter.flags, static_cast<uint32_t>(filter.program.size())};
  std::string content(reinterpret_cast<const char*>(&header), sizeof header);
  content.append(reinterpret_cast<const char*>(filter.program.data()),
                 filter.program.size() * sizeof(uint64_t));
  UniqueFd file =
      TRY(sys::open(directory.fd(), kName, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  return sys::write_all(file, kName, content);
}

Result<StoredFilter> read_filter(const Directory& directory) {
  Result<std::string> content = sys::read_file(directory.fd(), kName);
  if (!content && content.error().code == ENOENT) return StoredFilter();
  if (!content) return std::unexpected(std::move(content).error());
  FileHeader header;
  auto damaged = [] { return refuse(cat(kName, " in the container's directory is damaged")); };
  if (content->size() < sizeof header) return damaged();
  std::memcpy(&header, content->data(), sizeof header);
  if (header.count == 0 || header.count > kMostInstructions ||
      content->size() != sizeof header + header.count * sizeof(uint64_t)) {
    return damaged();
  }
  StoredFilter filter{header.flags, std::vector<uint64_t>(header.count)};
  std::memcpy(filter.program.data(), content->data() + sizeof header,
              header.count * sizeof(uint64_t));
  return filter;
}

}  // namespace ocirt::container
