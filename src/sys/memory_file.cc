// Anonymous files in memory, sealed ones too (file.h).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/retry.h"

#ifndef MFD_NOEXEC_SEAL  // Linux 6.3
#define MFD_NOEXEC_SEAL 0x0008U
#define MFD_EXEC 0x0010U
#endif

namespace ocirt::sys {
namespace {

// Without one of the two exec flags Linux 6.3 and later print a warning to the kernel's log, and
// older kernels refuse both with EINVAL.
Result<UniqueFd> memory_file_with(CStr name, unsigned flags, unsigned exec_flag) {
  int raw = ::memfd_create(name.c_str(), flags | exec_flag);
  if (raw < 0 && errno == EINVAL) raw = ::memfd_create(name.c_str(), flags);
  if (raw < 0) return os_error(cat("memfd_create ", name.view()), errno);
  return UniqueFd(raw);
}

}  // namespace

Result<UniqueFd> memory_file(CStr name) {
  return memory_file_with(name, MFD_CLOEXEC, MFD_NOEXEC_SEAL);
}

Result<UniqueFd> sealed_memory(CStr name, std::initializer_list<std::string_view> pieces,
                               bool executable) {
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd fd = TRY(memory_file_with(name, flags, executable ? MFD_EXEC : MFD_NOEXEC_SEAL));
  std::vector<iovec> parts;
  size_t total = 0;
  for (std::string_view piece : pieces) {
    parts.push_back({const_cast<char*>(piece.data()), piece.size()});
    total += piece.size();
  }
  // By position, so that the offset stays at the beginning for the reader.
  ssize_t put =
      retry([&] { return ::pwritev(fd.raw(), parts.data(), static_cast<int>(parts.size()), 0); });
  if (put < 0) return os_error(cat("write to memory file ", name.view()), errno);
  if (static_cast<size_t>(put) != total)
    return refuse(cat("write to memory file ", name.view(), ": cut short"));
  if (::fcntl(fd.raw(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) <
      0) {
    return os_error(cat("seal memory file ", name.view()), errno);
  }
  return fd;
}

}  // namespace ocirt::sys
