// Trees to structs, by the rows of rows.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci-spec/error.h"
#include "oci-spec/schema/field.h"
#include "src/podfile/tree.h"

namespace ocirt::podfile {

struct ReadOptions {
  bool ignore_unknown = false;  // fields without a row are left out instead of refused
  std::vector<std::string>* ignored = nullptr;  // then gets a line about each, with its place
};

// Fills `target`, a default-constructed struct that `type` describes. Errors name place and field:
// pod.yaml:14:5: spec.containers[0].imagePulPolicy: unknown field; did you mean imagePullPolicy?
std::optional<oci::Error> read_tree(const Node& root, std::string_view document,
                                    const oci::schema::Type& type, void* target,
                                    const ReadOptions& options);

// The name among `rows` that somebody who wrote `field` may have meant; empty when none is near.
std::string_view nearest_name(std::span<const oci::schema::Field> rows, std::string_view field);

}  // namespace ocirt::podfile
