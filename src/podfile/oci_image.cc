// OCI image layouts (image-layout.md of the image specification): the tag leads to a manifest, the
// manifest to the configuration, which is read here; the layers are unpacked by umoci(1), a program
// made for it, into a directory that is named by the manifest's digest, so that an image is
// unpacked once however many pods use it.
#include <cerrno>

#include "oci-spec/documents.h"
#include "oci-spec/json/reader.h"
#include "oci-spec/schema/schema.h"
#include "src/base/text.h"
#include "src/container/own_ids.h"
#include "src/podfile/image_facts.h"
#include "src/sys/bounded_program.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::podfile::image {

// What is looked at of the documents of a layout. Not in an anonymous namespace: the tables below
// are found by type.
struct Descriptor {
  std::string digest = {};
  oci::Map<std::string> annotations = {};
};
struct Index {
  std::vector<Descriptor> manifests = {};
};
struct Manifest {
  Descriptor config = {};
  std::vector<Descriptor> manifests = {};  // where this is an index
};
struct Config {
  std::vector<std::string> entrypoint = {}, command = {}, environment = {};
  std::string user = {}, working_directory = {}, stop_signal = {};
};
struct Document {
  Config config = {};
};

}  // namespace ocirt::podfile::image

namespace oci::schema {
namespace image = ocirt::podfile::image;

template <>
const Type Object<image::Descriptor>::type;
template <>
const Type Object<image::Config>::type;

namespace {

constexpr Field kDescriptor[] = {
    OCI_FIELD(image::Descriptor, digest, "digest"),
    OCI_FIELD(image::Descriptor, annotations, "annotations"),
};
constexpr Field kIndex[] = {OCI_FIELD(image::Index, manifests, "manifests")};
constexpr Field kManifest[] = {
    OCI_FIELD(image::Manifest, config, "config"),
    OCI_FIELD(image::Manifest, manifests, "manifests"),
};
constexpr Field kConfig[] = {
    OCI_FIELD(image::Config, entrypoint, "Entrypoint"),
    OCI_FIELD(image::Config, command, "Cmd"),
    OCI_FIELD(image::Config, environment, "Env"),
    OCI_FIELD(image::Config, user, "User"),
    OCI_FIELD(image::Config, working_directory, "WorkingDir"),
    OCI_FIELD(image::Config, stop_signal, "StopSignal"),
};
constexpr Field kDocument[] = {OCI_FIELD(image::Document, config, "config")};

}  // namespace

template <>
constinit const Type Object<image::Descriptor>::type = object(kDescriptor);
template <>
constinit const Type Object<image::Index>::type = object(kIndex);
template <>
constinit const Type Object<image::Manifest>::type = object(kManifest);
template <>
constinit const Type Object<image::Config>::type = object(kConfig);
template <>
constinit const Type Object<image::Document>::type = object(kDocument);

}  // namespace oci::schema

namespace ocirt::podfile {
namespace {

constexpr std::string_view kHalf = ".tmp";
constexpr std::string_view kTag = "org.opencontainers.image.ref.name";

template <class Document>
Result<Document> read_json(const std::string& path) {
  const std::string text = TRY(sys::read_file(sys::kCwd, path, oci::kMaxDocumentSize));
  Document document;
  if (auto error = oci::json::read(text, path, oci::schema::Object<Document>::type, &document)) {
    return refuse(error->message());
  }
  return document;
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
  Result<image::Index> index = read_json<image::Index>(path);
  if (!index && index.error().code == ENOENT) {
    return refuse(cat(layout, " is no OCI image layout: there is no index.json"));
  }
  if (!index) return std::unexpected(std::move(index).error());
  std::string tags;
  for (const image::Descriptor& manifest : index->manifests) {
    const std::string* tag = manifest.annotations.find(kTag);
    if (tag == nullptr || tag->empty()) continue;
    if (*tag == image.tag) return hex_of(manifest.digest, path);
    tags += cat(tags.empty() ? "" : ", ", *tag);
  }
  return refuse(cat("there is no tag ", quoted(image.tag), " in ", layout,
                    tags.empty() ? std::string("; it has none") : cat("; it has ", tags)));
}

// Generous: an image of a hundred gigabytes on a slow disk.
constexpr std::chrono::hours kUnpackLimit{3};

// What those have left who were killed: nobody else has the lock, and what they had started held it
// as long as it lived. One that cannot be removed is in the way of its own image only.
Result<> remove_halves(const std::string& cache, const std::string& temporary) {
  TRY(sys::remove_tree(sys::kCwd, temporary));
  for (const std::string& name : TRY(sys::list_directory(sys::kCwd, cache))) {
    if (name.starts_with("sha256-") && name.ends_with(kHalf))
      (void)sys::remove_tree(sys::kCwd, cat(cache, "/", name));
  }
  return {};
}

// Files keep their owners, as far as they are ids of ours: root's of all, an ordinary user's in a
// user namespace, where the pod will see them as they are. With one id everything is the user's.
Result<> run(std::vector<std::string> command, const std::string& cache,
             const std::string& temporary, Fd lock) {
  const auto unpack_into = [&]() -> Result<> {
    TRY(remove_halves(cache, temporary));
    Result<> done = sys::run_bounded(command, lock, kUnpackLimit);
    if (!done) (void)sys::remove_tree(sys::kCwd, temporary);
    return done;
  };
  if (sys::effective_uid() == 0) return unpack_into();
  const container::OwnIds ids = TRY(container::own_ids());
  if (!ids.alone()) return container::in_own_user_namespace(ids, unpack_into, lock);
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
  const std::string temporary = cat(directory, kHalf);
  const std::vector<std::string> command = {"umoci", "unpack", "--image",
                                            cat(layout, ":", image.tag), temporary};
  Result<> done = run(command, cache, temporary, lock);
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
  // Or after a loss of power the directory might be there, and not what is in it.
  TRY(sys::sync_filesystem(temporary));
  TRY(sys::rename(sys::kCwd, temporary, directory));
  return rootfs;
}

}  // namespace

Result<> look_at_layout(const Image& image, const std::string& layout, const std::string& cache,
                        ImageFacts& facts) {
  const std::string hex = TRY(manifest_of(image, layout));
  const std::string blobs = cat(layout, "/blobs/sha256/");
  const image::Manifest manifest = TRY(read_json<image::Manifest>(cat(blobs, hex)));
  if (!manifest.manifests.empty()) {
    return refuse(cat("not supported: the tag ", quoted(image.tag),
                      " names images for several "
                      "platforms; copy the one for this machine (skopeo copy)"));
  }
  const std::string config_hex =
      TRY(hex_of(manifest.config.digest, cat(blobs, hex, ": config.digest")));
  image::Config config = TRY(read_json<image::Document>(cat(blobs, config_hex))).config;
  facts.entrypoint = std::move(config.entrypoint);
  facts.command = std::move(config.command);
  facts.environment = std::move(config.environment);
  facts.user = std::move(config.user);
  facts.working_directory = std::move(config.working_directory);
  facts.stop_signal = std::move(config.stop_signal);
  facts.rootfs = TRY(unpack(image, layout, cache, hex));
  return {};
}

}  // namespace ocirt::podfile
