// The socket by whose name the containers of a group find their shim. Whoever starts a shim and
// whoever ends look at it under the same lock, so that a group has one shim at most and nobody's
// socket is taken for a dead one.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::shim {

// The service by which a `start` asks a shim that lives whether it takes one more container: the
// answer is the version of its Task service as a digit.
inline constexpr std::string_view kJoinService = "ocirt.shim.v1.Shim";
inline constexpr std::string_view kJoinMethod = "Join";
// By which `delete` says that nobody will ask for a container any more. Both carry its id.
inline constexpr std::string_view kGoneMethod = "Gone";

// A socket that we listen on.
struct Seat {
  std::string path;
  UniqueFd listener;
  struct stat identity = {};
};

// What `path` leads to: a new socket of ours, or the connection to a shim that lives.
struct Found {
  std::optional<Seat> seat;
  UniqueFd connection;
};
// Makes the directory (0700) and the socket (0600). What a dead shim has left is replaced.
Result<Found> find_or_take(const std::string& path);

// Asks the shim behind the connection to take one more container. Its version; nothing when it
// ended meanwhile: then it is to be looked for again. An error when it is another program's.
Result<std::optional<int>> join(UniqueFd connection, const std::string& path, std::string_view id);

// Takes the name away if it is ours still. From then on nobody new comes.
void give_up(Seat& seat);
// Removes the socket of a shim that is dead; one that lives is told that the container has gone.
void tell_gone(const std::string& path, std::string_view id);

}  // namespace ocirt::shim
