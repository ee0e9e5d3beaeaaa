// `list`: all containers of a state directory.
#pragma once

#include <string>
#include <vector>

#include "oci-spec/state.h"
#include "src/base/result.h"
#include "src/container/record.h"
#include "src/container/store.h"
#include "src/container/warnings.h"

namespace ocirt::container {

struct Entry {
  Record record;
  oci::Status status = oci::Status::kStopped;
};

struct Listing {
  std::vector<Entry> entries;  // ascending by id
  Warnings broken;             // one sentence per container whose state could not be read
};

// What other commands create or delete in the meantime may be in it or not; it is never an error.
Result<Listing> list(const Store& store);

// The entry of one container.
Result<Entry> entry_of(const Store& store, const std::string& id);

// The state document as `state` and `list` print it: that of the specification and three properties
// that engines read: rootfs, created, owner (a user's name, or "#1000" when nobody has the number).
std::string state_document(const Entry& entry, bool pretty);

// The name of a user as /etc/passwd has it, or "#UID".
std::string user_name(uint32_t uid);

}  // namespace ocirt::container
