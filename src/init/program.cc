// The program itself: working directory, environment, where it is in the container, execve(2).
#include <linux/capability.h>
#include <linux/limits.h>
#include <sys/prctl.h>

#include "src/init/init.h"

namespace ocirt::init {
namespace {

constexpr size_t kMostPasswd = 1 << 16;

std::string_view environment(const Init& init, std::string_view name) {
  // The last one of a name counts, as getenv(3) of most programs would have it after deduplication.
  std::string_view value;
  for (plan::Text text : init.list(init.plan.process.env)) {
    std::string_view entry = init.view.view(text);
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      value = entry.substr(name.size() + 1);
    }
  }
  return value;
}

// Home directory of a uid in the container's /etc/passwd; "/" when it has none.
void home_of(uint32_t uid, bare::Buffer<PATH_MAX>& home) {
  static char content[kMostPasswd];
  long fd = bare::openat(AT_FDCWD, "/etc/passwd", O_RDONLY | O_NOCTTY | O_NONBLOCK);
  size_t size = 0;
  if (fd >= 0) {
    for (;;) {
      long got = bare::read(static_cast<int>(fd), content + size, sizeof content - size);
      if (got <= 0) break;
      size += static_cast<size_t>(got);
    }
    bare::close(static_cast<int>(fd));
  }
  bare::Buffer<16> wanted;
  wanted << uid;
  std::string_view rest(content, size);
  while (!rest.empty()) {
    size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    std::string_view field[7];
    size_t count = 0;
    while (count < 7) {
      size_t colon = line.find(':');
      field[count++] = line.substr(0, colon);
      if (colon == std::string_view::npos) break;
      line.remove_prefix(colon + 1);
    }
    if (count >= 6 && field[2] == wanted.view() && !field[5].empty()) {
      home << field[5];
      return;
    }
  }
  home << "/";
}

// Whether the user may execute it, whose rights may be those of capabilities: faccessat(2), which
// every filter allows, asks for the real user and leaves them out.
long allowed(const Init& init, const char* path) {
  constexpr int kExecutable = 1;  // X_OK
  if (!is_filtered(init)) {
    const long result = bare::call(SYS_faccessat2, AT_FDCWD, path, kExecutable, AT_EACCESS);
    if (result != -ENOSYS) return result;  // before Linux 5.8
  }
  constexpr uint64_t kPassingBy = uint64_t{1} << CAP_DAC_OVERRIDE | uint64_t{1}
                                                                        << CAP_DAC_READ_SEARCH;
  if ((init.plan.process.effective & kPassingBy) != 0) return 0;  // execve(2) will tell
  return bare::call(SYS_faccessat, AT_FDCWD, path, kExecutable);
}

// Whether the file itself can be executed, by one call; not whether its interpreter is there.
// -EINVAL where that call is missing (before Linux 6.14) or a filter is in force.
long asked_at_once(const Init& init, const char* path) {
  constexpr unsigned kExecveCheck = 0x10000;  // AT_EXECVE_CHECK
  static bool missing;
  if (missing || is_filtered(init)) return -EINVAL;
  const long result = bare::call(SYS_execveat, AT_FDCWD, path, nullptr, nullptr, kExecveCheck);
  missing = result == -EINVAL || result == -ENOSYS;
  return result;
}

// 0 when the file can be executed, otherwise why not. What a shell would say of it is said here
// too: callers decide by these words between the exit codes 126 and 127.
long executable(const Init& init, const char* path) {
  // A search through PATH meets this answer most.
  if (const long result = asked_at_once(init, path); result == 0 || result == -ENOENT)
    return result;
  struct stat status{};
  long result = bare::call(SYS_newfstatat, AT_FDCWD, path, &status, 0);
  if (result < 0) return result;
  if (S_ISDIR(status.st_mode)) return -EISDIR;
  // With effective ids, and without CAP_DAC_OVERRIDE's help: root too needs one x bit.
  if ((status.st_mode & 0111) == 0) return -EACCES;
  return allowed(init, path);
}

[[noreturn]] void refuse_program(const Init& init, const char* program, long error) {
  switch (error) {
    case -ENOENT:
      fail(init, 0, "exec: \"", program, "\": stat ", program, ": no such file or directory");
    case -EISDIR:
      fail(init, 0, "exec: \"", program, "\": is a directory: permission denied");
    case -EACCES:
      fail(init, 0, "exec: \"", program, "\": permission denied");
    default:
      fail(init, -error, "exec: \"", program, "\"");
  }
}

}  // namespace

bool is_filtered(const Init& init) {
  const plan::Process& process = init.plan.process;
  return process.seccomp.count != 0 && !process.no_new_privileges;
}

