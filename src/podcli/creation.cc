#include "src/podcli/creation.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/container/oci_result.h"
#include "src/container/own_ids.h"
#include "src/podcli/pods.h"
#include "src/podcli/shim.h"
#include "src/podfile/file.h"
#include "src/podfile/yaml.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/process.h"

namespace ocirt::podcli {
namespace {

constexpr std::string_view kManifest = "manifest";  // the pod file's text
constexpr std::string_view kOrigin = "origin";      // the other members, one per line

Result<std::string> absolute_directory(std::string_view file) {
  const size_t slash = file.rfind('/');
  const std::string directory =
      slash == std::string_view::npos ? "." : std::string(file.substr(0, slash + 1));
  return sys::real_directory(directory);
}

// Makings and removals of half pods exclude each other.
Result<UniqueFd> lock_root(const Globals& globals) {
  // Sticky: what tidies an XDG_RUNTIME_DIR up leaves it alone (XDG Base Directory Specification).
  const bool ordinary = sys::effective_uid() != 0;
  Result<> made = sys::mkdir_parents(globals.root, ordinary ? 01700 : 0700);
  if (!made && ordinary && made.error().code == EACCES) {
    return refuse(cat(globals.root,
                      ": cannot be made by this user; set XDG_RUNTIME_DIR, or choose ",
                      "another --root"));
  }
  TRY(std::move(made));
  UniqueFd lock =
      TRY(sys::open(sys::kCwd, cat(globals.root, "/.lock"), O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  TRY(sys::lock_exclusive(lock, "the directory of the pods"));
  return lock;
}

// Whether nobody holds a lock that a process holds for as long as it lives.
bool is_free(const std::string& path) {
  Result<UniqueFd> lock = sys::open(sys::kCwd, path, O_RDWR | O_NOFOLLOW);
  if (!lock) return lock.error().code == ENOENT;
  Result<bool> taken = sys::try_lock(*lock, path);
  return taken && *taken;
}

std::string maker_lock(const pod::Layout& layout) { return cat(layout.directory(), "/maker"); }

// A shim that nobody has asked for anything yet waits for its maker; it ends when it is told to.
// One that is making something undoes it by itself, since it has heard of its maker's end. One that
// does not listen any more has removed its pod, or as much of it as it could, and is about to end.
bool end_idle_shim(const Globals& globals, const std::string& name) {
  Result<Shim> shim = Shim::connect(globals, name);
  if (!shim && shim.error().code != ENOENT && shim.error().code != ECONNREFUSED) return false;
  const Result<> done = shim ? shim->shut_down() : Result<>();
  if (!done && done.error().code != ECONNRESET && done.error().code != EPIPE) return false;
  const std::string path = layout_of(globals, name).lock();
  Result<UniqueFd> lock = sys::open(sys::kCwd, path, O_RDWR | O_NOFOLLOW);
  return lock && sys::lock_exclusive(*lock, path);  // it has answered, and will be gone at once
}

void sweep_locked(const Globals& globals) {
  Result<std::vector<std::string>> names = sys::list_directory(sys::kCwd, globals.root);
  if (!names) return;
  for (const std::string& name : *names) {
    const pod::Layout layout = layout_of(globals, name);
    if (pod::is_removed(name) && is_free(layout.lock()))
      (void)sys::remove_tree(sys::kCwd, layout.directory());
    if (!pod::is_dns_label(name) || !sys::is_absent(sys::kCwd, layout.complete())) continue;
    if (!is_free(maker_lock(layout))) continue;
    if (!is_free(layout.lock()) && !end_idle_shim(globals, name)) continue;
    // Without pod.json no shim was ever started, and there is nothing but files.
    if (sys::is_absent(sys::kCwd, layout.pod_json())) {
      (void)sys::remove_tree(sys::kCwd, layout.directory());
    } else {
      (void)Shim::remove(globals, name);
    }
  }
}

// Two pods that publish one port of the host: known before anything is made.
Result<> check_host_ports(const Globals& globals, const pod::Pod& pod) {
  const std::vector<std::string> names = TRY(list_pods(globals));
  for (const std::string& name : names) {
    Result<pod::Pod> other = read_pod_json(layout_of(globals, name));
    if (!other) continue;  // being removed
    for (const pod::Port& mine : pod.network.ports) {
      for (const pod::Port& theirs : other->network.ports) {
        if (mine.host_port == 0 || mine.host_port != theirs.host_port ||
            mine.protocol != theirs.protocol || !pod::host_ips_meet(mine.host_ip, theirs.host_ip)) {
          continue;
        }
        return refuse(cat("port ", mine.host_port, "/", oci::to_string(mine.protocol),
                          " of the host, which container ", mine.container,
                          " publishes, is already published by pod ", name));
      }
    }
  }
  return {};
}

Result<> keep_manifest(const pod::Layout& layout, const Manifest& manifest) {
  UniqueFd directory = TRY(sys::open(sys::kCwd, layout.directory(), O_RDONLY | O_DIRECTORY));
  const auto put = [&](std::string_view name, std::string_view content) -> Result<> {
    UniqueFd file = TRY(
        sys::open(directory, std::string(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    return sys::write_all(file, name, content);
  };
  TRY(put(kManifest, manifest.text));
  return put(kOrigin, cat(manifest.file, "\n", manifest.directory, "\n", manifest.name, "\n",
                          manifest.ignore_unknown ? "ignore-unknown" : "", "\n"));
}

Result<std::optional<podfile::OrdinaryUser>> if_ordinary() {
  if (sys::effective_uid() == 0) return std::nullopt;
  return TRY(podfile::ordinary_user());
}

// Groups of the pod's ids are an ordinary user's only in there.
Result<> write_files(const podfile::Resolved& resolved, const pod::Layout& layout) {
  const bool has_groups = std::ranges::any_of(
      resolved.entries, [](const podfile::Entry& entry) { return entry.group >= 0; });
  if (sys::effective_uid() == 0 || !has_groups) return podfile::write_directory(resolved, layout);
  const container::OwnIds ids = TRY(container::own_ids());
  return container::in_own_user_namespace(
      ids, [&] { return podfile::write_directory(resolved, layout); });
}

Result<podfile::File> parse(const Manifest& manifest, std::vector<std::string>* ignored) {
  const podfile::ReadOptions options{.ignore_unknown = manifest.ignore_unknown, .ignored = ignored};
  podfile::File file =
      TRY(container::from_spec(podfile::read_pod_file(manifest.text, manifest.file, options)));
  if (!manifest.name.empty()) {
    if (!pod::is_dns_label(manifest.name)) {
      return refuse(cat("the name ", quoted(manifest.name), " ", pod::kNameRule));
    }
    file.pod.metadata.name = manifest.name;
    file.pod.metadata.uid.reset();  // another pod is another one
  }
  return file;
}

// Fills the directory and starts the shim, with the root locked. The lock that it gives back says
// that the pod's maker lives.
Result<UniqueFd> fill_and_launch(const Globals& globals, const Manifest& manifest,
                                 const podfile::Resolved& resolved) {
  const pod::Layout layout = layout_of(globals, resolved.pod.name);
  UniqueFd lock = TRY(lock_root(globals));
  sweep_locked(globals);
  if (!sys::is_absent(sys::kCwd, layout.directory())) {
    return refuse(cat("there is a pod ", resolved.pod.name, " already; `ocirt-pod rm ",
                      resolved.pod.name, "` removes it"));
  }
  TRY(check_host_ports(globals, resolved.pod));
  TRY(sys::mkdir(sys::kCwd, layout.directory(), 0700));
  UniqueFd maker = TRY(sys::open(sys::kCwd, maker_lock(layout), O_RDWR | O_CREAT | O_EXCL, 0600));
  TRY(sys::lock_exclusive(maker, maker_lock(layout)));
  Result<> written = keep_manifest(layout, manifest);
  if (written) written = write_files(resolved, layout);
  if (!written) {
    (void)sys::remove_tree(sys::kCwd, layout.directory());
    return std::unexpected(std::move(written).error());
  }
  Result<> launched = Shim::launch(globals, resolved.pod.name);
  if (!launched) {
    if (is_free(layout.lock())) (void)sys::remove_tree(sys::kCwd, layout.directory());
    return std::unexpected(std::move(launched).error());
  }
  return maker;
}

// What begin() has begun, to be gone on with when the shim has answered.
struct Making {
  Batch& batch;
  std::string pod;
  bool start;
  Made made;
  UniqueFd lock;
};

void start_made(std::unique_ptr<Making> making) {
  Making& it = *making;
  it.batch.ask(it.pod, start_call(it.pod),
               [making = std::move(making)](Result<std::string> started) mutable {
                 if (started) return making->made({});
                 Batch& batch = making->batch;
                 const std::string pod = making->pod;
                 batch.ask(
                     pod, shut_down_call(pod),
                     [making = std::move(making), error = std::move(started).error()](
                         const Result<std::string>&) { making->made(std::unexpected(error)); });
               });
}

void go_on_when_created(std::unique_ptr<Making> making, Result<std::string> created) {
  const Globals& globals = making->batch.globals();
  if (created) {
    if (making->start) return start_made(std::move(making));
    return making->made({});
  }
  // The shim undoes what it has made and ends; this is for one that has died.
  const pod::Layout layout = layout_of(globals, making->pod);
  if (is_free(layout.lock()) && !sys::is_absent(sys::kCwd, layout.pod_json()))
    (void)Shim::remove(globals, making->pod);
  making->made(std::unexpected(std::move(created).error()));
}

}  // namespace

Result<Manifest> read_manifest(std::string_view file, bool ignore_unknown) {
  Manifest manifest;
  manifest.ignore_unknown = ignore_unknown;
  const bool from_stdin = file == "-";
  manifest.file = from_stdin ? "standard input" : std::string(file);
  manifest.text = from_stdin ? TRY(sys::read_all(Fd(0), "standard input", podfile::kMaxFile))
                             : TRY(sys::read_file(sys::kCwd, manifest.file, podfile::kMaxFile));
  manifest.directory = from_stdin ? TRY(sys::real_directory(".")) : TRY(absolute_directory(file));
  return manifest;
}

Result<std::string> name_in(const Manifest& manifest) {
  const podfile::File file = TRY(parse(manifest, nullptr));
  return file.pod.metadata.name;
}

Result<podfile::Resolved> resolve_manifest(const Globals& globals, const Manifest& manifest,
                                           bool touch_host, std::vector<std::string>* ignored) {
  const podfile::File file = TRY(parse(manifest, ignored));
  const std::string uuid = TRY(sys::read_file(sys::kCwd, "/proc/sys/kernel/random/uuid"));
  const std::string node = TRY(sys::read_file(sys::kCwd, "/proc/sys/kernel/hostname"));
  const podfile::ResolveOptions options{.directory = manifest.directory,
                                        .images = globals.images,
                                        .uid = std::string(trim(uuid)),
                                        .node = std::string(trim(node)),
                                        .machine = TRY(podfile::this_machine()),
                                        .touch_host = touch_host,
                                        .ordinary = TRY(if_ordinary())};
  return podfile::resolve(file, layout_of(globals, file.pod.metadata.name), options);
}

Result<std::string> make_pod(Batch& batch, const Manifest& manifest, bool start, Made made) {
  const Globals& globals = batch.globals();
  std::vector<std::string> ignored;
  const podfile::Resolved resolved = TRY(resolve_manifest(globals, manifest, true, &ignored));
  for (const std::string& line : ignored) sys::print_error(cat("ocirt-pod: ignored: ", line, "\n"));
  std::string name = resolved.pod.name;
  UniqueFd lock = TRY(fill_and_launch(globals, manifest, resolved));
  auto making = std::make_unique<Making>(batch, name, start, std::move(made), std::move(lock));
  batch.ask(name,
            create_call(name, layout_of(globals, name).directory(), pod::write_pod(resolved.pod)),
            [making = std::move(making)](Result<std::string> created) mutable {
              go_on_when_created(std::move(making), std::move(created));
            });
  return name;
}

Result<Manifest> kept_manifest(const Globals& globals, const std::string& pod) {
  const pod::Layout layout = layout_of(globals, pod);
  Manifest manifest;
  manifest.text =
      TRY(sys::read_file(sys::kCwd, cat(layout.directory(), "/", kManifest), podfile::kMaxFile));
  const std::string origin = TRY(sys::read_file(sys::kCwd, cat(layout.directory(), "/", kOrigin)));
  const std::vector<std::string_view> lines = split(origin, '\n');
  if (lines.size() != 5) return refuse(cat(layout.directory(), "/", kOrigin, " is damaged"));
  manifest.file = lines[0];
  manifest.directory = lines[1];
  manifest.name = lines[2];
  manifest.ignore_unknown = lines[3] == "ignore-unknown";
  return manifest;
}

Result<> make_anew(Batch& batch, const std::string& pod) {
  Manifest manifest = TRY(kept_manifest(batch.globals(), pod));
  batch.ask(pod, shut_down_call(pod),
            [&batch, pod, manifest = std::move(manifest)](const Result<std::string>& removed) {
              const auto conclude = [&batch, pod](const Result<>& made) {
                batch.conclude(pod, made);
              };
              if (!removed) return conclude(std::unexpected(removed.error()));
              Result<std::string> begun = make_pod(batch, manifest, true, conclude);
              if (!begun) conclude(std::unexpected(begun.error()));
            });
  return {};
}

void sweep(const Globals& globals) {
  if (!sys::is_directory(sys::kCwd, globals.root)) return;
  Result<UniqueFd> lock = lock_root(globals);
  if (lock) sweep_locked(globals);
}

Result<> finish_removal(const Globals& globals, std::string_view pod) {
  const std::string remains = layout_of(globals, pod).removed();
  const std::string path = cat(remains, "/lock");
  Result<UniqueFd> lock = sys::open(sys::kCwd, path, O_RDWR | O_NOFOLLOW);
  if (lock) TRY(sys::lock_exclusive(*lock, path));
  return sys::remove_tree(sys::kCwd, remains);
}

}  // namespace ocirt::podcli
