// File systems by fsopen(2), fsconfig(2) and fsmount(2): for a container that runs, where mount(2)
// would need a path that the container can swap; for "remount"; and to find out which option it was
// that mount(2) refused with no more than EINVAL. A container that is being made takes mount(2):
// it is one call where these are five.
#include "src/init/init.h"
#include "src/init/mount_api.h"
#include "src/init/mount_steps.h"

namespace ocirt::init {
namespace {

constexpr size_t kMostOption = 4096;

// MS_* of a super block, and the words of fsconfig(2) for them.
struct SuperWord {
  uint64_t flag;
  const char* word;
};
constexpr SuperWord kSuperWords[] = {{MS_RDONLY, "ro"},
                                     {MS_SYNCHRONOUS, "sync"},
                                     {MS_DIRSYNC, "dirsync"},
                                     {MS_MANDLOCK, "mand"},
                                     {MS_LAZYTIME, "lazytime"}};

// The same flags for a mount, as fsmount(2) wants them.
uint64_t attributes_of(uint64_t flags) {
  constexpr uint64_t kNosymfollow = 0x00200000;  // MOUNT_ATTR_NOSYMFOLLOW, Linux 5.14
  uint64_t attributes = 0;
  if ((flags & MS_RDONLY) != 0) attributes |= MOUNT_ATTR_RDONLY;
  if ((flags & MS_NOSUID) != 0) attributes |= MOUNT_ATTR_NOSUID;
  if ((flags & MS_NODEV) != 0) attributes |= MOUNT_ATTR_NODEV;
  if ((flags & MS_NOEXEC) != 0) attributes |= MOUNT_ATTR_NOEXEC;
  if ((flags & MS_NODIRATIME) != 0) attributes |= MOUNT_ATTR_NODIRATIME;
  if ((flags & MS_NOATIME) != 0) attributes |= MOUNT_ATTR_NOATIME;
  if ((flags & MS_STRICTATIME) != 0) attributes |= MOUNT_ATTR_STRICTATIME;
  if ((flags & MS_NOSYMFOLLOW) != 0) attributes |= kNosymfollow;
  return attributes;
}

long set_string(int context, const char* key, const char* value) {
  return bare::call(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0);
}

// "size=1m" or "nr_inodes": one option of a list.
long set_option(int context, std::string_view option) {
  const size_t equals = option.find('=');
  const bool quoted = option.size() >= equals + 3 && equals != std::string_view::npos &&
                      option[equals + 1] == '"' && option.back() == '"';
  bare::Buffer<kMostOption> text;
  if (quoted) {
    text << option.substr(0, equals + 1) << option.substr(equals + 2, option.size() - equals - 3);
  } else {
    text << option;
  }
  if (equals == std::string_view::npos || equals == 0) {
    return bare::call(SYS_fsconfig, context, FSCONFIG_SET_FLAG, text.c_str(), nullptr, 0);
  }
  bare::Buffer<256> key;
  key << option.substr(0, equals);
  return set_string(context, key.c_str(), text.c_str() + equals + 1);
}

// The comma behind the first option. Inside of quotes (context="...") it is part of a value.
size_t end_of_option(std::string_view data) {
  bool quoted = false;
  for (size_t at = 0; at < data.size(); ++at) {
    if (data[at] == '"') quoted = !quoted;
    if (data[at] == ',' && !quoted) return at;
  }
  return std::string_view::npos;
}

// What the file system itself says of the last call: "tmpfs: Unknown parameter 'x'", or nothing.
bare::Buffer<512> reason_of(int context) {
  char message[400];
  bare::Buffer<512> reason;
  long size = bare::read(context, message, sizeof message);
  if (size <= 2) return reason;
  if (message[size - 1] == '\n') --size;
  reason << " (" << std::string_view(message + 2, static_cast<size_t>(size) - 2) << ")";  // "e "
  return reason;
}

// Gives all options; fails with the one that is not taken.
void set_options(const Init& init, const plan::Mount& mount, int context, const char* type,
                 std::string_view data) {
  while (!data.empty()) {
    const size_t end = end_of_option(data);
    const std::string_view option = data.substr(0, end);
    data.remove_prefix(end == std::string_view::npos ? data.size() : end + 1);
    if (option.empty()) continue;
    if (set_option(context, option) < 0) {
      fail_for(init, mount, 0, ": ", type, " does not take the option \"", option, "\"",
               reason_of(context).view());
    }
  }
}

}  // namespace

int detached_filesystem(const Init& init, const plan::Mount& mount, std::string_view data,
                        int pid_namespace) {
  const char* type = init.text(mount.type);
  long opened = bare::call(SYS_fsopen, type, FSOPEN_CLOEXEC);
  if (opened == -ENODEV) {
    fail_for(init, mount, 0, ": this kernel has no file system \"", type, "\"");
  }
  const int context = static_cast<int>(must_for(init, mount, opened, ": open ", type));
  if (pid_namespace >= 0 &&
      bare::call(SYS_fsconfig, context, FSCONFIG_SET_FD, "pidns", nullptr, pid_namespace) < 0) {
    bare::close(context);
    return -1;
  }
  must_for(init, mount,
           set_string(context, "source", mount.source.given() ? init.text(mount.source) : type),
           ": set the source of ", type);
  for (const SuperWord& row : kSuperWords) {
    if ((mount.flags & row.flag) != 0) {
      must_for(init, mount,
               bare::call(SYS_fsconfig, context, FSCONFIG_SET_FLAG, row.word, nullptr, 0), ": ",
               type, ": set ", row.word);
    }
  }
  set_options(init, mount, context, type, data);
  long made = bare::call(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (made < 0) {
    fail_for(init, mount, -made, ": make ", type, reason_of(context).view());
  }
  return static_cast<int>(must_for(
      init, mount, bare::call(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes_of(mount.flags)),
      ": mount ", type));
}

void reconfigure(const Init& init, const plan::Mount& mount, int fd) {
  const int context = static_cast<int>(
      must_for(init, mount, bare::call(SYS_fspick, fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH),
               ": remount"));
  set_options(init, mount, context, "its file system", init.view.view(mount.data));
  long result = bare::call(SYS_fsconfig, context, FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0);
  if (result < 0) {
    fail_for(init, mount, -result, ": remount", reason_of(context).view());
  }
}

void explain_refusal(const Init& init, const plan::Mount& mount, std::string_view data) {
  const char* type = init.text(mount.type);
  long context = bare::call(SYS_fsopen, type, FSOPEN_CLOEXEC);
  if (context < 0) return;
  set_options(init, mount, static_cast<int>(context), type, data);
  bare::close(static_cast<int>(context));
}

}  // namespace ocirt::init
