// Without pivot_root(2) the host's tree is still there below the container's. What would hand out
// the host most easily is taken away; the rest is why --no-pivot is no more than an expedient for
// an initramfs. It is not enough to look at /proc and /sys: a process that may make namespaces may
// mount procfs anew, unmasked, as long as one whole procfs is left anywhere in its mount namespace
// (that is the kernel's rule for user namespaces), under another one or in a chroot of the host as
// well.
#include "src/init/host_mounts.h"

#include <linux/limits.h>

#include "src/init/mount_api.h"

namespace ocirt::init {
namespace {

// The text up to `end`, which is taken off `rest` with it.
std::string_view cut(std::string_view& rest, std::string_view end) {
  const size_t at = rest.find(end);
  const std::string_view piece = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + end.size());
  return piece;
}

// mountinfo writes blanks and their like as "\040" (proc(5)). False when the path is too long.
bool decode(std::string_view text, char (&out)[PATH_MAX]) {
  size_t used = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (used == sizeof out - 1) return false;
    char c = text[i];
    if (c == '\\' && i + 3 < text.size()) {
      c = static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
      i += 3;
    }
    out[used++] = c;
  }
  out[used] = '\0';
  return true;
}

bool is_below(std::string_view path, std::string_view top) {
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

// "36 35 98:0 /root /mount/point options [optional fields] - type source options"
void hide_mount(std::string_view line, std::string_view root) {
  for (int field = 0; field < 4; ++field) cut(line, " ");
  const std::string_view point = cut(line, " ");
  cut(line, " - ");
  const std::string_view type = cut(line, " ");
  char path[PATH_MAX];
  if ((type != "proc" && type != "sysfs") || !decode(point, path) || is_below(path, root)) return;
  if (bare::call(SYS_umount2, path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0) {
    bare::mount("tmpfs", path, "tmpfs", MS_RDONLY, "nr_blocks=1");
  }
}

}  // namespace

void hide_host_mounts(const Init& init) {
  char root[PATH_MAX];
  const long length = must(init, bare::call(SYS_getcwd, root, sizeof root), "name the root");
  const std::string_view top(root, static_cast<size_t>(length) - 1);
  const int fd = static_cast<int>(
      must(init, bare::openat(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY), "open mountinfo"));
  static char buffer[8 * PATH_MAX];
  size_t used = 0;
  while (long got = must(init, bare::read(fd, buffer + used, sizeof buffer - used), "mountinfo")) {
    std::string_view rest(buffer, used + static_cast<size_t>(got));
    while (rest.find('\n') != std::string_view::npos) hide_mount(cut(rest, "\n"), top);
    if (rest.size() == sizeof buffer) fail(init, 0, "a line of mountinfo is too long");
    used = rest.size();
    std::memmove(buffer, rest.data(), used);
  }
  bare::close(fd);
}

}  // namespace ocirt::init
