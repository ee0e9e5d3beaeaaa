// Structs to JSON text, by the rows of schema/.
#pragma once

#include <string>

#include "oci-spec/map.h"
#include "oci-spec/schema/field.h"

namespace oci::json {

// The JSON text of the struct at `value`, described by `type`: on one line, or (`pretty`) indented
// by two spaces and with a final newline. `more` are string properties that follow those of the
// rows.
std::string write(const schema::Type& type, const void* value, bool pretty,
                  const Map<std::string>& more = {});

}  // namespace oci::json
