// A bundle made for one test: a root file system of one static busybox and a config.json that the
// test edits by path. The document is valid for any runtime of version 1.0.2 (see OCI_VERSION).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/json.h"

namespace harness {

class Bundle {
 public:
  // Makes DIRECTORY/rootfs and keeps the document in memory until save().
  explicit Bundle(std::string directory);

  const std::string& path() const { return directory_; }
  std::string rootfs(std::string_view inside = "") const;
  std::string config_path() const { return directory_ + "/config.json"; }

  // Edits; values are JSON text. Paths as in Json::find.
  Bundle& set(std::string_view path, std::string_view json);
  Bundle& append(std::string_view path, std::string_view json);
  Bundle& remove(std::string_view path);
  const Json& document() const { return document_; }

  // process.args.
  Bundle& args(const std::vector<std::string>& args);
  // process.args = sh -c SCRIPT.
  Bundle& shell(std::string_view script);
  // Appends to mounts.
  Bundle& mount(std::string_view destination, std::string_view type, std::string_view source,
                const std::vector<std::string>& options);
  // Takes the mount with this destination out.
  Bundle& without_mount(std::string_view destination);
  // Takes the namespace out, so that the host's is inherited.
  Bundle& without_namespace(std::string_view type);
  // Adds the namespace, or replaces it: joined by path unless `path` is empty.
  Bundle& with_namespace(std::string_view type, std::string_view path = "");

  // A file, or directories, in the root file system.
  Bundle& file(std::string_view inside, std::string_view text, mode_t mode = 0644);
  Bundle& directory(std::string_view inside, mode_t mode = 0755);

  // Writes config.json. linux.cgroupsPath becomes a group of ours named after the container,
  // unless keep_cgroups_path() was called.
  void save(std::string_view container_id);
  Bundle& keep_cgroups_path();
  // From now on save() writes this text and nothing else.
  Bundle& raw(std::string_view text);

 private:
  std::string directory_;
  Json document_;
  bool keep_cgroups_path_ = false;
  bool is_raw_ = false;
  std::string raw_;
};

// Makes a root file system of a static busybox at `path`, which must be in the workspace (the
// binary is hard-linked).
void make_rootfs(const std::string& path);

// The ociVersion that bundles say: env OCI_VERSION, else 1.0.2.
std::string oci_version();

}  // namespace harness
