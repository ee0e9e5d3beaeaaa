// What ocirt asks of ocirt-net and what it hears back, as lines of text: names of interfaces hold
// neither spaces nor slashes, which oci-spec/validate_linux.cc has made sure of. Both programs are
// built together. Pure; the one file of this folder that ocirt itself contains.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace ocirt::net {

inline constexpr std::string_view kProgram = "ocirt-net";

// A device of linux.netDevices.
struct Wanted {
  std::string host;    // its name in the runtime's network namespace
  std::string inside;  // in the container's; may have a "%d" for which the kernel takes a number
  bool operator==(const Wanted&) const = default;
};

// A device that has been moved, with all that is needed to give it back.
struct Moved {
  std::string host;
  std::string inside;   // the name that it really got
  bool was_up = false;  // on the host
  uint32_t master = 0;  // index of the bridge or bond on the host of which it was a port, or 0
  std::string saved;    // hexadecimal: its addresses and routes on the host
  bool operator==(const Moved&) const = default;
};

// One request. Descriptor 3 of the program is the container's network namespace, its own is the
// host's.
struct Request {
  enum class Kind { move_in, give_back } kind = Kind::move_in;
  std::vector<Wanted> wanted;  // move_in: all of them, or none when one fails
  std::vector<Moved> moved;    // give_back: as many of them as possible
  bool operator==(const Request&) const = default;
};

std::string write_request(const Request& request);
Result<Request> read_request(std::string_view text);

// The answer to move_in, on one line; that to give_back is empty.
std::string write_moved(const std::vector<Moved>& moved);
Result<std::vector<Moved>> read_moved(std::string_view text);

// Whether the kernel is to choose a number for the name.
constexpr bool is_template(std::string_view name) { return name.contains("%d"); }

// The label of an address of `from` when the device is called `to`: it is the device's name or
// begins with the name and a colon (an alias of ifconfig(8)). Empty when there is nothing to keep.
std::string renamed_label(std::string_view label, std::string_view from, std::string_view to);

}  // namespace ocirt::net
