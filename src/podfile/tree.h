// A document of a pod file as a tree of values, each with its place in the text, so that whatever
// is found wrong later can be pointed at. What a scalar means (a number, a truth value, a text) is
// decided by the field that it is for and not by its looks: `NO`, `1.10` and `0755` are texts where
// a field is a text, which is what goes wrong elsewhere ("the Norway problem").
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ocirt::podfile {

struct Place {
  unsigned line = 0;  // both from 1; 0: not known
  unsigned column = 0;
};

struct Node {
  enum class Kind : unsigned char { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  bool plain = false;     // a scalar without quotes
  Place place = {};       // of the value
  std::string text = {};  // of a scalar
  std::string name = {};  // of a map's member: its key
  Place name_place = {};
  std::vector<Node> items = {};  // of a list or map, in their order

  // The member of that name, or nullptr.
  const Node* find(std::string_view member) const;
};

// The place of what `property` names ("spec.containers[0].ports[1].hostPort", or with a free name:
// labels["a.b"]); where that is absent, of the nearest thing around it. A member's place is its
// name's.
Place place_of(const Node& root, std::string_view property);

}  // namespace ocirt::podfile
