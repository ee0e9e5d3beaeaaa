// What a document reader says when it refuses a document.
//
// Whoever wrote the document has to find the mistake in a generated file of some hundred lines, so
// an error names the place (line and column) and the property ("linux.resources.memory.limit")
// besides the reason. The library only returns errors; it never prints.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace oci {

struct Error {
  std::string document;  // name of the document, as the caller gave it: "config.json"
  unsigned line = 0;     // 1-based line of the wrong value; 0 where no text was read
  unsigned column = 0;   // 1-based column, counted in bytes
  std::string property;  // path of the property: "mounts[3].options[1]"; empty for the whole
  std::string text;      // the reason, one sentence without a full stop

  // All of it in one line:
  // config.json:41:17: linux.resources.memory.limit: expected an integer, found "1G"
  std::string message() const;
};

template <class T>
using Result = std::expected<T, Error>;

}  // namespace oci
