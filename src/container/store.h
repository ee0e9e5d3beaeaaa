// The state directory: STATE_ROOT/ID/ per container. Names in it:
//   state.json   first our own copy of the bundle's configuration, as one line: later edits of the
//                bundle have no effect (runtime.md, "create", MUST NOT). Then the Record as one
//                line: whoever makes the container adds one for each version, of which the last
//                whole one counts
//   seccomp.bpf  the compiled filter, for exec (absent without one)
//   notify       a directory with the socket by which the container says that it is ready (absent
//                without NOTIFY_SOCKET)
//   start        the socket on which a created container's init waits for `start`
// (and .state.json.new, while a new state.json is written)
// Safe against any number of ocirt commands at once: mkdir(2) decides who creates an id, flock(2)
// on the container's directory orders those that change it, readers see whole records only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/container/record.h"

namespace ocirt::container {

// An id as runc has it: [A-Za-z0-9_+.-], not empty, not "." or "..", at most 255
// bytes (NAME_MAX), since it names a directory. The error contains `invalid container ID format`.
Result<> check_id(std::string_view id);

// One container's directory, open.
class Directory {
 public:
  const std::string& id() const { return id_; }
  Fd fd() const { return fd_; }
  // `config`, if given, becomes config() as well where that takes no further call, else empty.
  Result<Record> read(std::string* config = nullptr) const;
  // The config.json that the container was made from.
  Result<std::string> config() const;
  Result<> write(const Record& record) const;  // atomic

  // Lets other commands change the container meanwhile, and excludes them again; false: one of them
  // has deleted it.
  Result<> unlock() const;
  Result<bool> lock_again() const;

 private:
  friend class Store;
  friend class NewDirectory;
  std::string id_;
  UniqueFd fd_;
};

class Store;

// A directory that is being filled: removed by its destructor unless committed.
class [[nodiscard]] NewDirectory {
 public:
  NewDirectory() = default;
  NewDirectory(NewDirectory&& other) noexcept;
  NewDirectory& operator=(NewDirectory&&) = delete;
  ~NewDirectory();
  const Directory& directory() const { return directory_; }
  // Adds a version of the record: one call, and whoever reads meanwhile has the last one. The first
  // comes with the config.json.
  Result<> write(const Record& record) const;
  Result<> write_first(const Record& record, std::string_view config) const;
  void commit() { armed_ = false; }

 private:
  friend class Store;
  Directory directory_;
  UniqueFd journal_;  // state.json
  Fd root_;           // of the Store, which outlives this
  bool armed_ = false;
};

class Store {
 public:
  // Opens the root directory; `create`: makes it (0700, parents too) when it is missing. Without
  // `create` a missing root is code ENOENT. "/" is refused.
  static Result<Store> open(const std::string& root, bool create);

  // Makes the directory of a new container (0700), locked. A taken id: `container with given ID
  // already exists`.
  Result<NewDirectory> create(const std::string& id) const;

  enum class Lock { none, exclusive };
  // Opens a container's directory. Unknown id: code ENOENT, text `container ID does not exist`.
  // `exclusive` waits for other commands that change this container.
  Result<Directory> find(const std::string& id, Lock lock) const;

  // Removes a container's directory (the caller holds the lock).
  Result<> remove(const Directory& directory) const;
  // As above for one without a record, which may be no container's at all: refused where it holds
  // what none has.
  Result<> remove_remains(const Directory& directory) const;

  Result<std::vector<std::string>> ids() const;  // ascending
  Fd fd() const { return fd_; }
  const std::string& root() const { return root_; }  // as it was given

 private:
  // Names of ocirt-pod's own in the default root, /run/ocirt or $XDG_RUNTIME_DIR/ocirt.
  bool is_reserved(std::string_view id) const;

  std::string root_;
  UniqueFd fd_;
};

}  // namespace ocirt::container
