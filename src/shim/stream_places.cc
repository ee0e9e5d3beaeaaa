#include "src/shim/stream_places.h"

#include <cerrno>
#include <utility>

#include "src/base/text.h"

namespace ocirt::shim {
namespace {

constexpr std::string_view kSocketScheme = "ttrpc+unix";

struct Place {
  std::string_view scheme, path, query;
};

Result<Place> read_place(std::string_view which, const std::string& text) {
  Place place{"fifo", text, {}};
  if (const size_t colon = place.path.find("://"); colon != std::string_view::npos) {
    place.scheme = place.path.substr(0, colon);
    place.path.remove_prefix(colon + 3);
    if (const size_t mark = place.path.find('?'); mark != std::string_view::npos) {
      place.query = place.path.substr(mark + 1);
      place.path = place.path.substr(0, mark);
    }
  }
  const bool known = place.scheme == "fifo" || place.scheme == "file" || place.scheme == "binary" ||
                     place.scheme == "binary-v2" || place.scheme == kSocketScheme;
  if (!known) {
    return std::unexpected(Error{ENOSYS, cat("not supported: ", which, ": ", quoted(text),
                                             ": only fifo, file, binary, "
                                             "binary-v2 and ttrpc+unix are taken")});
  }
  if (!place.path.starts_with('/') && !place.path.empty())
    return std::unexpected(Error{EINVAL, cat(which, ": ", quoted(text), ": not an absolute path")});
  return place;
}

// "%2F" and "+" of a query.
std::string decoded(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      if (std::optional<int> code = to_number<int>(text.substr(i + 1, 2), 16)) {
        plain += static_cast<char>(*code);
        i += 2;
        continue;
      }
    }
    plain += text[i] == '+' ? ' ' : text[i];
  }
  return plain;
}

Result<std::string> fifo(std::string_view which, const std::string& text) {
  const Place place = TRY(read_place(which, text));
  if (place.scheme == "fifo") return std::string(place.path);
  return std::unexpected(Error{ENOSYS, cat("not supported: ", which, ": ", quoted(text),
                                           ": only stdout may be another thing than a fifo")});
}

// The id of a stream over the socket; all of them lead over the same one.
Result<std::string> stream_id(std::string_view which, const std::string& text,
                              StreamPlaces& places) {
  if (text.empty()) return std::string();
  const Place place = TRY(read_place(which, text));
  auto refuse_it = [&](int code, std::string_view why) {
    return std::unexpected(Error{code, cat(which, ": ", quoted(text), ": ", why)});
  };
  if (place.scheme != kSocketScheme)
    return refuse_it(ENOSYS, "not supported: beside streams over a socket");
  if (place.path.empty()) return refuse_it(EINVAL, "no path");
  if (places.socket.empty()) places.socket = place.path;
  if (places.socket != place.path) return refuse_it(EINVAL, "another socket than the others'");
  for (std::string_view pair : split(place.query, '&')) {
    constexpr std::string_view kKey = "streaming_id=";
    if (!pair.starts_with(kKey)) continue;
    if (std::string id = decoded(pair.substr(kKey.size())); !id.empty()) return id;
  }
  return refuse_it(EINVAL, "no streaming_id");
}

Result<StreamPlaces> socket_places(const StreamPaths& paths) {
  StreamPlaces places;
  places.kind = StreamPlaces::Kind::kSocket;
  places.in = TRY(stream_id("stdin", paths.in, places));
  places.out = TRY(stream_id("stdout", paths.out, places));
  places.err = TRY(stream_id("stderr", paths.err, places));
  return places;
}

}  // namespace

Result<StreamPlaces> read_places(const StreamPaths& paths) {
  for (const std::string* text : {&paths.in, &paths.out, &paths.err}) {
    if (text->starts_with(cat(kSocketScheme, "://"))) return socket_places(paths);
  }
  StreamPlaces places;
  places.in = TRY(fifo("stdin", paths.in));
  const Place out = TRY(read_place("stdout", paths.out));
  places.out = out.path;
  if (out.scheme == "fifo") {
    places.err = TRY(fifo("stderr", paths.err));
    return places;
  }
  if (out.path.empty())
    return std::unexpected(Error{EINVAL, cat("stdout: ", quoted(paths.out), ": no path")});
  if (out.scheme == "file") {
    places.kind = StreamPlaces::Kind::kFile;
    return places;
  }
  places.kind = StreamPlaces::Kind::kProgram;
  places.must_answer = out.scheme == "binary-v2";
  places.program.emplace_back(out.path);
  for (std::string_view pair : split(out.query, '&')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    places.program.push_back(decoded(pair.substr(0, equals)));
    if (equals != std::string_view::npos)
      places.program.push_back(decoded(pair.substr(equals + 1)));
  }
  return places;
}

}  // namespace ocirt::shim
