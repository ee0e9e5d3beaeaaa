// The command line by which containerd starts a shim: flags as Go's flag package reads them (`-id
// x`,
// `-id=x`, `--id x`), then one word for what is to be done. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace ocirt::shim {

enum class Action : uint8_t { kNone, kStart, kDelete, kVersion, kInfo };

struct Invocation {
  Action action = Action::kNone;
  std::string name_space;      // -namespace: containerd's, not the kernel's
  std::string id;              // of the container
  std::string address;         // of containerd's GRPC socket; CRI-O leaves it empty
  std::string publish_binary;  // taken and not run: events go over ttrpc
  std::string bundle;          // delete only
  bool debug = false;
};

// Whether it is containerd who speaks: by the program's name, or by a flag with one dash.
bool is_containerds(std::string_view program, std::span<const char* const> words);

// Errors name the word. `start` and `delete` need an id and a namespace, which become parts of
// paths and are checked as such.
Result<Invocation> parse_invocation(std::span<const char* const> words);

}  // namespace ocirt::shim
