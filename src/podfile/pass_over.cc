#include "src/podfile/pass_over.h"

#include <algorithm>

#include "oci-spec/error.h"
#include "oci-spec/json/text.h"
#include "src/base/text.h"
#include "src/podfile/check.h"
#include "src/podfile/rows.h"

namespace ocirt::podfile {
namespace {

// A cluster writes a ConfigMap of this name into every namespace, and a volume that projects it
// into every pod.
constexpr std::string_view kRootCertificates = "kube-root-ca.crt";

Node* member(Node* map, std::string_view name) {
  if (map == nullptr || map->kind != Node::Kind::kMap) return nullptr;
  const auto found = std::ranges::find(map->items, name, &Node::name);
  return found == map->items.end() ? nullptr : &*found;
}

std::vector<Node>* list(Node* map, std::string_view name) {
  Node* found = member(map, name);
  return found != nullptr && found->kind == Node::Kind::kList ? &found->items : nullptr;
}

std::string_view text_of(const Node* node) {
  return node == nullptr ? std::string_view{} : std::string_view(node->text);
}

// Of a node that must have one member that the type has a row for: the first that has none, where
// all others have none either. `besides` is no such member.
template <class Struct>
const Node* only_foreign(const Node& node, std::string_view besides) {
  const oci::schema::Type& type = oci::schema::Object<Struct>::type;
  const Node* foreign = nullptr;
  for (const Node& each : node.items) {
    if (each.name == besides || each.kind == Node::Kind::kNull) continue;
    const auto is_row = [&](const oci::schema::Field& row) { return row.name() == each.name; };
    if (std::ranges::any_of(type.rows, is_row)) return nullptr;
    if (foreign == nullptr && !asks_for_nothing(type, each)) foreign = &each;
  }
  return foreign;
}

class Passer {
 public:
  Passer(Node& pod, const std::vector<Node>& documents, std::string_view file,
         std::vector<std::string>* ignored)
      : spec_(member(&pod, "spec")), documents_(documents), file_(file), ignored_(ignored) {}

  void pass() {
    if (spec_ == nullptr) return;
    pass_resources(*spec_, "spec");
    for (const char* kind : {"initContainers", "containers"}) {
      std::vector<Node>* containers = list(spec_, kind);
      for (size_t i = 0; containers != nullptr && i < containers->size(); ++i) {
        const std::string where = cat("spec.", kind, "[", i, "]");
        pass_resources((*containers)[i], where);
        pass_value((*containers)[i], where, "imagePullPolicy", "Always", "nothing is pulled");
      }
    }
    pass_volumes();
  }

 private:
  void say(Place place, std::string property, std::string text) {
    if (ignored_ == nullptr) return;
    ignored_->push_back(oci::Error{std::string(file_), place.line, place.column,
                                   std::move(property), std::move(text)}
                            .message());
  }

  // About a field that the type has no row for, whose name may be a stranger's text.
  template <class Struct>
  void say_foreign(const Node& field, std::string property) {
    const auto known = why_refused(oci::schema::Object<Struct>::type, field.name);
    if (known) {
      oci::json::append_member(property, field.name);
    } else {
      oci::json::append_key(property, field.name);
    }
    say(field.name_place, std::move(property),
        known ? cat("cannot be honoured: ", *known) : "unknown field");
  }

  void pass_resources(Node& owner, std::string_view where) {
    for (const char* kind : {"limits", "requests"}) {
      Node* values = member(member(&owner, "resources"), kind);
      if (values == nullptr || values->kind != Node::Kind::kMap) continue;
      std::erase_if(values->items, [&](const Node& value) {
        if (is_resource(kind, value.name)) return false;
        std::string property = cat(where, ".resources.", kind);
        oci::json::append_key(property, value.name);
        say(value.name_place, std::move(property), cat("cannot be honoured: ", kNoResource));
        return true;
      });
    }
  }

