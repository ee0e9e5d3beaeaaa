#include "src/shim/shim_socket.h"

#include <cerrno>
#include <utility>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/socket.h"
#include "src/sys/stream.h"
#include "src/wire/client.h"

namespace ocirt::shim {
namespace {

constexpr size_t kMostPath = 106;  // that clients can connect to
constexpr sys::Nanoseconds kJoinTime = std::chrono::seconds(5);
// Of `delete`, which has five seconds in all, for a shim that may be stuck.
constexpr sys::Nanoseconds kGoneTime = std::chrono::seconds(1);

struct Place {
  UniqueFd directory;  // locked
  std::string name;
};

Result<Place> lock_place(const std::string& path, bool make) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0)
    return refuse(cat("socket ", path, ": not a path of a file in a directory"));
  const std::string directory = path.substr(0, slash);
  if (make) {
    Result<> made = sys::mkdir_parents(directory, 0700);
    if (!made && made.error().code != EEXIST) return std::unexpected(std::move(made).error());
  }
  Place place;
  place.name = path.substr(slash + 1);
  place.directory = TRY(sys::open(sys::kCwd, directory, O_RDONLY | O_DIRECTORY));
  TRY(sys::lock_exclusive(place.directory, directory));
  return place;
}

// Unless somebody listens there, takes the name away.
Result<UniqueFd> connect_or_tidy(const std::string& path) {
  const Place place = TRY(lock_place(path, false));
  Result<UniqueFd> found = sys::connect_stream_at_once(path);
  if (!found && found.error().code == ECONNREFUSED) (void)sys::unlink(place.directory, place.name);
  return found;
}

// Nobody listens there any more.
bool is_dead(const Error& error) { return error.code == ECONNREFUSED || error.code == ENOENT; }

}  // namespace

Result<Found> find_or_take(const std::string& path) {
  if (path.size() > kMostPath)
    return refuse(cat("socket ", path, ": longer than ", kMostPath, " bytes"));
  const Place place = TRY(lock_place(path, true));
  Found found;
  Result<UniqueFd> listener = sys::listen_stream_at(place.directory, place.name);
  if (!listener && listener.error().code == EADDRINUSE) {
    // At once: with the lock of all sockets nobody waits for one shim.
    Result<UniqueFd> connection = sys::connect_stream_at_once(path);
    if (connection) {
      found.connection = std::move(*connection);
      return found;
    }
    if (connection.error().code == EAGAIN)
      return refuse(cat("the shim at ", path, " does not answer"));
    if (!is_dead(connection.error())) return std::unexpected(std::move(connection).error());
    TRY(sys::unlink(place.directory, place.name));
    listener = sys::listen_stream_at(place.directory, place.name);
  }
  if (!listener) return std::unexpected(std::move(listener).error());
  Seat seat{path, std::move(*listener), {}};
  seat.identity = TRY(sys::stat(place.directory, place.name));
  found.seat = std::move(seat);
  return found;
}

Result<std::optional<int>> join(UniqueFd connection, const std::string& path, std::string_view id) {
  wire::Client client(std::move(connection));
  Result<wire::Answer> answer = client.call(kJoinService, kJoinMethod, id, kJoinTime);
  if (!answer && answer.error().code == ETIMEDOUT)
    return refuse(cat("the shim at ", path, " does not answer"));
  if (!answer) return std::nullopt;  // it has ended
  if (answer->code == wire::Code::kUnimplemented)
    return refuse(cat("not supported: the shim at ", path, " is another program's"));
  if (answer->code != wire::Code::kOk) return refuse(cat("the shim at ", path, ": ", answer->text));
  return to_number<int>(answer->payload).value_or(2);
}

void give_up(Seat& seat) {
  Result<Place> place = lock_place(seat.path, false);
  if (!place) return;
  Result<struct stat> now = sys::stat(place->directory, place->name);
  if (now && now->st_ino == seat.identity.st_ino && now->st_dev == seat.identity.st_dev)
    (void)sys::unlink(place->directory, place->name);
}

void tell_gone(const std::string& path, std::string_view id) {
  Result<UniqueFd> connection = connect_or_tidy(path);
  if (!connection) return;
  wire::Client client(std::move(*connection));
  const Result<wire::Answer> answer = client.call(kJoinService, kGoneMethod, id, kGoneTime);
  // One that is being killed closes its connections before its socket: its daemon hears of the end
  // while the socket still takes us.
  if (!answer && answer.error().code != ETIMEDOUT) (void)connect_or_tidy(path);
}

}  // namespace ocirt::shim
