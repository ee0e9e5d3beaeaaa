// `delete`: what a container has left whose shim is gone, killed or never was. containerd runs it
// also after a container was deleted in order: then there is nothing to do.
#include "src/container/delete.h"

#include <cerrno>
#include <csignal>
#include <utility>

#include "src/base/text.h"
#include "src/container/list.h"
#include "src/container/store.h"
#include "src/shim/containerd.h"
#include "src/shim/process.h"
#include "src/shim/rootfs_mounts.h"
#include "src/shim/runtime.h"
#include "src/shim/shim_socket.h"
#include "src/sys/event_loop.h"
#include "src/sys/file.h"
#include "src/wire/messages.h"

namespace ocirt::shim {
namespace {

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

}  // namespace

Result<> delete_container(const Invocation& call) {
  const std::string bundle = TRY(bundle_of(call));
  Result<uint32_t> pid = remove_from(root_of(call, bundle), call.id);
  // Whatever of this fails, the rest is done.
  Result<> unmounted = unmount_rootfs(bundle);
  Result<std::string> address = sys::read_file(sys::kCwd, cat(bundle, "/", kAddressFile));
  if (address && address->starts_with("unix://")) tell_gone(address->substr(7), call.id);
  if (!pid) return std::unexpected(std::move(pid).error());
  TRY(std::move(unmounted));

  wire::Timestamp room;
  auto answer = wire::blank<wire::DeleteResponse>();
  answer.pid = *pid;
  answer.exit_status = 128 + SIGKILL;
  answer.exited_at = to_timestamp(wall_time(), room);
  return sys::write_all(Fd(1), "standard output", wire::pack(answer));
}

}  // namespace ocirt::shim
