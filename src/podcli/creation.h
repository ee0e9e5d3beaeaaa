// Making a pod from a pod file, and what is left of makings that were killed.
//
// The order, so that a kill at any point leaves nothing for good: everything is read and checked;
// under the lock of the root the directory is made and filled, and the shim started, which holds
// the pod's lock for all of its life; the shim makes namespaces, network, cgroup and mounts, and
// says `complete`. Until then the maker holds a lock of its own in there (`maker`). A directory
// that is not complete and whose maker is gone is what the next command that makes or removes pods
// takes away, with the shim that may still be waiting there.
#pragma once

#include <string>

#include "src/base/closure.h"
#include "src/base/result.h"
#include "src/podcli/batch.h"
#include "src/podcli/command.h"
#include "src/podfile/resolve.h"

namespace ocirt::podcli {

// What a pod is made of; kept in its directory, so that it can be made anew.
struct Manifest {
  std::string text;       // of the pod file
  std::string file;       // its name, for errors
  std::string directory;  // of the pod file: where relative images start
  std::string name;       // of the pod, where it is not the file's own
  bool ignore_unknown = false;
};

// Reads a pod file; "-" is standard input.
Result<Manifest> read_manifest(std::string_view file, bool ignore_unknown);

// The pod as it would be made; fields that were ignored get a line each in `ignored`. With
// `touch_host` host paths of the types ...OrCreate are made.
Result<podfile::Resolved> resolve_manifest(const Globals& globals, const Manifest& manifest,
                                           bool touch_host, std::vector<std::string>* ignored);

// The name that the manifest's pod has in its file.
Result<std::string> name_in(const Manifest& manifest);

// Begins to make the pod, beside others, and gives its name. `made` is called when it has been made
// and, if asked for, started; or with what has failed, when everything has been undone.
using Made = Closure<void(const Result<>&)>;
Result<std::string> make_pod(Batch& batch, const Manifest& manifest, bool start, Made made);

// The manifest that a pod was made of.
Result<Manifest> kept_manifest(const Globals& globals, const std::string& pod);

// Removes a pod and makes it anew, started, from what it was made of; concludes it in the batch.
Result<> make_anew(Batch& batch, const std::string& pod);

// Removes what killed makings have left. Errors are for those who look next.
void sweep(const Globals& globals);

// Takes away what is left of a pod that its shim has not removed to the end, after that shim.
Result<> finish_removal(const Globals& globals, std::string_view pod);

}  // namespace ocirt::podcli
