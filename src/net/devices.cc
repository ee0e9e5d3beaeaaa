#include "src/net/devices.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <ranges>

#include "src/base/text.h"
#include "src/net/address.h"
#include "src/net/link.h"
#include "src/net/route.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::net {
namespace {

// One session on each side.
struct Sides {
  Session host, container;
  UniqueFd host_ns;
  Fd container_ns;
};

Result<Sides> open_sides(Fd ns) {
  Sides sides;
  sides.container_ns = ns;
  sides.host_ns = TRY(sys::open(sys::kCwd, "/proc/self/ns/net", O_RDONLY));
  sides.host = TRY(Session::open());
  TRY(within("enter the container's network namespace", sys::setns(ns, CLONE_NEWNET)));
  sides.container = TRY(Session::open());
  return sides;
}

std::unexpected<Error> with_more(Error error, const Result<>& second) {
  if (!second) error.text += cat("; then, while undoing this: ", second.error().text);
  return std::unexpected(std::move(error));
}

// From the container to the host. `inside` is what it is called there now.
Result<> return_link(Sides& sides, const Moved& device, std::string_view inside) {
  std::optional<Link> link = TRY(find_link(sides.container, inside));
  if (!link) return {};
  const std::vector<Reply> saved = TRY(from_hex(device.saved));
  std::vector<Reply> addresses, routes;
  for (const Reply& reply : saved) {
    (reply.header()->nlmsg_type == RTM_NEWADDR ? addresses : routes).push_back(reply);
  }
  TRY(within(cat("return ", inside, " as ", device.host),
             move_link(sides.container, link->index, sides.host_ns, device.host)));
  link = TRY(find_link(sides.host, device.host));
  if (!link) return refuse(cat("return ", inside, ": it is not there"));
  if (device.master != 0) {
    TRY(within(cat("make ", device.host, " a port again"),
               set_master(sides.host, link->index, device.master)));
  }
  TRY(add_addresses(sides.host, link->index, addresses, device.host, device.host));
  if (!device.was_up) return {};
  TRY(within(cat("set ", device.host, " up"), set_up(sides.host, link->index)));
  return within(device.host, add_routes(sides.host, link->index, routes));
}

// What is left to do when the device is in the container: a template's name, addresses, up.
Result<> settle(Sides& sides, const Wanted& wanted, const std::vector<Reply>& addresses,
                std::string& inside) {
  std::optional<Link> link = TRY(find_link(sides.container, inside));
  if (!link) return refuse("the device was not found after it had been moved");
  if (is_template(wanted.inside)) {
    TRY(within(cat("rename it to ", wanted.inside),
               rename_link(sides.container, link->index, wanted.inside)));
    link = TRY(find_link(sides.container, link->index));
    if (!link) return refuse("the device has gone");
    inside = link->name;
  }
  std::vector<Reply> kept;
  std::ranges::copy_if(addresses, std::back_inserter(kept), is_kept);
  TRY(add_addresses(sides.container, link->index, kept, wanted.host, inside));
  return within("set it up", set_up(sides.container, link->index));
}

Result<Moved> move_one(Sides& sides, const Wanted& wanted, size_t serial) {
  std::optional<Link> link = TRY(find_link(sides.host, wanted.host));
  if (!link) {
    return std::unexpected(
        Error{ENODEV, "there is no such device in the runtime's network namespace"});
  }
  Moved moved{wanted.host, wanted.inside, link->up, link->master, {}};
  if (is_template(wanted.inside)) {
    // Under a name of our own first, by which it is found again: its index may change as well.
    moved.inside = cat("ocirt", sys::own_pid(), "-", serial);
  } else if (TRY(find_link(sides.container, wanted.inside))) {
    return std::unexpected(Error{EEXIST, cat("a device named ", wanted.inside,
                                             " is already in the container's network namespace")});
  }
  const std::vector<Reply> addresses = TRY(addresses_of(sides.host, link->index));
  const std::vector<Reply> routes = TRY(made_routes(sides.host, link->index));
  moved.saved = cat(to_hex(addresses), to_hex(routes));
  Result<> done = move_link(sides.host, link->index, sides.container_ns, moved.inside);
  if (!done && TRY(find_link(sides.host, wanted.host))) {
    if (done.error().code == EINVAL) {
      done.error().text +=
          "; the kernel moves no loopback device, no bridge, and none that is bound to its "
          "namespace";
    }
    return std::unexpected(within("move it", std::move(done)).error());
  }
  if (!done) {  // moved, but not renamed
    return with_more(within("rename it", std::move(done)).error(),
                     return_link(sides, moved, wanted.host));
  }
  Result<> settled = settle(sides, wanted, addresses, moved.inside);
  if (!settled) {
    return with_more(std::move(settled).error(), return_link(sides, moved, moved.inside));
  }
  return moved;
}

Result<> return_all(Sides& sides, const std::vector<Moved>& devices) {
  Result<> first;
  for (const Moved& device : std::views::reverse(devices)) {
    Result<> returned = return_link(sides, device, device.inside);
    if (!returned && first) first = std::move(returned);
  }
  return first;
}

}  // namespace

Result<std::vector<Moved>> move_in(Fd ns, const std::vector<Wanted>& devices) {
  Sides sides = TRY(open_sides(ns));
  std::vector<Moved> done;
  for (const Wanted& wanted : devices) {
    Result<Moved> moved = within(wanted.host, move_one(sides, wanted, done.size()));
    if (!moved) return with_more(std::move(moved).error(), return_all(sides, done));
    done.push_back(*std::move(moved));
  }
  return done;
}

Result<> give_back(Fd ns, const std::vector<Moved>& devices) {
  Sides sides = TRY(open_sides(ns));
  return return_all(sides, devices);
}

}  // namespace ocirt::net
