#include "src/net/request.h"

#include <optional>

#include "src/base/text.h"

namespace ocirt::net {
namespace {

constexpr std::string_view kMoveIn = "move-in", kGiveBack = "give-back";
constexpr size_t kMostLabel = 15;  // IFNAMSIZ with its NUL

// HOST/INSIDE/up or down/MASTER/SAVED
std::string word_of(const Moved& moved) {
  return cat(moved.host, "/", moved.inside, "/", moved.was_up ? "up" : "down", "/", moved.master,
             "/", moved.saved);
}

Result<Moved> moved_of(std::string_view word) {
  const std::vector<std::string_view> parts = split(word, '/');
  std::optional<uint32_t> master;
  if (parts.size() == 5) master = to_number<uint32_t>(parts[3]);
  if (!master || parts[0].empty() || parts[1].empty()) {
    return refuse(cat("not a moved device: ", quoted(word)));
  }
  return Moved{std::string(parts[0]), std::string(parts[1]), parts[2] == "up", *master,
               std::string(parts[4])};
}

}  // namespace

std::string write_request(const Request& request) {
  if (request.kind == Request::Kind::give_back) {
    return cat(kGiveBack, "\n", write_moved(request.moved), "\n");
  }
  std::string text = cat(kMoveIn, "\n");
  for (const Wanted& device : request.wanted) text += cat(device.host, " ", device.inside, "\n");
  return text;
}

Result<Request> read_request(std::string_view text) {
  Request request;
  const std::optional<std::string_view> kind = next_line(text);
  if (kind == kGiveBack) {
    request.kind = Request::Kind::give_back;
    request.moved = TRY(read_moved(next_line(text).value_or("")));
    return request;
  }
  if (kind != kMoveIn) return refuse("the request is of no known kind");
  while (std::optional<std::string_view> line = next_line(text)) {
    const std::vector<std::string_view> names = split(*line, ' ');
    if (names.size() != 2 || names[0].empty() || names[1].empty()) {
      return refuse(cat("not a device and its new name: ", quoted(*line)));
    }
    request.wanted.push_back({std::string(names[0]), std::string(names[1])});
  }
  return request;
}

std::string write_moved(const std::vector<Moved>& moved) {
  std::string text;
  for (const Moved& device : moved) text += cat(text.empty() ? "" : " ", word_of(device));
  return text;
}

Result<std::vector<Moved>> read_moved(std::string_view text) {
  std::vector<Moved> moved;
  if (text.empty()) return moved;
  for (std::string_view word : split(text, ' ')) {
    Moved device = TRY(moved_of(word));
    moved.push_back(std::move(device));
  }
  return moved;
}

std::string renamed_label(std::string_view label, std::string_view from, std::string_view to) {
  // The kernel gives an address without a label the name of its device.
  if (label == from || label.empty()) return {};
  std::string renamed(label);
  if (label.starts_with(from) && label[from.size()] == ':') {
    renamed = cat(to, label.substr(from.size()));
  }
  return renamed.size() <= kMostLabel ? renamed : std::string();
}

}  // namespace ocirt::net
