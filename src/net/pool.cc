#include "src/net/pool.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "oci-spec/json/reader.h"
#include "oci-spec/json/writer.h"
#include "oci-spec/schema/field.h"
#include "src/base/text.h"
#include "src/net/rows.h"
#include "src/sys/file.h"
#include "src/sys/namespace.h"
#include "src/sys/network_device.h"

namespace oci::schema {

namespace net = ocirt::net;

template <>
const Type Object<net::PoolPod>::type;
template <>
const Type Object<net::HostValue>::type;
template <>
const Type Object<net::Pool>::type;

namespace {

constexpr Field kPoolPod[] = {
    OCI_FIELD(net::PoolPod, name, "name", kRequired),
    OCI_FIELD(net::PoolPod, uid, "uid", kRequired),
    OCI_FIELD(net::PoolPod, directory, "directory", kRequired),
    OCI_FIELD(net::PoolPod, netns, "netns", kRequired),
    OCI_FIELD(net::PoolPod, hosts, "hosts"),
    OCI_FIELD(net::PoolPod, hostname, "hostname"),
    OCI_FIELD(net::PoolPod, number, "number", {.required = true, .minimum = 2}),
    OCI_FIELD(net::PoolPod, ports, "ports"),
    OCI_FIELD(net::PoolPod, device, "device"),
    OCI_FIELD(net::PoolPod, mounts, "mounts"),
    OCI_FIELD(net::PoolPod, network, "network"),
    OCI_FIELD(net::PoolPod, inode, "inode"),
};

constexpr Field kHostValue[] = {
    OCI_FIELD(net::HostValue, path, "path", kRequired),
    OCI_FIELD(net::HostValue, before, "before", kRequired),
    OCI_FIELD(net::HostValue, now, "now", kRequired),
};

constexpr Field kPool[] = {
    OCI_FIELD(net::Pool, subnet4, "subnet4", kRequired),
    OCI_FIELD(net::Pool, subnet6, "subnet6"),
    OCI_FIELD(net::Pool, last, "last"),
    OCI_FIELD(net::Pool, pods, "pods"),
    OCI_FIELD(net::Pool, host, "host"),
    OCI_FIELD(net::Pool, newest_device, "newestDevice"),
};

}  // namespace

template <>
constinit const Type Object<net::PoolPod>::type = object(kPoolPod);
template <>
constinit const Type Object<net::HostValue>::type = object(kHostValue);
template <>
constinit const Type Object<net::Pool>::type = object(kPool);

}  // namespace oci::schema

