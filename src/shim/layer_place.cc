#include "src/shim/layer_place.h"

#include <cerrno>
#include <string>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::shim {
namespace {

// No container has such a name.
std::string owner_file(const pod::Layout& layout) {
  return cat(layout.state_directory(), "/.owner");
}

std::string temporary_file(const pod::Layout& layout) { return cat(owner_file(layout), ".new"); }

struct Owner {
  std::string uid, directory;
  bool operator==(const Owner&) const = default;
};

Owner owner_of(const pod::Pod& pod, const pod::Layout& layout) {
  return {pod.uid, layout.directory()};
}

// Nobody, where nothing is said.
Result<Owner> read_owner(const pod::Layout& layout) {
  const Result<std::string> text = sys::read_file(sys::kCwd, owner_file(layout));
  if (!text && text.error().code == ENOENT) return Owner();
  if (!text) return std::unexpected(text.error());
  const size_t end = text->find('\n');
  if (end == std::string::npos) return Owner();  // of one who was killed
  return Owner{text->substr(0, end), std::string(trim(text->substr(end + 1)))};
}

// Whether that pod exists. A directory of which we know less is not taken for a pod that is gone.
bool exists(const Owner& owner) {
  if (owner.directory.empty()) return false;
  const std::string path = cat(owner.directory, "/pod.json");
  const Result<std::string> json = sys::read_file(sys::kCwd, path);
  if (!json) return json.error().code != ENOENT && json.error().code != ENOTDIR;
  const Result<pod::Pod> pod = pod::read_pod(*json, path);
  return !pod || pod->uid == owner.uid;
}

}  // namespace

Result<> make_layer_place(const pod::Pod& pod, const pod::Layout& layout) {
  const std::string& directory = layout.state_directory();
  const Owner mine = owner_of(pod, layout);
  const Owner owner = TRY(read_owner(layout));
  if (owner != mine && exists(owner)) {
    return refuse(cat(directory, " has the files of pod ", pod.name, " of ", owner.directory,
                      ": choose another name or another --state-dir"));
  }
  TRY(within("what an earlier pod has left", sys::remove_tree(sys::kCwd, directory)));
  TRY(sys::mkdir_parents(directory, 0700));
  return sys::write_file_atomically(sys::kCwd, owner_file(layout), temporary_file(layout),
                                    cat(mine.uid, "\n", mine.directory, "\n"), 0600);
}

Result<> remove_layer_place(const pod::Pod& pod, const pod::Layout& layout) {
  const std::string& directory = layout.state_directory();
  const Owner owner = TRY(read_owner(layout));
  // Of a pod that was complete, what is nobody's is what an earlier removal has left.
  const bool mine = owner == owner_of(pod, layout) ||
                    (owner == Owner() && sys::exists(sys::kCwd, layout.complete()));
  if (mine) return sys::remove_tree(sys::kCwd, directory);
  // Of one that was killed before it was said whose it is.
  if (owner == Owner()) (void)sys::unlink(sys::kCwd, temporary_file(layout));
  (void)sys::rmdir(sys::kCwd, directory);
  return {};
}

}  // namespace ocirt::shim