  // The member, where it has that value; any, where that is empty.
  void pass_value(Node& owner, std::string_view where, std::string_view name,
                  std::string_view value, std::string_view reason) {
    const Node* found = member(&owner, name);
    if (found == nullptr || found->kind != Node::Kind::kScalar) return;
    if (!value.empty() && found->text != value) return;
    std::string property(where);
    oci::json::append_member(property, name);
    say(found->name_place, std::move(property), cat("cannot be honoured: ", reason));
    std::erase_if(owner.items, [&](const Node& each) { return each.name == name; });
  }

  bool has_config_map(std::string_view name) const {
    return std::ranges::any_of(documents_, [&](const Node& document) {
      const Node* metadata = document.find("metadata");
      return text_of(document.find("kind")) == "ConfigMap" && metadata != nullptr &&
             text_of(metadata->find("name")) == name;
    });
  }

  // Whether a source of a projected volume is left out.
  bool passes_source(const Node& source, const std::string& where) {
    if (source.kind != Node::Kind::kMap) return false;
    if (const Node* foreign = only_foreign<manifest::Projection>(source, "")) {
      say_foreign<manifest::Projection>(*foreign, where);
      return true;
    }
    const Node* map = source.find("configMap");
    if (map == nullptr || text_of(map->find("name")) != kRootCertificates ||
        has_config_map(kRootCertificates))
      return false;
    say(map->name_place, cat(where, ".configMap"),
        cat("cannot be honoured: a cluster writes the ConfigMap ", quoted(kRootCertificates)));
    return true;
  }

  // Whether a volume is left out, of which nothing is left.
  bool passes_volume(Node& volume, const std::string& where) {
    if (volume.kind != Node::Kind::kMap) return false;
    if (const Node* foreign = only_foreign<manifest::Volume>(volume, "name")) {
      say_foreign<manifest::Volume>(*foreign, where);
      return true;
    }
    if (Node* empty = member(&volume, "emptyDir");
        empty != nullptr && text_of(empty->find("medium")).empty())
      pass_value(*empty, cat(where, ".emptyDir"), "sizeLimit", "", kOnlyInMemory);
    std::vector<Node>* sources = list(member(&volume, "projected"), "sources");
    if (sources == nullptr || sources->empty()) return false;
    size_t number = 0;
    std::erase_if(*sources, [&](const Node& source) {
      return passes_source(source, cat(where, ".projected.sources[", number++, "]"));
    });
    return sources->empty();
  }

  void pass_volumes() {
    std::vector<Node>* volumes = list(spec_, "volumes");
    if (volumes == nullptr) return;
    size_t number = 0;
    std::vector<std::string> gone;
    std::erase_if(*volumes, [&](Node& volume) {
      const bool passed = passes_volume(volume, cat("spec.volumes[", number++, "]"));
      if (passed) gone.emplace_back(text_of(volume.find("name")));
      return passed;
    });
    for (const char* kind : {"initContainers", "containers"}) {
      std::vector<Node>* containers = list(spec_, kind);
      for (size_t i = 0; containers != nullptr && i < containers->size(); ++i)
        pass_mounts((*containers)[i], cat("spec.", kind, "[", i, "].volumeMounts"), gone);
    }
  }

  void pass_mounts(Node& container, std::string_view where, const std::vector<std::string>& gone) {
    std::vector<Node>* mounts = list(&container, "volumeMounts");
    if (mounts == nullptr) return;
    size_t number = 0;
    std::erase_if(*mounts, [&](const Node& mount) {
      const size_t index = number++;
      const std::string_view name = text_of(mount.find("name"));
      if (std::ranges::find(gone, name) == gone.end()) return false;
      say(mount.place, cat(where, "[", index, "]"),
          cat("its volume ", quoted(name), " is left out"));
      return true;
    });
  }

  Node* spec_;
  const std::vector<Node>& documents_;
  std::string_view file_;
  std::vector<std::string>* ignored_;
};

}  // namespace

void pass_over(Node& pod, const std::vector<Node>& documents, std::string_view file,
               std::vector<std::string>* ignored) {
  Passer(pod, documents, file, ignored).pass();
}

}  // namespace ocirt::podfile
