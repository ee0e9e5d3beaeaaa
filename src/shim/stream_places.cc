#include "src/shim/stream_places.h"

#include <cerrno>
#include <utility>

#include "src/base/text.h"

namespace ocirt::shim {
namespace {

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
  if (place.scheme == "ttrpc+unix" || place.scheme == "grpc+unix") {
    return std::unexpected(
        Error{ENOSYS,
              cat("not supported: ", which, ": ", quoted(text),
                  ": streams over a socket (in containerd's configuration: io_type = \"fifo\")")});
  }
  const bool known = place.scheme == "fifo" || place.scheme == "file" || place.scheme == "binary" ||
                     place.scheme == "binary-v2";
  if (!known) {
    return std::unexpected(Error{ENOSYS, cat("not supported: ", which, ": ", quoted(text),
                                             ": only fifo, file, binary "
                                             "and binary-v2 are taken")});
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

}  // namespace

Result<StreamPlaces> read_places(const StreamPaths& paths) {
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
