// libyaml as a stream of events, from which the tree is built by descending. Its own document API
// would resolve aliases without counting, and keep no order between equal keys.
#include "src/podfile/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <map>
#include <optional>

#include "src/base/text.h"

namespace ocirt::podfile {
namespace {

using oci::Error;

// An event is freed when the next one is read, and at the end.
class Events {
 public:
  explicit Events(std::string_view text) {
    ready_ = yaml_parser_initialize(&parser_) == 1;
    if (!ready_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  ~Events() {
    drop();
    if (ready_) yaml_parser_delete(&parser_);
  }

  bool next() {
    drop();
    if (!ready_ || yaml_parser_parse(&parser_, &event_) != 1) return false;
    filled_ = true;
    return true;
  }
  const yaml_event_t& event() const { return event_; }
  const yaml_parser_t& parser() const { return parser_; }

 private:
  void drop() {
    if (filled_) yaml_event_delete(&event_);
    filled_ = false;
  }
  yaml_parser_t parser_ = {};
  yaml_event_t event_ = {};
  bool ready_ = false;
  bool filled_ = false;
};

Place place_of_mark(const yaml_mark_t& mark) {
  return {static_cast<unsigned>(mark.line) + 1, static_cast<unsigned>(mark.column) + 1};
}

std::string_view view(const yaml_char_t* text) {
  return text == nullptr ? std::string_view{} : reinterpret_cast<const char*>(text);
}

// The words that stand for nothing in a plain scalar.
bool is_null(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

class Builder {
 public:
  Builder(std::string_view text, std::string_view document)
      : text_(text), document_(document), events_(text) {}

  oci::Result<std::vector<Node>> run();

 private:
  // The node that the present event begins; the events of all of it are used up.
  bool build(Node& node, unsigned depth);
  bool build_list(Node& node, unsigned depth);
  bool build_map(Node& node, unsigned depth);
  bool build_scalar(Node& node);
  bool build_alias(Node& node);
  bool has_room(const Node& map, Place place);
  bool add_member(Node& map, Node member);
  bool merge(Node& map, const Node& source);
  bool count(const Node& node, Place place);
  bool check_tag(std::string_view tag, Node::Kind kind, Place place);

  bool next() { return events_.next() || fail_of_parser(); }
  bool fail(Place place, std::string text) {
    error_ = Error{std::string(document_), place.line, place.column, "", std::move(text)};
    return false;
  }
  bool fail_of_parser();

  std::string_view text_;
  std::string_view document_;
  Events events_;
  std::map<std::string, Node, std::less<>> anchors_;
  size_t nodes_ = 0;
  size_t bytes_ = 0;
  std::optional<Error> error_;
};

oci::Result<std::vector<Node>> Builder::run() {
  std::vector<Node> documents;
  for (bool going = next(); going; going = next()) {
    const yaml_event_t& event = events_.event();
    if (event.type == YAML_STREAM_END_EVENT) return documents;
    if (event.type != YAML_DOCUMENT_START_EVENT) continue;
    anchors_.clear();
    Node root;
    if (!next() || !build(root, 0)) break;
    if (root.kind != Node::Kind::kNull) documents.push_back(std::move(root));
  }
  return std::unexpected(*std::move(error_));
}

bool Builder::build(Node& node, unsigned depth) {
  const yaml_event_t& event = events_.event();
  node.place = place_of_mark(event.start_mark);
  if (depth >= kMaxDepth) {
    return fail(node.place, cat("the document is nested deeper than ", kMaxDepth, " levels"));
  }
  std::string anchor;
  bool built = false;
  switch (event.type) {
    case YAML_ALIAS_EVENT:
      return build_alias(node);
    case YAML_SCALAR_EVENT:
      anchor = view(event.data.scalar.anchor);
      built = build_scalar(node);
      break;
    case YAML_SEQUENCE_START_EVENT:
      anchor = view(event.data.sequence_start.anchor);
      built = check_tag(view(event.data.sequence_start.tag), Node::Kind::kList, node.place) &&
              build_list(node, depth);
      break;
    case YAML_MAPPING_START_EVENT:
      anchor = view(event.data.mapping_start.anchor);
      built = check_tag(view(event.data.mapping_start.tag), Node::Kind::kMap, node.place) &&
              build_map(node, depth);
      break;
    default:
      return fail(node.place, "not valid YAML");
  }
  if (!built) return false;
  if (!anchor.empty()) {
    if (!count(node, node.place)) return false;
    anchors_.insert_or_assign(std::move(anchor), node);
  }
  return true;
}

bool Builder::build_scalar(Node& node) {
  const auto& scalar = events_.event().data.scalar;
  node.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
  if (node.text.contains('\0')) return fail(node.place, "a text must not contain \\0");
  const std::string_view tag = view(scalar.tag);
  node.plain = scalar.style == YAML_PLAIN_SCALAR_STYLE && tag != YAML_STR_TAG;
  node.kind = node.plain && is_null(node.text) ? Node::Kind::kNull : Node::Kind::kScalar;
  return check_tag(tag, Node::Kind::kScalar, node.place) && count(node, node.place);
}

bool Builder::build_list(Node& node, unsigned depth) {
  node.kind = Node::Kind::kList;
  if (!count(node, node.place)) return false;
  while (next()) {
    if (events_.event().type == YAML_SEQUENCE_END_EVENT) return true;
    if (!build(node.items.emplace_back(), depth + 1)) return false;
  }
  return false;
}

bool Builder::build_map(Node& node, unsigned depth) {
  node.kind = Node::Kind::kMap;
  if (!count(node, node.place)) return false;
  std::vector<Node> merged;
  while (next()) {
    const yaml_event_t& event = events_.event();
    if (event.type == YAML_MAPPING_END_EVENT) {
      return std::all_of(merged.begin(), merged.end(),
                         [&](const Node& source) { return merge(node, source); });
    }
    const Place place = place_of_mark(event.start_mark);
    if (event.type != YAML_SCALAR_EVENT) return fail(place, "a key must be a text");
    Node key;
    key.place = place;
    if (!build_scalar(key)) return false;
    const bool is_merge = key.plain && key.text == "<<";
    Node member;
    if (!next() || !build(member, depth + 1)) return false;
    member.name = std::move(key.text);
    member.name_place = place;
    if (is_merge) {
      merged.push_back(std::move(member));
    } else if (!add_member(node, std::move(member))) {
      return false;
    }
  }
  return false;
}

bool Builder::has_room(const Node& map, Place place) {
  return map.items.size() < kMaxMembers ||
         fail(place, cat("a map with more than ", kMaxMembers, " keys"));
}

bool Builder::add_member(Node& map, Node member) {
  if (const Node* first = map.find(member.name)) {
    return fail(member.name_place, cat("the key ", quoted(member.name),
                                       " is there twice, first in line ", first->name_place.line));
  }
  if (!has_room(map, member.name_place)) return false;
  map.items.push_back(std::move(member));
  return true;
}

// The merge key: the members of another map, or of several, that this one does not have itself.
bool Builder::merge(Node& map, const Node& source) {
  if (source.kind == Node::Kind::kList) {
    return std::all_of(source.items.begin(), source.items.end(),
                       [&](const Node& item) { return merge(map, item); });
  }
  if (source.kind != Node::Kind::kMap) return fail(source.place, "<<: expected a map");
  for (const Node& member : source.items) {
    if (map.find(member.name) != nullptr) continue;
    if (!count(member, source.place) || !has_room(map, source.place)) return false;
    map.items.push_back(member);
  }
  return true;
}

bool Builder::build_alias(Node& node) {
  const std::string_view name = view(events_.event().data.alias.anchor);
  const auto found = anchors_.find(name);
  if (found == anchors_.end()) {
    return fail(node.place, cat("there is no anchor &", name, " before this alias"));
  }
  if (!count(found->second, node.place)) return false;
  const Place place = node.place;
  node = found->second;
  node.place = place;
  return true;
}

// Counts a node and everything in it that has not been counted yet: a node of its own when it is
// begun, and a copy as a whole.
bool Builder::count(const Node& node, Place place) {
  ++nodes_;
  bytes_ += node.text.size();
  if (nodes_ > kMaxNodes || bytes_ > kMaxText) {
    return fail(place, cat("the document has more than ", kMaxNodes, " values, or ", kMaxText >> 20,
                           " MiB of text, once its aliases are replaced"));
  }
  return std::all_of(node.items.begin(), node.items.end(),
                     [&](const Node& item) { return count(item, place); });
}

bool Builder::check_tag(std::string_view tag, Node::Kind kind, Place place) {
  if (tag.empty() || tag == "!") return true;
  if (kind == Node::Kind::kList && tag == YAML_SEQ_TAG) return true;
  if (kind == Node::Kind::kMap && tag == YAML_MAP_TAG) return true;
  if (kind == Node::Kind::kScalar && (tag == YAML_STR_TAG || tag == YAML_INT_TAG ||
                                      tag == YAML_BOOL_TAG || tag == YAML_NULL_TAG)) {
    return true;
  }
  return fail(place, cat("not supported: the tag ", quoted(tag)));
}

bool Builder::fail_of_parser() {
  const yaml_parser_t& parser = events_.parser();
  std::string reason = "not valid YAML";
  Place place = place_of_mark(parser.problem_mark);
  if (parser.error == YAML_READER_ERROR) {
    // There is no mark: the reader works ahead of the scanner.
    const std::string_view before = text_.substr(0, std::min(parser.problem_offset, text_.size()));
    place.line = static_cast<unsigned>(std::count(before.begin(), before.end(), '\n')) + 1;
    place.column = static_cast<unsigned>(before.size() - (before.rfind('\n') + 1)) + 1;
  }
  if (parser.error == YAML_MEMORY_ERROR) reason = "memory is used up";
  if (parser.problem != nullptr) reason += cat(": ", parser.problem);
  if (parser.context != nullptr && parser.error != YAML_READER_ERROR) {
    reason += cat(" ", parser.context);
    if (parser.context_mark.line != parser.problem_mark.line) {
      reason += cat(" that begins in line ", parser.context_mark.line + 1);
    }
  }
  const size_t at = parser.problem_mark.index;
  if (parser.error == YAML_SCANNER_ERROR && at < text_.size() && text_[at] == '\t') {
    reason = "not valid YAML: indentation must be of spaces, and here is a tab";
  }
  return fail(place, std::move(reason));
}

}  // namespace

oci::Result<std::vector<Node>> read_yaml(std::string_view text, std::string_view document) {
  if (text.size() > kMaxFile) {
    return std::unexpected(
        Error{std::string(document), 0, 0, "",
              cat("the file has ", text.size(), " bytes, more than the limit of ", kMaxFile)});
  }
  // libyaml takes a byte order mark only where it is to find the encoding by it.
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return Builder(text, document).run();
}

}  // namespace ocirt::podfile
