// From a pod file to what the shim takes: the resolved pod, one config.json per container, and the
// files of the pod's directory. Looks at the machine (images, host paths, the host's resolver), and
// changes nothing but the cache of unpacked images.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oci-spec/spec.h"
#include "src/base/result.h"
#include "src/pod/paths.h"
#include "src/pod/pod.h"
#include "src/podfile/file.h"
#include "src/podfile/machine.h"
#include "src/podfile/ordinary_user.h"

namespace ocirt::podfile {

struct ResolveOptions {
  std::string directory;                      // of the pod file: where relative images start
  std::string images;                         // cache of unpacked images
  std::string uid;                            // of the pod, where the file has none
  std::string node;                           // the name of this machine
  Machine machine = {};                       // this one
  bool touch_host = false;                    // make host paths of the types ...OrCreate
  std::optional<OrdinaryUser> ordinary = {};  // for whom; absent: root
};

struct Bundle {
  std::string container;
  oci::Spec spec;
};

// In the pod's directory, in order; a directory where it has no content.
struct Entry {
  std::string path;  // relative
  bool is_directory = false;
  uint32_t mode = 0644;
  int64_t group = -1;  // -1: ours
  std::string content = {};
};

struct Resolved {
  pod::Pod pod;
  std::vector<Bundle> bundles;
  std::vector<Entry> entries;
};

// Errors name the place in the file.
Result<Resolved> resolve(const File& file, const pod::Layout& layout,
                         const ResolveOptions& options);

// Writes the entries, config.json files and pod.json below layout.directory(), which must exist.
// pod.json comes last: with it the directory is whole.
Result<> write_directory(const Resolved& resolved, const pod::Layout& layout);

}  // namespace ocirt::podfile
