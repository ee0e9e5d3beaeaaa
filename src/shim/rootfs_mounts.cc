#include "src/shim/rootfs_mounts.h"

#include <linux/mount.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "src/base/text.h"
#include "src/linux/mount_options.h"
#include "src/shim/mapped_mounts.h"
#include "src/sys/file.h"
#include "src/sys/loop_device.h"
#include "src/sys/mount_tree.h"
#include "src/sys/mounting.h"
#include "src/sys/program_output.h"
#include "src/sys/user_namespace.h"

namespace ocirt::shim {
namespace {

constexpr std::string_view kLower = "lowerdir=";
// What the kernel takes with its zero byte: a page, which is nowhere smaller.
constexpr size_t kMostOptions = 4096;

std::string rootfs_of(const std::string& bundle) { return cat(bundle, "/rootfs"); }

// "a:b\:c" has two paths: a backslash takes the meaning from what follows it.
std::vector<std::string_view> layers_of(std::string_view list) {
  std::vector<std::string_view> layers;
  size_t begin = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '\\') {
      ++i;
    } else if (list[i] == ':') {
      layers.push_back(list.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  layers.push_back(list.substr(begin));
  return layers;
}

// The longest directory in which all of them are.
std::string_view common_directory(const std::vector<std::string_view>& paths) {
  std::string_view common = paths.front().substr(0, paths.front().rfind('/'));
  for (std::string_view path : paths) {
    while (!common.empty() && !(path.starts_with(common) && path.substr(common.size(), 1) == "/"))
      common = common.substr(0, common.rfind('/'));
  }
  return common;
}

// Says the layers relative to the directory that they have in common.
void shorten(MountCall& call) {
  const size_t at = call.data.starts_with(kLower) ? 0 : call.data.find(",lowerdir=") + 1;
  if (at == 0 && !call.data.starts_with(kLower)) return;
  const size_t begin = at + kLower.size(),
               end = std::min(call.data.find(',', begin), call.data.size());
  const std::string list = call.data.substr(begin, end - begin);
  const std::vector<std::string_view> layers = layers_of(list);
  const std::string_view directory = common_directory(layers);
  // What is escaped in an option is not in a path.
  if (directory.empty() || directory.find('\\') != std::string_view::npos) return;
  std::string relative;
  for (std::string_view layer : layers)
    relative += cat(relative.empty() ? "" : ":", layer.substr(directory.size() + 1));
  call.directory = directory;
  call.data.replace(begin, end - begin, relative);
}

std::string unescaped(std::string_view layer) {
  std::string path;
  for (size_t i = 0; i < layer.size(); ++i) {
    if (layer[i] == '\\' && i + 1 < layer.size()) ++i;
    path += layer[i];
  }
  return path;
}

// "0:100000:65536,..." as lines of /proc/PID/uid_map.
Result<std::string> map_lines(std::string_view option, std::string_view list) {
  std::string lines;
  for (std::string_view range : split(list, ',')) {
    const std::vector<std::string_view> numbers = split(range, ':');
    bool good = numbers.size() == 3;
    for (std::string_view number : numbers) good = good && to_number<uint32_t>(number).has_value();
    if (!good || numbers[2] == "0")
      return refuse(
          cat("the option ", quoted(option), ": ", quoted(range), " is not INSIDE:OUTSIDE:SIZE"));
    lines += cat(numbers[0], " ", numbers[1], " ", numbers[2], "\n");
  }
  return lines;
}

// Takes the layers out of the options of an overlay.
Result<> take_layers(MountCall& call) {
  std::string rest;
  for (std::string_view option : split(call.data, ',')) {
    if (option.starts_with(kLower) && call.layers.empty()) {
      for (std::string_view layer : layers_of(option.substr(kLower.size())))
        call.layers.push_back(unescaped(layer));
    } else {
      rest += cat(rest.empty() ? "" : ",", option);
    }
  }
  call.data = rest;
  return call.layers.empty() ? Result<>(refuse("an overlay with uidmap= and without lowerdir="))
                             : Result<>();
}

// Where a mount goes: never out of the rootfs, also by symbolic links in it.
Result<std::string> place_of(const RootfsMount& mount, const std::string& rootfs,
                             UniqueFd& holder) {
  if (mount.target.empty() || mount.target == "/") return rootfs;
  const UniqueFd root = TRY(sys::open(sys::kCwd, rootfs, O_PATH | O_DIRECTORY));
  holder = TRY(sys::open_in_root(root, mount.target, O_PATH));
  return cat("/proc/self/fd/", holder.raw());
}

Result<> make_filesystem(const RootfsMount& mount, const MountCall& call,
                         const std::string& place) {
  std::string source = mount.source;
  sys::LoopDevice loop;
  if (call.loop) {
    loop = TRY(sys::attach_loop_device(mount.source, (call.flags & MS_RDONLY) != 0));
    source = loop.path;
  }
  Result<> made =
      call.directory.empty()
          ? sys::mount(source, place, mount.type, call.flags, call.data)
          : sys::mount_from(call.directory, source, place, mount.type, call.flags, call.data);
  if (!made && made.error().code == ENODEV)
    made.error().text += cat(" (this kernel has no file system ", quoted(mount.type), ")");
  return made;
}

Result<MountCall> ask_helper(const RootfsMount& mount) {
  const size_t dot = mount.type.find('.');
  if (dot + 1 == mount.type.size()) return refuse("no program is named");
  if (!mount.target.empty() && mount.target != "/")
    return refuse("not supported: a mount by a helper program inside of the root file system");
  MountCall call;
  call.helper = cat("mount.", mount.type.substr(0, dot));
  for (const std::string& option : mount.options) {
    if (option.starts_with("X-") || option.starts_with("x-")) continue;
    call.helper_words.insert(call.helper_words.end(), {"-o", option});
  }
  call.helper_words.insert(call.helper_words.end(), {"-t", mount.type.substr(dot + 1)});
  return call;
}

// The program that serves it goes on in the background, and ends with the mount.
Result<> run_helper(const RootfsMount& mount, const MountCall& call, const std::string& place) {
  std::vector<std::string> argv = {call.helper, mount.source, place};
  argv.insert(argv.end(), call.helper_words.begin(), call.helper_words.end());
  Result<std::string> output = sys::program_output(argv, true);
  return output ? Result<>() : std::unexpected(std::move(output).error());
}

Result<> make(const RootfsMount& mount, const std::string& bundle) {
  const std::string rootfs = rootfs_of(bundle);
  MountCall call = TRY(decide_mount(mount, kMostOptions));
  UniqueFd holder, mapping;
  const std::string place = TRY(place_of(mount, rootfs, holder));
  if (!call.helper.empty()) return run_helper(mount, call, place);
  if (!call.uid_map.empty()) mapping = TRY(sys::make_user_namespace(call.uid_map, call.gid_map));
  MappedLayers layers;
  if (!call.layers.empty()) {
    TRY(layers.make(bundle, call.layers, mapping));
    call.directory = layers.directory();
    call.data = cat(layers.option(), call.data.empty() ? "" : ",", call.data);
  }
  if (call.bind) {
    TRY(sys::bind(mount.source, place, call.recursive, 0));
  } else {
    TRY(make_filesystem(mount, call, place));
  }
  if (mapping.valid() && call.layers.empty()) {
    UniqueFd covered;
    const std::string top = TRY(place_of(mount, rootfs, covered));
    TRY(show_mapped(top, call.recursive, mapping));
  }
  // `holder` is what is covered now: the new mount has to be found once more.
  UniqueFd again;
  const std::string made = TRY(place_of(mount, rootfs, again));
  if (call.set != 0 || call.clear != 0)
    TRY(sys::set_mount_attributes(made, false, call.set, call.clear));
  if (call.recursive_set != 0 || call.recursive_clear != 0)
    TRY(sys::set_mount_attributes(made, true, call.recursive_set, call.recursive_clear));
  for (const uint64_t kind : call.propagation)
    TRY(sys::set_mount_propagation_at(made, (kind & MS_REC) != 0, kind & ~uint64_t{MS_REC}));
  return {};
}

std::string words_of(const RootfsMount& mount) {
  std::string words;
  for (const std::string& option : mount.options) words += cat(words.empty() ? "" : ",", option);
  return words;
}

}  // namespace

Result<MountCall> decide_mount(const RootfsMount& mount, size_t most) {
  if (mount.type.starts_with("fuse.") || mount.type.starts_with("fuse3.")) return ask_helper(mount);
  MountCall call;
  std::vector<std::string> words;
  for (const std::string& option : mount.options) {
    if (option.starts_with("X-") || option.starts_with("x-")) continue;
    if (option == "loop") {
      call.loop = true;
      continue;
    }
    const std::string_view value =
        std::string_view(option).substr(std::min<size_t>(option.size(), 7));
    if (option.starts_with("uidmap=")) {
      call.uid_map = TRY(map_lines(option, value));
    } else if (option.starts_with("gidmap=")) {
      call.gid_map = TRY(map_lines(option, value));
    } else {
      words.push_back(option);
    }
  }
  if (call.uid_map.empty() != call.gid_map.empty())
    return refuse("the options uidmap= and gidmap= come together");
  const MountOptions options = parse_mount_options(words);
  if (options.remount || options.idmap || options.tmpcopyup || options.copy_symlink)
    return refuse("not supported: the options remount, idmap, tmpcopyup and copy-symlink");
  call.bind = options.bind || mount.type == "bind" || mount.type == "rbind";
  call.recursive = options.recursive_bind || mount.type == "rbind";
  call.flags = options.flags;
  call.recursive_set = options.rec_attr_set;
  call.recursive_clear = options.rec_attr_clr;
  call.propagation = options.propagation;
  call.data = options.data;
  if (call.bind) {
    if (!call.data.empty()) return refuse(cat("a bind mount has no option ", quoted(call.data)));
    if (call.loop) return refuse("a bind mount takes no loop device");
    call.set = options.attr_set;
    call.clear = options.attr_clr;
    return call;
  }
  if (mount.type == "overlay" && !call.uid_map.empty()) TRY(take_layers(call));
  if (mount.type == "overlay" && call.data.size() >= most) shorten(call);
  if (call.data.size() >= most) {
    return refuse(
        cat("the options have ", call.data.size(), " bytes, and the kernel takes ", most - 1));
  }
  return call;
}

Result<> mount_rootfs(const std::string& bundle, std::span<const RootfsMount> mounts) {
  const std::string rootfs = rootfs_of(bundle);
  Result<> there = sys::mkdir(sys::kCwd, rootfs, 0711);
  if (!there && there.error().code != EEXIST) return there;
  for (size_t i = 0; i < mounts.size(); ++i) {
    const RootfsMount& mount = mounts[i];
    Result<> made = make(mount, bundle);
    if (made) continue;
    std::string where =
        cat("rootfs[", i, "]: ", mount.type.empty() ? "bind" : mount.type, " of ",
            quoted(mount.source), " at ",
            quoted(cat(rootfs, mount.target.starts_with('/') || mount.target.empty() ? "" : "/",
                       mount.target)));
    if (!mount.options.empty()) where += cat(" with ", quoted(words_of(mount)));
    if (Result<> undone = unmount_rootfs(bundle); !undone)
      made.error().text += cat("; then, while undoing this: ", undone.error().text);
    return within(where, std::move(made));
  }
  return {};
}

Result<> unmount_rootfs(const std::string& bundle) {
  TRY(within("rootfs", remove_mapped_layers(bundle)));
  return within("rootfs", sys::unmount_everything(rootfs_of(bundle)));
}

}  // namespace ocirt::shim