namespace ocirt::net {
namespace {

constexpr uint32_t kFirstNumber = 2;  // 1 is the bridge's
constexpr size_t kMostPool = size_t{16} << 20;
constexpr const char* kLock = "lock";
constexpr std::string_view kTemporary = ".new";

Result<> check_against(const Pool& pool, std::string_view name, const std::vector<PodPort>& ports) {
  for (const PodPort& wanted : ports) {
    for (const PoolPod& pod : pool.pods) {
      for (const PodPort& taken : pod.ports) {
        if (!ports_meet(wanted, taken) || !is_alive(pod)) continue;
        return std::unexpected(
            Error{EADDRINUSE, cat("host port ", port_text(wanted), " of pod ", name,
                                  " is published by pod ", pod.name, " already")});
      }
    }
  }
  return {};
}

// The number of a file, which for a namespace is its own; 0 when it cannot be found out.
uint32_t inode_of(const std::string& path) {
  const Result<struct stat> found = sys::stat(sys::kCwd, path);
  return found ? static_cast<uint32_t>(found->st_ino) : 0;
}

// Of this process.
uint32_t own_namespace(std::string_view kind) { return inode_of(cat("/proc/self/ns/", kind)); }

bool has_ended(const Error& error) { return error.code == ENOENT || error.code == ESRCH; }

// Whether a thread is in one of the two namespaces, or may be: one that has ended is in none, and
// what else cannot be looked at might. But for the first process, into which not every root may
// look: where that is, the kernel's own threads are.
bool is_inside(const std::string& process, const std::string& thread, const PoolPod& pod) {
  const struct {
    std::string_view kind;
    uint32_t wanted;
  } both[] = {{"net", pod.inode}, {"mnt", pod.mounts}};
  for (const auto& [kind, wanted] : both) {
    const Result<struct stat> found =
        sys::stat(sys::kCwd, cat("/proc/", process, "/task/", thread, "/ns/", kind));
    if (found && found->st_ino == wanted) return true;
    if (!found && !has_ended(found.error()) && process != "1") return true;
  }
  return false;
}

// Whether somebody uses a pod whose pin is out of sight. Only who sees all processes of the machine
// can deny it: in the kernel's first pid namespace, whose number is always the same, and with the
// first process in sight (proc(5), hidepid). No number is given to two namespaces at a time.
bool may_be_used(const PoolPod& pod) {
  constexpr uint32_t kFirstPids = 0xEFFFFFFC;
  if (pod.inode == 0 || pod.mounts == 0 || own_namespace("pid") != kFirstPids) return true;
  const Result<std::vector<std::string>> processes = sys::list_directory(sys::kCwd, "/proc");
  if (!processes || std::ranges::find(*processes, "1") == processes->end()) return true;
  for (const std::string& process : *processes) {
    if (!to_number<int>(process)) continue;
    const Result<std::vector<std::string>> threads =
        sys::list_directory(sys::kCwd, cat("/proc/", process, "/task"));
    if (!threads && !has_ended(threads.error())) return true;
    if (!threads) continue;
    for (const std::string& thread : *threads) {
      if (is_inside(process, thread, pod)) return true;
    }
  }
  return false;
}

}  // namespace

void mark_as_made_here(PoolPod& pod) {
  pod.mounts = own_namespace("mnt");
  pod.network = own_namespace("net");
  pod.inode = inode_of(pod.netns);
}

bool is_in_sight(const PoolPod& pod) {
  return pod.mounts == 0 || pod.mounts == own_namespace("mnt");
}

bool is_alive(const PoolPod& pod) {
  // Only what is certain: a pod that is taken for dead loses its network.
  const bool has_record = !sys::is_absent(sys::kCwd, cat(pod.directory, "/network.json"));
  const Result<UniqueFd> netns = sys::open_namespace(pod.netns, CLONE_NEWNET);
  const bool has_netns = netns || (netns.error().code != ENOENT && netns.error().code != EINVAL);
  if (has_record && has_netns) return true;
  if (is_in_sight(pod)) return false;
  if (!pod.device.empty() && pod.network == own_namespace("net")) {
    return !sys::is_network_device_absent(pod.device);
  }
  // Twice, since one who forks while we look may be seen neither before nor after.
  if (pod.device.empty() && !may_be_used(pod) && !may_be_used(pod)) return false;
  // Its pin is a file for everybody who sees that directory.
  return has_record || !sys::is_absent(sys::kCwd, pod.netns);
}

std::optional<uint32_t> next_number(const Pool& pool, uint32_t last) {
  if (last < kFirstNumber) return std::nullopt;
  std::set<uint32_t> taken;
  for (const PoolPod& pod : pool.pods) taken.insert(pod.number);
  const uint32_t count = last - kFirstNumber + 1;
  const uint32_t first = pool.last < kFirstNumber ? kFirstNumber : pool.last + 1;
  for (uint32_t i = 0; i < count && i <= taken.size(); ++i) {
    const uint32_t number = kFirstNumber + (first - kFirstNumber + i) % count;
    if (!taken.contains(number)) return number;
  }
  return std::nullopt;
}

const PoolPod* find_pod(const Pool& pool, std::string_view name, std::string_view uid) {
  const auto found =
      std::ranges::find_if(pool.pods, [&](const PoolPod& pod) { return pod.is(name, uid); });
  return found == pool.pods.end() ? nullptr : &*found;
}

std::string write_pool(const Pool& pool) {
  return oci::json::write(oci::schema::Object<Pool>::type, &pool, true);
}

Result<Pool> read_pool(std::string_view text) {
  Pool pool;
  if (std::optional<oci::Error> error =
          oci::json::read(text, "pool of addresses", oci::schema::Object<Pool>::type, &pool)) {
    return refuse(error->message());
  }
  return pool;
}

// The lock, held. The last pod takes the directory away, so what was locked may not be there any
// more.
Result<bool> PoolFile::lock(const std::string& directory) {
  TRY(sys::mkdir_parents(directory, 0700));
  Result<UniqueFd> opened = sys::open(sys::kCwd, directory, O_RDONLY | O_DIRECTORY);
  if (!opened && opened.error().code == ENOENT) return false;
  directory_ = TRY(std::move(opened));
  Result<UniqueFd> locked = sys::open(directory_, kLock, O_RDWR | O_CREAT, 0600);
  if (!locked && locked.error().code == ENOENT) return false;
  lock_ = TRY(std::move(locked));
  TRY(sys::lock_exclusive(lock_, "lock of the pool of addresses"));
  const struct stat held = TRY(sys::stat_fd(lock_, kLock));
  Result<struct stat> there = sys::stat(sys::kCwd, cat(directory, "/", kLock));
  return there && there->st_ino == held.st_ino && there->st_dev == held.st_dev;
}

Result<PoolFile> PoolFile::open(const std::string& directory, std::string_view bridge) {
  PoolFile file;
  file.path_ = directory;
  file.name_ = cat(bridge, ".json");
  for (;;) {
    const bool held = TRY(file.lock(directory));
    if (held) break;
  }
  Result<std::string> text = sys::read_file(file.directory_, file.name_, kMostPool);
  if (!text && text.error().code == ENOENT) return file;
  if (!text) return std::unexpected(std::move(text).error());
  file.existed_ = true;
  file.pool = TRY(within(cat(directory, "/", file.name_), read_pool(*text)));
  return file;
}

Result<> PoolFile::save() {
  TRY(within("save the pool of addresses",
             sys::write_file_atomically(directory_, name_, cat(name_, kTemporary), write_pool(pool),
                                        0600)));
  existed_ = true;
  return {};
}

Result<> PoolFile::check_ports(std::string_view name, const std::vector<PodPort>& ports) const {
  if (ports.empty()) return {};
  TRY(check_against(pool, name, ports));
  for (const std::string& file : TRY(sys::list_directory(directory_, "."))) {
    if (!file.ends_with(".json") || file == name_) continue;
    const std::string text = TRY(sys::read_file(directory_, file, kMostPool));
    const Pool other = TRY(within(file, read_pool(text)));
    TRY(check_against(other, name, ports));
  }
  return {};
}

Result<> PoolFile::remove() {
  existed_ = false;
  for (const std::string& name : {name_, cat(name_, kTemporary)}) {
    Result<> gone = sys::unlink(directory_, name);
    if (!gone && gone.error().code != ENOENT) return within(path_, std::move(gone));
  }
  const std::vector<std::string> left = TRY(sys::list_directory(directory_, "."));
  if (left.size() != 1 || left.front() != kLock) return {};  // another bridge's pool
  TRY(within(path_, sys::unlink(directory_, kLock)));
  // Somebody may wait for the lock already, and makes a new one in there.
  Result<> gone = sys::rmdir(sys::kCwd, path_);
  return gone || gone.error().code == ENOTEMPTY ? Result<>() : gone;
}

}  // namespace ocirt::net
