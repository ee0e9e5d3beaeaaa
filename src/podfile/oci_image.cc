// OCI image layouts (image-layout.md of the image specification): the tag leads to a manifest, the
// manifest to the configuration, which is read here; the layers are unpacked by umoci(1), a program
// made for it, into a directory that is named by the manifest's digest, so that an image is
// unpacked once however many pods use it.
#include <cerrno>

#include "src/base/text.h"
#include "src/container/own_ids.h"
#include "src/podfile/image_facts.h"
#include "src/podfile/yaml.h"
#include "src/sys/file.h"
#include "src/sys/process.h"
#include "src/sys/program_output.h"

namespace ocirt::podfile {
namespace {

constexpr std::string_view kTag = "org.opencontainers.image.ref.name";

// JSON, with the reader that is there anyway.
Result<Node> read_json(const std::string& path) {
  const std::string text = TRY(sys::read_file(sys::kCwd, path));
  oci::Result<std::vector<Node>> documents = read_yaml(text, path);
  if (!documents) return refuse(documents.error().message());
  if (documents->size() != 1) return refuse(cat(path, ": expected one JSON document"));
  return std::move(documents->front());
}

std::string text_at(const Node* node, std::string_view member) {
  const Node* found = node == nullptr ? nullptr : node->find(member);
  return found == nullptr ? std::string{} : found->text;
}

std::vector<std::string> list_at(const Node* node, std::string_view member) {
  std::vector<std::string> list;
  const Node* found = node == nullptr ? nullptr : node->find(member);
  if (found == nullptr) return list;
  for (const Node& item : found->items) list.push_back(item.text);
  return list;
}

// The hexadecimal part of "sha256:...", which becomes a part of paths.
Result<std::string> hex_of(std::string_view digest, std::string_view where) {
  constexpr std::string_view kAlgorithm = "sha256:";
  const std::string_view hex =
      digest.starts_with(kAlgorithm) ? digest.substr(kAlgorithm.size()) : "";
  if (hex.size() != 64 || hex.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    return refuse(cat(where, ": expected a digest of sha256, found ", quoted(digest)));
  }
  return std::string(hex);
}

Result<std::string> manifest_of(const Image& image, const std::string& layout) {
  const std::string path = cat(layout, "/index.json");
  Result<Node> index = read_json(path);
  if (!index && index.error().code == ENOENT) {
    return refuse(cat(layout, " is no OCI image layout: there is no index.json"));
  }
  if (!index) return std::unexpected(std::move(index).error());
  std::string tags;
  if (const Node* manifests = index->find("manifests")) {
    for (const Node& manifest : manifests->items) {
      const std::string tag = text_at(manifest.find("annotations"), kTag);
      if (tag == image.tag) return hex_of(text_at(&manifest, "digest"), path);
      if (!tag.empty()) tags += cat(tags.empty() ? "" : ", ", tag);
    }
  }
  return refuse(cat("there is no tag ", quoted(image.tag), " in ", layout,
                    tags.empty() ? std::string("; it has none") : cat("; it has ", tags)));
}

// Files keep their owners, as far as they are ids of ours: root's of all, an ordinary user's in a
// user namespace, where the pod will see them as they are. With one id everything is the user's.
Result<> run(std::vector<std::string> command, const std::string& temporary) {
  const auto unpack_into = [&]() -> Result<> {
    TRY(sys::remove_tree(sys::kCwd, temporary));  // of one that was killed
    Result<std::string> output = sys::program_output(command);
    if (output) return {};
    (void)sys::remove_tree(sys::kCwd, temporary);
    return std::unexpected(std::move(output).error());
  };
  if (sys::effective_uid() == 0) return unpack_into();
  const container::OwnIds ids = TRY(container::own_ids());
  if (!ids.alone()) return container::in_own_user_namespace(ids, unpack_into);
  command.insert(command.begin() + 2, "--rootless");
  return unpack_into();
}

// Unpacks under a lock, and puts it in place as a whole: who finds the directory finds all of it.
Result<std::string> unpack(const Image& image, const std::string& layout, const std::string& cache,
                           std::string_view hex) {
  const std::string directory = cat(cache, "/sha256-", hex);
  std::string rootfs = cat(directory, "/rootfs");
  if (sys::is_directory(sys::kCwd, rootfs)) return rootfs;
  TRY(sys::mkdir_parents(cache, 0700));
  UniqueFd lock = TRY(sys::open(sys::kCwd, cat(cache, "/lock"), O_RDWR | O_CREAT, 0600));
  TRY(sys::lock_exclusive(lock, "the cache of images"));
  if (sys::is_directory(sys::kCwd, rootfs)) return rootfs;
  const std::string temporary = cat(directory, ".tmp");
  const std::vector<std::string> command = {"umoci", "unpack", "--image",
                                            cat(layout, ":", image.tag), temporary};
  Result<> done = run(command, temporary);
  if (!done && done.error().code == ENOENT) {
    return refuse("not supported without the program umoci, which unpacks it (package umoci)");
  }
  TRY(std::move(done));
  // umoci goes by the tag, which may have moved, and leaves a list with the name of what it found.
  if (!sys::exists(sys::kCwd, cat(temporary, "/sha256_", hex, ".mtree"))) {
    (void)sys::remove_tree(sys::kCwd, temporary);
    return refuse(cat("the tag ", quoted(image.tag), " in ", layout,
                      " has been moved while it was unpacked: once more"));
  }
  TRY(sys::rename(sys::kCwd, temporary, directory));
  return rootfs;
}

}  // namespace

Result<> look_at_layout(const Image& image, const std::string& layout, const std::string& cache,
                        ImageFacts& facts) {
  const std::string hex = TRY(manifest_of(image, layout));
  const std::string blobs = cat(layout, "/blobs/sha256/");
  const Node manifest = TRY(read_json(cat(blobs, hex)));
  if (manifest.find("manifests") != nullptr) {
    return refuse(cat("not supported: the tag ", quoted(image.tag),
                      " names images for several "
                      "platforms; copy the one for this machine (skopeo copy)"));
  }
  const std::string config_hex =
      TRY(hex_of(text_at(manifest.find("config"), "digest"), cat(blobs, hex, ": config.digest")));
  const Node document = TRY(read_json(cat(blobs, config_hex)));
  const Node* config = document.find("config");
  facts.entrypoint = list_at(config, "Entrypoint");
  facts.command = list_at(config, "Cmd");
  facts.environment = list_at(config, "Env");
  facts.user = text_at(config, "User");
  facts.working_directory = text_at(config, "WorkingDir");
  facts.stop_signal = text_at(config, "StopSignal");
  facts.rootfs = TRY(unpack(image, layout, cache, hex));
  return {};
}

}  // namespace ocirt::podfile
