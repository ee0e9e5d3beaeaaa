#include "src/podfile/file.h"

#include <algorithm>

#include "oci-spec/json/text.h"
#include "src/base/base64.h"
#include "src/base/text.h"
#include "src/podfile/check.h"
#include "src/podfile/pass_over.h"
#include "src/podfile/rows.h"
#include "src/podfile/yaml.h"

namespace ocirt::podfile {
namespace {

oci::Error error_at(std::string_view document, Place place, std::string property,
                    std::string text) {
  return {std::string(document), place.line, place.column, std::move(property), std::move(text)};
}

std::string_view text_of(const Node* node) {
  return node == nullptr ? std::string_view{} : std::string_view(node->text);
}

template <class Document>
std::optional<oci::Error> read_as(const Node& tree, std::string_view name,
                                  const ReadOptions& options, Document& target) {
  return read_tree(tree, name, oci::schema::Object<Document>::type, &target, options);
}

// Puts bytes in place of their base64, so that nobody has to care which of the two it was.
std::optional<oci::Error> decode(const Node& tree, std::string_view name, std::string_view member,
                                 oci::Map<std::string>& values) {
  for (auto& [key, value] : values) {
    std::string text;
    for (char c : value) {
      if (c != '\n' && c != ' ') text += c;  // a block scalar may have broken it into lines
    }
    std::optional<std::string> bytes = decode_base64(text);
    if (!bytes) {
      std::string property(member);
      oci::json::append_key(property, key);
      return error_at(name, place_of(tree, property), property, "expected base64");
    }
    value = *std::move(bytes);
  }
  return std::nullopt;
}

// ConfigMaps and Secrets may be written in two ways each; afterwards everything is in `data`, and
// `more` has only names.
std::optional<oci::Error> join(const Node& tree, std::string_view name, std::string_view member,
                               oci::Map<std::string>& data, oci::Map<std::string>& more) {
  for (auto& [key, value] : more) {
    if (data.find(key) != nullptr) {
      std::string property(member);
      oci::json::append_key(property, key);
      return error_at(name, place_of(tree, property), property, "is in data as well");
    }
    data.set(key, std::exchange(value, {}));
  }
  return std::nullopt;
}

class FileReader {
 public:
  FileReader(std::string_view name, const ReadOptions& options) : options_(options) {
    file_.name = name;
  }
  oci::Result<File> read(std::string_view text);

 private:
  std::optional<oci::Error> read_document(Node& tree);
  std::optional<oci::Error> read_pod(Node& tree);
  std::optional<oci::Error> read_config_map(const Node& tree);
  std::optional<oci::Error> read_secret(const Node& tree);
  oci::Error at(const Node& tree, std::string_view property, std::string text) {
    return error_at(file_.name, place_of(tree, property), std::string(property), std::move(text));
  }

  const ReadOptions& options_;
  File file_;
  unsigned pod_line_ = 0;
};

oci::Result<File> FileReader::read(std::string_view text) {
  oci::Result<std::vector<Node>> documents = read_yaml(text, file_.name);
  if (!documents) return std::unexpected(std::move(documents).error());
  for (Node& tree : *documents) {
    if (options_.ignore_unknown && text_of(tree.find("kind")) == "Pod")
      pass_over(tree, *documents, file_.name, options_.ignored);
  }
  for (Node& tree : *documents) {
    if (auto error = read_document(tree)) return std::unexpected(*std::move(error));
  }
  if (pod_line_ == 0) {
    return std::unexpected(error_at(
        file_.name, {}, "",
        documents->empty() ? "the file is empty, expected a Pod" : "there is no Pod in the file"));
  }
  if (auto error = check(file_)) {
    const Place place = place_of(file_.tree, error->property);
    return std::unexpected(
        error_at(file_.name, place, std::move(error->property), std::move(error->text)));
  }
  return std::move(file_);
}

std::optional<oci::Error> FileReader::read_document(Node& tree) {
  if (tree.kind != Node::Kind::kMap) {
    return error_at(file_.name, tree.place, "", "expected a Pod, which is a map");
  }
  // The kind first: the fields of another one would all be unknown.
  const std::string_view kind = text_of(tree.find("kind"));
  const Node* version = tree.find("apiVersion");
  if (kind != "Pod" && kind != "ConfigMap" && kind != "Secret") {
    const std::string_view more =
        kind == "Deployment" || kind == "ReplicaSet" || kind == "StatefulSet"
            ? "; `ocirt-pod scale FILE N` makes several of one Pod"
            : "";
    return at(tree, "kind",
              cat("expected Pod, or ConfigMap or Secret beside it, found ",
                  kind.empty() ? std::string("nothing") : quoted(kind), more));
  }
  if (version == nullptr || version->text != "v1") {
    return at(tree, "apiVersion",
              cat("expected v1, found ", version == nullptr ? "nothing" : quoted(version->text)));
  }
  if (kind == "Pod") return read_pod(tree);
  return kind == "ConfigMap" ? read_config_map(tree) : read_secret(tree);
}

std::optional<oci::Error> FileReader::read_pod(Node& tree) {
  if (pod_line_ != 0) {
    return error_at(file_.name, tree.place, "",
                    cat("a second Pod, the first is in line ", pod_line_,
                        ": a file has one Pod; `ocirt-pod scale FILE N` makes several of it"));
  }
  pod_line_ = std::max(tree.place.line, 1U);
  if (auto error = read_as(tree, file_.name, options_, file_.pod)) return error;
  file_.tree = std::move(tree);
  return std::nullopt;
}

std::optional<oci::Error> FileReader::read_config_map(const Node& tree) {
  manifest::ConfigMap map;
  if (auto error = read_as(tree, file_.name, options_, map)) return error;
  if (auto error = decode(tree, file_.name, "binaryData", map.binary_data)) return error;
  if (auto error = join(tree, file_.name, "binaryData", map.data, map.binary_data)) return error;
  if (file_.config_map(map.metadata.name) != nullptr) {
    return at(tree, "metadata.name", cat("a second ConfigMap ", quoted(map.metadata.name)));
  }
  file_.config_maps.push_back(std::move(map));
  return std::nullopt;
}

std::optional<oci::Error> FileReader::read_secret(const Node& tree) {
  manifest::Secret secret;
  if (auto error = read_as(tree, file_.name, options_, secret)) return error;
  if (auto error = decode(tree, file_.name, "data", secret.data)) return error;
  // The server lets stringData win; twice the same key in one file is more likely a mistake.
  if (auto error = join(tree, file_.name, "stringData", secret.data, secret.string_data)) {
    return error;
  }
  if (file_.secret(secret.metadata.name) != nullptr) {
    return at(tree, "metadata.name", cat("a second Secret ", quoted(secret.metadata.name)));
  }
  file_.secrets.push_back(std::move(secret));
  return std::nullopt;
}

template <class Document>
const Document* find_by_name(const std::vector<Document>& documents, std::string_view name) {
  for (const Document& document : documents) {
    if (document.metadata.name == name) return &document;
  }
  return nullptr;
}

}  // namespace

const manifest::ConfigMap* File::config_map(std::string_view wanted) const {
  return find_by_name(config_maps, wanted);
}

const manifest::Secret* File::secret(std::string_view wanted) const {
  return find_by_name(secrets, wanted);
}

oci::Result<File> read_pod_file(std::string_view text, std::string_view name,
                                const ReadOptions& options) {
  return FileReader(name, options).read(text);
}

}  // namespace ocirt::podfile
