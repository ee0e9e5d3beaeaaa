#include "src/podfile/tree.h"

#include <algorithm>

#include "oci-spec/json/text.h"
#include "src/base/text.h"

namespace ocirt::podfile {
namespace {

// One step of a property's path, which is removed from it.
struct Step {
  bool is_index = false;
  bool is_free = false;  // a name between quotation marks, as quoted() shows it
  size_t index = 0;
  std::string_view name = {};
};

Step next_step(std::string_view& path) {
  if (path.starts_with('.')) path.remove_prefix(1);
  if (path.starts_with("[\"")) {
    size_t end = path.find("\"]", 2);
    Step step{
        .is_free = true,
        .name = path.substr(2, end == std::string_view::npos ? std::string_view::npos : end - 2)};
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 2);
    return step;
  }
  if (path.starts_with('[')) {
    size_t end = path.find(']');
    std::string_view digits =
        path.substr(1, end == std::string_view::npos ? std::string_view::npos : end - 1);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    return {.is_index = true, .index = to_number<size_t>(digits).value_or(0)};
  }
  size_t end = path.find_first_of(".[");
  Step step{.name = path.substr(0, end)};
  path.remove_prefix(end == std::string_view::npos ? path.size() : end);
  return step;
}

// The member that a message shows as `shown`: without control characters, and cut if it is long.
const Node* find_shown(const Node& map, std::string_view shown) {
  if (map.kind != Node::Kind::kMap) return nullptr;
  const auto found = std::ranges::find(map.items, cat("\"", shown, "\""), [](const Node& item) {
    return oci::json::quoted(item.name);
  });
  return found == map.items.end() ? nullptr : &*found;
}

}  // namespace

const Node* Node::find(std::string_view member) const {
  if (kind != Kind::kMap) return nullptr;
  for (const Node& item : items) {
    if (item.name == member) return &item;
  }
  return nullptr;
}

Place place_of(const Node& root, std::string_view property) {
  const Node* node = &root;
  Place place = root.place;
  while (!property.empty()) {
    const Step step = next_step(property);
    if (step.is_index) {
      if (node->kind != Node::Kind::kList || step.index >= node->items.size()) return place;
      node = &node->items[step.index];
      place = node->place;
    } else {
      node = step.is_free ? find_shown(*node, step.name) : node->find(step.name);
      if (node == nullptr) return place;
      place = node->name_place;
    }
  }
  return place;
}

}  // namespace ocirt::podfile
