#include "src/container/pid_file.h"

#include <cerrno>
#include <utility>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::container {

PidFile::~PidFile() {
  if (!path_.empty()) (void)sys::unlink(sys::kCwd, path_);
}

Result<PidFile> PidFile::write(const std::string& path, pid_t pid) {
  PidFile file;
  if (path.empty()) return file;
  if (Result<> done = sys::put_file(path, cat(path, ".", pid, ".tmp"), cat(pid), 0644); !done) {
    const int code = done.error().code;
    if (code == ENOENT) {
      return std::unexpected(
          Error{ENOENT, cat("--pid-file: the directory of ", path, " is missing")});
    }
    return std::unexpected(Error{code, cat("--pid-file: write ", path, ": ", errno_text(code))});
  }
  file.path_ = path;
  return file;
}

}  // namespace ocirt::container
