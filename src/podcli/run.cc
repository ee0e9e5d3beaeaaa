// run, create, start, scale: verbs that make pods.
#include <algorithm>
#include <cerrno>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/pod/addresses.h"
#include "src/podcli/creation.h"
#include "src/podcli/json.h"
#include "src/podcli/pods.h"
#include "src/podfile/resolve.h"
#include "src/sys/file.h"

namespace ocirt::podcli {
namespace {

struct MakeOptions {
  std::string name;
  bool ignore_unknown = false;
  bool dry_run = false;
};

constexpr Option kMakeOptions[] = {
    option<&MakeOptions::name>("name", 0, "NAME", "another name than the file's"),
    toggle<&MakeOptions::ignore_unknown>("ignore-unknown", 0,
                                         "leave out fields that cannot be honoured"),
    toggle<&MakeOptions::dry_run>("dry-run", 0,
                                  "check, print the resolved pod and its containers, make nothing"),
};

// What the pod is to be: pod.json and each container's config.json.
Result<int> print_resolved(const Globals& globals, const Manifest& manifest) {
  std::vector<std::string> ignored;
  const podfile::Resolved resolved = TRY(resolve_manifest(globals, manifest, false, &ignored));
  for (const std::string& line : ignored) sys::print_error(cat("ocirt-pod: ignored: ", line, "\n"));
  std::string out = pod::write_pod(resolved.pod);
  out.pop_back();  // the last brace
  out += ",\"configs\":{";
  for (const podfile::Bundle& bundle : resolved.bundles) {
    if (&bundle != &resolved.bundles.front()) out += ',';
    out += cat("\"", bundle.container, "\":", oci::write(bundle.spec, false));
  }
  out += "}}";
  sys::print(pretty_json(pod::with_names_of_addresses(out)));
  return 0;
}

Result<Manifest> manifest_of(std::string_view file, const MakeOptions& options) {
  Manifest manifest = TRY(read_manifest(file, options.ignore_unknown));
  manifest.name = options.name;
  return manifest;
}

std::string first_address(const Globals& globals, const std::string& pod,
                          std::string_view otherwise) {
  Result<Shim> shim = Shim::connect(globals, pod);
  if (!shim) return std::string(otherwise);
  Result<pod::PodStatus> status = shim->status();
  if (!status || status->ips.empty()) return std::string(otherwise);
  return status->ips.front();
}

// Makes one pod, and waits until that is done; its name.
Result<std::string> make_one(const Call& call, const Manifest& manifest, bool start) {
  const std::unique_ptr<Batch> batch = TRY(Batch::open(call));
  Result<> outcome;
  std::string name =
      TRY(make_pod(*batch, manifest, start, [&](const Result<>& made) { outcome = made; }));
  TRY(batch->hear_signals());
  if (const Result<int> done = batch->run(); !done) {
    if (done.error().code != EINTR) return std::unexpected(done.error());
    const bool made = !sys::is_absent(sys::kCwd, layout_of(call.globals, name).complete());
    return refuse(cat("pod ", name, ": interrupted; ",
                      made ? cat("it is made and goes on without us, `ocirt-pod rm --force ", name,
                                 "` removes it")
                           : std::string("its shim undoes what has been made of it")));
  }
  TRY(within(cat("pod ", name), std::move(outcome)));
  return name;
}

Result<int> run_pod(Call& call, MakeOptions& options, std::span<const std::string_view> arguments) {
  const Manifest manifest = TRY(manifest_of(arguments[0], options));
  if (options.dry_run) return print_resolved(call.globals, manifest);
  const std::string name = TRY(make_one(call, manifest, true));
  sys::print(cat(first_address(call.globals, name, name), "\n"));
  return 0;
}

Result<int> create_pod(Call& call, MakeOptions& options,
                       std::span<const std::string_view> arguments) {
  const Manifest manifest = TRY(manifest_of(arguments[0], options));
  if (options.dry_run) return print_resolved(call.globals, manifest);
  const std::string name = TRY(make_one(call, manifest, false));
  sys::print(cat(name, "\n"));
  return 0;
}

struct StartOptions {
  bool all = false;
};
constexpr Option kStartOptions[] = {toggle<&StartOptions::all>("all", 'a', "every pod")};

// A pod that has ended is made anew, from what it was made of.
Result<> start_one(Batch& batch, const std::string& name) {
  Shim shim = TRY(Shim::reach(batch.globals(), name));
  const pod::PodStatus status = TRY(shim.status());
  if (status.phase != pod::Phase::kFailed && status.phase != pod::Phase::kSucceeded) {
    batch.ask(name, start_call(name), [&batch, name](Result<std::string> started) {
      batch.conclude(name, started ? Result<>() : std::unexpected(started.error()));
    });
    return {};
  }
  return make_anew(batch, name);
}

Result<int> start_pods(Call& call, StartOptions& options,
                       std::span<const std::string_view> arguments) {
  const std::unique_ptr<Batch> batch = TRY(Batch::open(call));
  for (const std::string& name : TRY(batch->find(arguments, options.all))) {
    if (Result<> begun = start_one(*batch, name); !begun) batch->conclude(name, begun);
  }
  return batch->run();
}

struct ScaleOptions {
  bool ignore_unknown = false;
};
constexpr Option kScaleOptions[] = {
    toggle<&ScaleOptions::ignore_unknown>("ignore-unknown", 0,
                                          "leave out fields that cannot be honoured"),
};

// So many pods are made at the same time: each has a shim, workers and ocirt-net at work.
constexpr size_t kMostMakings = 16;

// The number at the end of NAME-3, where NAME is `base`.
std::optional<uint32_t> number_of(std::string_view pod, std::string_view base) {
  if (!pod.starts_with(base) || !pod.substr(base.size()).starts_with('-')) return std::nullopt;
  const std::string_view digits = pod.substr(base.size() + 1);
  if (digits.size() > 1 && digits.starts_with('0')) return std::nullopt;
  return to_number<uint32_t>(digits);
}

Result<int> scale(Call& call, ScaleOptions& options, std::span<const std::string_view> arguments) {
  const auto wanted = to_number<uint32_t>(arguments[1]);
  if (!wanted || *wanted > 10'000) {
    return cli::usage_error(
        cat("expected a number of pods, at most 10000, found ", quoted(arguments[1])));
  }
  Manifest manifest = TRY(read_manifest(arguments[0], options.ignore_unknown));
  const std::string base = TRY(name_in(manifest));
  const std::unique_ptr<Batch> batch = TRY(Batch::open(call));
  std::vector<bool> there(*wanted);
  // Down first, so that ports and addresses are free for those that come.
  for (const std::string& pod : TRY(list_pods(call.globals))) {
    const auto number = number_of(pod, base);
    if (!number) continue;
    if (*number < *wanted) {
      there[*number] = true;
      continue;
    }
    batch->ask(pod, shut_down_call(pod), [&batch = *batch, pod](const Result<std::string>& done) {
      if (!done) batch.conclude(pod, std::unexpected(done.error()));
    });
  }
  TRY(batch->run());
  for (uint32_t number = 0; number < *wanted; ++number) {
    if (there[number]) continue;
    TRY(batch->make_room(kMostMakings));
    // What is wrong with one is wrong with those after it.
    if (batch->has_failed()) break;
    manifest.name = cat(base, "-", number);
    auto made = [&batch = *batch, name = manifest.name](const Result<>& done) {
      if (!done) return batch.conclude(name, done);
      sys::print(cat(name, "\t", first_address(batch.globals(), name, "-"), "\n"));
    };
    Result<std::string> begun = make_pod(*batch, manifest, true, std::move(made));
    if (!begun) batch->conclude(manifest.name, std::unexpected(begun.error()));
  }
  return batch->run();
}

}  // namespace

constinit const Command kRun{
    .name = "run",
    .arguments = "FILE",
    .summary = "Make a pod from a Kubernetes pod file and start it; prints its IP",
    .options = kMakeOptions,
    .fewest = 1,
    .most = 1,
    .run = run<MakeOptions, run_pod>};
constinit const Command kCreate{.name = "create",
                                .arguments = "FILE",
                                .summary = "Make a pod, but start none of its containers yet",
                                .options = kMakeOptions,
                                .fewest = 1,
                                .most = 1,
                                .run = run<MakeOptions, create_pod>};
constinit const Command kStart{.name = "start",
                               .arguments = "POD...",
                               .summary = "Start pods that were created or have ended",
                               .options = kStartOptions,
                               .most = kAny,
                               .run = run<StartOptions, start_pods>};
constinit const Command kScale{.name = "scale",
                               .arguments = "FILE NUMBER",
                               .summary = "Have so many pods of one file, NAME-0, NAME-1, ...",
                               .options = kScaleOptions,
                               .fewest = 2,
                               .most = 2,
                               .run = run<ScaleOptions, scale>};

}  // namespace ocirt::podcli
