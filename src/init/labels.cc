// process.apparmorProfile and process.selinuxLabel: under which profile or label the program will
// be executed (apparmor(7), "exec" of aa_change_onexec(2); setexeccon(3)). The kernel takes them
// from files of /proc that only the process itself can write, and only with the credentials with
// which it opened them.
//
// Through the host's /proc, while it is there, and only after proof that it is procfs with nothing
// mounted over the file: what is written to anything else would be lost, and the program run
// unconfined (CVE-2019-16884, CVE-2025-52881). Children inherit the setting, so it is made before
// init goes on in one, and before the user is changed.
#include <linux/magic.h>
#include <sys/vfs.h>

#include "src/init/init.h"
#include "src/init/mount_api.h"

namespace ocirt::init {
namespace {

long open_own(const Init& init, const char* path) {
  const char* top = *host_proc == '\0' ? "." : "/proc";
  int proc = must_open(init, top, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  struct statfs system{};
  struct stat status{};
  must(init, bare::call(SYS_fstatfs, proc, &system), "statfs /proc");
  must(init, bare::call(SYS_newfstatat, proc, "", &status, AT_EMPTY_PATH), "stat /proc");
  if (system.f_type != PROC_SUPER_MAGIC || status.st_ino != 1)  // PROC_ROOT_INO
    fail(init, 0, "/proc of this host is not procfs");
  open_how how{};
  how.flags = O_WRONLY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
  long fd = bare::openat2(proc, path, how);
  bare::close(proc);
  return fd;
}

// podman finds the file's name by its backquotes.
void write_label(const Init& init, const char* property, const char* path, long fd,
                 std::string_view label) {
  must(init, fd, property, ": open `/proc/", path, "`");
  long result = bare::write(static_cast<int>(fd), label.data(), label.size());
  if (result == -ENOENT) {
    fail(init, ENOENT, property, ": write \"", label, "\" to `/proc/", path,
         "` (is the profile loaded?)");
  }
  must(init, result, property, ": write \"", label, "\" to `/proc/", path, "`");
  bare::close(static_cast<int>(fd));
}

}  // namespace

void label_keyring(Init& init) {
  const plan::Process& process = init.plan.process;
  if (!process.selinux_label.given() || !process.new_keyring) return;
  const char* path = "self/attr/keycreate";  // until the program is executed
  write_label(init, "process.selinuxLabel", path, open_own(init, path),
              init.view.view(process.selinux_label));
}

void set_labels(Init& init) {
  const plan::Process& process = init.plan.process;
  const char* path = "self/attr/exec";
  if (process.apparmor_profile.given()) {
    bare::Buffer<4096> command;
    command << "exec " << init.text(process.apparmor_profile);
    if (command.cut()) fail(init, ENAMETOOLONG, "process.apparmorProfile");
    // A directory of its own since Linux 5.8, for hosts with more than one module.
    const char* own = "self/attr/apparmor/exec";
    long fd = open_own(init, own);
    if (fd == -ENOENT) fd = open_own(init, own = path);
    write_label(init, "process.apparmorProfile", own, fd, command.view());
  }
  if (process.selinux_label.given()) {
    write_label(init, "process.selinuxLabel", path, open_own(init, path),
                init.view.view(process.selinux_label));
  }
}

}  // namespace ocirt::init
