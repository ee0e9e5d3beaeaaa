// oci-spec has an error type of its own, since it knows nothing of src/. Here it becomes ours.
#pragma once

#include <utility>

#include "oci-spec/error.h"
#include "src/base/result.h"

namespace ocirt::container {

// The value, or the error as one line: "config.json:41:17: linux.resources.memory.limit: ...".
template <class T>
Result<T> from_spec(oci::Result<T> result) {
  if (!result) return refuse(result.error().message());
  return *std::move(result);
}

}  // namespace ocirt::container