void enter_directory(Init& init) {
  const plan::Process& process = init.plan.process;
  const char* cwd = init.text(process.cwd);
  // Where switch_root() went, or setns(2) has put us: the top of the mount namespace.
  if (init.view.view(process.cwd) == "/" && (init.plan.build_root || init.joined_mounts)) return;
  long result = bare::call(SYS_chdir, cwd);
  if (result == -ENOENT && process.create_cwd) {
    // Root is ours now: the path is the container's.
    char prefix[PATH_MAX];
    size_t size = std::strlen(cwd);
    if (size >= sizeof prefix) fail(init, ENAMETOOLONG, "process.cwd: ", cwd);
    for (size_t at = 1; at <= size; ++at) {
      if (at != size && cwd[at] != '/') continue;
      std::memcpy(prefix, cwd, at);
      prefix[at] = '\0';
      long made = bare::mkdirat(AT_FDCWD, prefix, 0755);
      if (made != -EEXIST) must(init, made, "process.cwd: make directory ", prefix);
    }
    result = bare::call(SYS_chdir, cwd);
  }
  // A file system that knows only its user (FUSE, NFS with root_squash) lets us in as that one.
  if (result == -EACCES && !init.enter_as_user) {
    init.enter_as_user = true;
    return;
  }
  must(init, result, "process.cwd: chdir to ", cwd);
  // CVE-2024-21626: a directory that is not below our root would be a way back to the host.
  char where[PATH_MAX];
  long length = bare::call(SYS_getcwd, where, sizeof where);
  must(init, length, "process.cwd: ", cwd);
  if (where[0] != '/') fail(init, 0, "process.cwd: ", cwd, " is outside the container's root");
}

void find_program(Init& init) {
  const plan::Process& process = init.plan.process;
  const char* name = init.text(init.list(process.args)[0]);
  static char found[PATH_MAX];
  if (std::string_view(name).find('/') != std::string_view::npos) {
    init.program = name;
    if (init.plan.program_found_late) return;
    long result = executable(init, name);
    if (result < 0) refuse_program(init, name, result);
    return;
  }
  std::string_view path = environment(init, "PATH");
  long denied = 0;
  size_t length = std::strlen(name);
  for (bool more = !path.empty() && length != 0; more;) {
    size_t colon = path.find(':');
    std::string_view directory = path.substr(0, colon);
    more = colon != std::string_view::npos;
    if (more) path.remove_prefix(colon + 1);
    if (directory.empty()) directory = ".";
    if (directory.size() + length + 2 > sizeof found) continue;
    std::memcpy(found, directory.data(), directory.size());
    found[directory.size()] = '/';
    std::memcpy(found + directory.size() + 1, name, length + 1);
    long result = executable(init, found);
    if (result == 0) {
      init.program = found;
      return;
    }
    if (result == -EACCES) denied = result;
  }
  if (denied != 0) refuse_program(init, name, denied);
  fail(init, 0, "exec: \"", name, "\": executable file not found in $PATH");
}

void close_descriptors(Init& init) {
  must(init,
       bare::call(SYS_close_range, 3 + init.plan.process.preserved_fds, ~0U, CLOSE_RANGE_CLOEXEC),
       "close descriptors");
}

void complete_environment(Init& init) {
  if (!environment(init, "HOME").empty()) return;
  static bare::Buffer<PATH_MAX> home;
  home << "HOME=";
  home_of(init.plan.process.uid, home);
  init.home = home.c_str();
}

[[noreturn]] void execute_program(Init& init) {
  const plan::Process& process = init.plan.process;
  auto args = init.list(process.args);
  auto env = init.list(process.env);
  const auto** argv =
      static_cast<const char**>(__builtin_alloca((args.size() + 1) * sizeof(char*)));
  const auto** envp = static_cast<const char**>(__builtin_alloca((env.size() + 2) * sizeof(char*)));
  for (size_t i = 0; i < args.size(); ++i) argv[i] = init.text(args[i]);
  argv[args.size()] = nullptr;
  size_t count = 0;
  for (plan::Text entry : env) {
    if (init.home != nullptr && init.view.view(entry).starts_with("HOME="))
      continue;  // an empty one
    envp[count++] = init.text(entry);
  }
  if (init.home != nullptr) envp[count++] = init.home;
  envp[count] = nullptr;
  long result = bare::call(SYS_execve, init.program, argv, envp);
  if (init.plan.program_found_late) {
    init.step = "process";  // where it would have been found before
    const long reason = executable(init, init.program);
    if (reason < 0) refuse_program(init, init.program, reason);
    init.step = "exec";
  }
  if (result == -ENOENT) {
    fail(init, 0, "exec ", init.program,
         ": no such file or directory (its interpreter is missing in the container?)");
  }
  fail(init, -result, "exec ", init.program);
}

}  // namespace ocirt::init
