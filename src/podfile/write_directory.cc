// Writes what resolve() has decided. The directory is new and only ours (0700), so that names in it
// can be followed; modes are set in spite of the umask, since containers of other users read the
// files.
#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/podfile/resolve.h"
#include "src/sys/file.h"

namespace ocirt::podfile {
namespace {

Result<> write_entry(Fd directory, const Entry& entry) {
  UniqueFd fd;
  if (entry.is_directory) {
    TRY(sys::mkdir(directory, entry.path, 0700));
    fd = TRY(sys::open(directory, entry.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  } else {
    fd = TRY(sys::open(directory, entry.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    TRY(sys::write_all(fd, entry.path, entry.content));
  }
  if (entry.group >= 0) TRY(sys::give_to_group(fd, entry.path, static_cast<uint32_t>(entry.group)));
  return sys::set_mode(fd, entry.path, entry.mode);
}

}  // namespace

Result<> write_directory(const Resolved& resolved, const pod::Layout& layout) {
  UniqueFd directory = TRY(sys::open(sys::kCwd, layout.directory(), O_RDONLY | O_DIRECTORY));
  for (const Entry& entry : resolved.entries) TRY(write_entry(directory, entry));
  for (const Bundle& bundle : resolved.bundles) {
    const std::string path = cat("containers/", bundle.container);
    TRY(sys::mkdir(directory, path, 0700));
    TRY(sys::mkdir(directory, cat(path, "/rootfs"), 0755));
    const Entry config{
        .path = cat(path, "/config.json"), .mode = 0600, .content = oci::write(bundle.spec, true)};
    TRY(write_entry(directory, config));
  }
  return sys::write_file_atomically(directory, "pod.json", "pod.json.new",
                                    pod::write_pod(resolved.pod), 0600);
}

}  // namespace ocirt::podfile
