// JSON for people: documents that are joined from others, indented.
#pragma once

#include <string>
#include <string_view>

namespace ocirt::podcli {

// The same JSON with a line per value, indented by two spaces, and a final newline. What is no JSON
// comes back as it is.
std::string pretty_json(std::string_view json);

// A text in quotation marks, as JSON has it.
std::string json_text(std::string_view text);

}  // namespace ocirt::podcli
