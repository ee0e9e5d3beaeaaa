// JSON text to structs, by the rows of schema/.
#pragma once

#include <optional>
#include <string_view>

#include "oci-spec/error.h"
#include "oci-spec/schema/field.h"

namespace oci::json {

// Reads `text`, which must be one JSON object (or list), into `target`, a default-constructed
// struct (or vector) described by `type` (of Kind::kObject or kList). `document` is the name for
// errors. On an error the struct is partly filled and to be thrown away.
//
// Checked here: size, depth, UTF-8, JSON syntax, and what the rows say (type, range, enumeration,
// pattern, required). Not checked: rules between properties, see validate.cc.
std::optional<Error> read(std::string_view text, std::string_view document,
                          const schema::Type& type, void* target);

// The place in `text` (valid JSON) of the property that `path` names, as built by append_member()
// and its siblings; of the nearest object or list around it when it is absent. For errors of
// validate(), which sees no text: scanned again on failure only, so that the good path keeps no
// positions.
void locate(std::string_view text, Error& error);

}  // namespace oci::json
