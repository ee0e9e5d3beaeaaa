// `delete`: what a container has left whose shim is gone, killed or never was. containerd runs it
// also after a container was deleted in order: then there is nothing to do.
#include "src/container/delete.h"

#include <cerrno>
#include <csignal>
#include <utility>

#include "src/base/text.h"
#include "src/container/list.h"
#include "src/container/store.h"
#include "src/shim/bootstrap.h"
#include "src/shim/containerd.h"
#include "src/shim/cri_place.h"
#include "src/shim/process.h"
#include "src/shim/rootfs_mounts.h"
#include "src/shim/runtime.h"
#include "src/shim/shim_socket.h"
#include "src/sys/event_loop.h"
#include "src/sys/file.h"
#include "src/wire/messages.h"

namespace ocirt::shim {
namespace {

constexpr size_t kMostConfig = 16 << 20;

// containerd says it, and runs us in there; other bundles are its neighbours.
Result<std::string> bundle_of(const Invocation& call) {
  if (call.bundle.starts_with('/')) return call.bundle;
  const std::string here = TRY(sys::real_directory("."));
  return cat(here.substr(0, here.rfind('/')), "/", call.id);
}

std::string root_of(const Invocation& call, const std::string& bundle) {
  Result<std::string> told = sys::read_file(sys::kCwd, cat(bundle, "/", kRootFile));
  return told && told->starts_with('/') ? *told : default_root(call.name_space);
}

// The pid that it had, for the answer.
Result<uint32_t> remove_from(const std::string& root, const std::string& id) {
  Result<container::Store> store = container::Store::open(root, false);
  if (!store && store.error().code == ENOENT) return 0;  // no container was ever made there
  if (!store) return std::unexpected(std::move(store).error());
  Result<container::Entry> entry = container::entry_of(*store, id);
  const uint32_t pid = entry ? static_cast<uint32_t>(entry->record.pid) : 0;
  for (const std::string& warning : TRY(container::remove_container(*store, id, true)))
    sys::print_error(cat(warning, "\n"));
  return pid;
}

// The containers of a sandbox: containerd asks for nothing but the sandbox when their shim is gone,
// and could not reach them any more.
Result<> remove_containers_of(const std::string& sandbox, const std::string& root) {
  Result<container::Store> store = container::Store::open(root, false);
  if (!store && store.error().code == ENOENT) return {};
  if (!store) return std::unexpected(std::move(store).error());
  const std::vector<std::string> ids = TRY(store->ids());
  Result<> all;
  for (const std::string& id : ids) {
    Result<container::Entry> entry = container::entry_of(*store, id);
    if (!entry || group_of(entry->record.annotations, id) != sandbox) continue;
    Result<container::Warnings> removed = container::remove_container(*store, id, true);
    if (!removed && all) all = std::unexpected(removed.error());
    Result<> unmounted = unmount_rootfs(entry->record.bundle);
    if (!unmounted && all) all = std::move(unmounted);
  }
  return all;
}

// Where its shim is, or was. Before `start` has said so, which may have been killed: where it
// begins to look.
std::string socket_of(const Invocation& call, const std::string& bundle) {
  Result<std::string> address = sys::read_file(sys::kCwd, cat(bundle, "/", kAddressFile));
  if (address && address->starts_with("unix://")) return address->substr(7);
  const Result<std::string> config =
      sys::read_file(sys::kCwd, cat(bundle, "/config.json"), kMostConfig);
  return socket_path({}, call.address, call.name_space, group_of(config ? *config : "", call.id));
}

// What the sandbox had whose bundle this is, if it is one's: a container's has a config.json.
Result<> remove_sandbox(const Invocation& call, const std::string& bundle) {
  if (!sys::is_absent(sys::kCwd, cat(bundle, "/config.json"))) return {};
  Result<std::string> work = sys::read_link(sys::kCwd, cat(bundle, "/work"));
  if (!work) return {};
  Result<CriPlaces> places = cri_places(bundle, *work);
  if (!places) return {};
  Result<> removed = remove_containers_of(call.id, root_of(call, bundle));
  Result<> unmade = unmake_cri_place(*places);
  return removed ? unmade : removed;
}

}  // namespace

Result<> delete_container(const Invocation& call) {
  const std::string bundle = TRY(bundle_of(call));
  Result<uint32_t> pid = remove_from(root_of(call, bundle), call.id);
  // Whatever of this fails, the rest is done.
  Result<> unmounted = unmount_rootfs(bundle);
  tell_gone(socket_of(call, bundle), call.id);
  Result<> sandbox = remove_sandbox(call, bundle);
  if (!pid) return std::unexpected(std::move(pid).error());
  TRY(std::move(unmounted));
  TRY(within("sandbox", std::move(sandbox)));

  wire::Timestamp room;
  auto answer = wire::blank<wire::DeleteResponse>();
  answer.pid = *pid;
  answer.exit_status = 128 + SIGKILL;
  answer.exited_at = to_timestamp(wall_time(), room);
  return sys::write_all(Fd(1), "standard output", wire::pack(answer));
}

}  // namespace ocirt::shim
