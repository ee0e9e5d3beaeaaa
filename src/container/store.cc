#include "src/container/store.h"

#include <algorithm>
#include <cerrno>
#include <climits>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/lock.h"
#include "src/sys/process.h"

namespace ocirt::container {
namespace {

constexpr size_t kMostInRecord = oci::kMaxDocumentSize + (size_t{1} << 20);
// For another command on the same container, which may be stopped or wait for a hook without end.
constexpr int kPatienceMs = 60'000;
constexpr const char* kRecordName = "state.json";
// Only the holder of the lock, or the command that makes the container, writes: one name is enough.
constexpr const char* kRecordTemporary = ".state.json.new";

// Before the versions of the record, a line with the container's config.json.
constexpr std::string_view kConfigBegin = "{\"config\":", kConfigEnd = "}";

std::string config_line(std::string_view json) {
  std::string line = cat(kConfigBegin, json, kConfigEnd);
  // In a text of JSON an end of line can only be a blank.
  std::replace_if(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line += '\n';
}

// Nothing where there is none.
std::string_view config_of(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  if (!text.starts_with(kConfigBegin) || !text.ends_with(kConfigEnd)) return {};
  return text.substr(kConfigBegin.size(), text.size() - kConfigBegin.size() - kConfigEnd.size());
}

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '+' || c == '.' || c == '-';
}

// Whether the open directory is still what `id` names: between open(2) and flock(2) another command
// may have deleted the container, and a third may have made a new one of that id.
Result<bool> is_linked(Fd root, const std::string& id, Fd directory) {
  struct stat ours = TRY(sys::stat_fd(directory, id));
  Result<struct stat> named = sys::stat(root, id);
  if (!named && named.error().code == ENOENT) return false;
  if (!named) return std::unexpected(std::move(named).error());
  return ours.st_dev == named->st_dev && ours.st_ino == named->st_ino;
}

std::unexpected<Error> unknown_id(const std::string& id) {
  return std::unexpected(Error{ENOENT, cat("container ", id, " does not exist")});
}

std::unexpected<Error> held_by_others(const std::string& id) {
  return std::unexpected(Error{
      EBUSY, cat("container ", id, ": another command is at work on it and does not end (a hook ",
                 "that hangs, or who has been stopped): end that command, then try again")});
}

std::unexpected<Error> exists_already() {
  return std::unexpected(Error{EEXIST, "container with given ID already exists"});
}

// The last line that is whole; one without an end is still being written.
std::string_view last_version(std::string_view text) {
  const size_t end = text.rfind('\n');
  if (end == std::string_view::npos) return text;  // as it was before there were versions
  text = text.substr(0, end);
  return text.substr(text.rfind('\n') + 1);  // npos + 1 is 0
}

}  // namespace

Result<> check_id(std::string_view id) {
  auto wrong = [&](std::string_view why) -> Result<> {
    return refuse(cat("invalid container ID format: ", quoted(id), " ", why));
  };
  if (id.empty()) return wrong("is empty");
  if (id.size() > NAME_MAX) return wrong(cat("has more than ", NAME_MAX, " characters"));
  if (id == "." || id == "..") return wrong("is the name of a directory above it");
  if (!std::all_of(id.begin(), id.end(), is_id_character)) {
    return wrong("has a character that is not a letter, a digit or one of _+.-");
  }
  return {};
}

Result<std::string> Directory::config() const {
  std::string text = TRY(sys::read_own_file(fd_, kRecordName, kMostInRecord));
  if (std::string_view config = config_of(text); !config.empty()) return std::string(config);
  return sys::read_own_file(fd_, "config.json",
                            oci::kMaxDocumentSize);  // as earlier versions had it
}

Result<Record> Directory::read(std::string* config) const {
  Result<std::string> text = sys::read_own_file(fd_, kRecordName, kMostInRecord);
  if (!text && text.error().code != ENOENT)
    return within(cat("container ", id_), Result<Record>(std::unexpected(text.error())));
  const std::string_view version = text ? last_version(*text) : std::string_view();
  if (version.empty() || version.starts_with(kConfigBegin)) {
    if (TRY(sys::stat_fd(fd_, id_)).st_nlink == 0) return unknown_id(id_);  // deleted meanwhile
    return std::unexpected(
        Error{ENOENT, cat("container ", id_, " is half created: its state.json is missing")});
  }
  if (config != nullptr) *config = config_of(*text);
  return within(cat("container ", id_), read_record(version));
}

Result<> Directory::write(const Record& record) const {
  return within(cat("state of container ", id_),
                sys::write_file_atomically(fd_, kRecordName, kRecordTemporary,
                                           cat(write_record(record), '\n'), 0600));
}

Result<> Directory::unlock() const { return sys::unlock(fd_, id_); }

Result<bool> Directory::lock_again() const {
  if (!TRY(sys::lock_within(fd_, id_, kPatienceMs))) return held_by_others(id_);
  return TRY(sys::stat_fd(fd_, id_)).st_nlink != 0;
}

NewDirectory::NewDirectory(NewDirectory&& other) noexcept
    : directory_(std::move(other.directory_)),
      journal_(std::move(other.journal_)),
      root_(other.root_),
      armed_(std::exchange(other.armed_, false)) {}

Result<> NewDirectory::write(const Record& record) const {
  return within(cat("state of container ", directory_.id_),
                sys::write_all(journal_, kRecordName, cat(write_record(record), '\n')));
}

Result<> NewDirectory::write_first(const Record& record, std::string_view config) const {
  return within(
      cat("state of container ", directory_.id_),
      sys::write_all(journal_, kRecordName, cat(config_line(config), write_record(record), '\n')));
}

NewDirectory::~NewDirectory() {
  if (armed_) (void)sys::remove_tree(root_, directory_.id_);
}

Result<Store> Store::open(const std::string& root, bool create) {
  if (root.empty() || clean_path(root) == "/") {
    return refuse(cat("state directory ", quoted(root), ": the root of the file system holds no ",
                      "containers, choose another --root"));
  }
  Store store;
  store.root_ = root;
  Result<UniqueFd> fd = sys::open(sys::kCwd, root, O_RDONLY | O_DIRECTORY);
  if (!fd && fd.error().code == ENOENT && create) {
    // Sticky: what tidies an XDG_RUNTIME_DIR up leaves it alone (XDG Base Directory Specification).
    const bool ordinary = sys::effective_uid() != 0;
    Result<> made = sys::mkdir_parents(root, ordinary ? 01700 : 0700);
    if (!made && ordinary && made.error().code == EACCES) {
      return refuse(cat("state directory ", quoted(root), ": cannot be made by this user; set ",
                        "XDG_RUNTIME_DIR, or choose another --root"));
    }
    // The kernel's own words for ENOENT would read like a command that is missing.
    if (!made && made.error().code == ENOENT) {
      return refuse(cat("state directory ", quoted(root), ": cannot be made there"));
    }
    TRY(within("state directory", std::move(made)));
    fd = sys::open(sys::kCwd, root, O_RDONLY | O_DIRECTORY);
  }
  if (!fd && fd.error().code == ENOENT) {
    return std::unexpected(Error{ENOENT, cat("state directory ", quoted(root), " is missing")});
  }
  store.fd_ = TRY(within("state directory", std::move(fd)));
  return store;
}

// The pods and the pool of addresses are no containers that somebody has half made, and removing
// them as such would take every pod's state away.
bool Store::is_reserved(std::string_view id) const {
  return (id == "pods" || id == "network") && clean_path(root_).ends_with("/ocirt");
}

Result<NewDirectory> Store::create(const std::string& id) const {
  TRY(check_id(id));
  if (is_reserved(id)) {
    return refuse(cat("invalid container ID format: ", quoted(id),
                      " is a directory of ocirt-pod in ", root_, ": choose another name"));
  }
  for (;;) {
    if (Result<> made = sys::mkdir(fd_, id, 0700); !made) {
      if (made.error().code == EEXIST) return exists_already();
      TRY(within(cat("state directory ", root_), std::move(made)));
    }
    // Whoever makes the directory owns it, unless `delete --force` took it for a half-created one
    // before it was locked. Then the id is free again.
    NewDirectory made;
    made.directory_.id_ = id;
    Result<UniqueFd> fd = sys::open(fd_, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd && fd.error().code == ENOENT) continue;
    if (!fd) (void)sys::rmdir(fd_, id);
    made.directory_.fd_ = TRY(within(cat("state directory ", root_), std::move(fd)));
    TRY(sys::lock_exclusive(made.directory_.fd_, id));
    constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW;
    Result<UniqueFd> journal = sys::open(made.directory_.fd_, kRecordName, kFlags, 0600);
    if (!journal && journal.error().code == ENOENT) continue;
    // What we made was taken away so, and this directory is of somebody else who came after.
    if (!journal && journal.error().code == EEXIST) return exists_already();
    made.root_ = fd_;
    made.armed_ = true;
    made.journal_ = TRY(within(cat("state of container ", id), std::move(journal)));
    return made;
  }
}

Result<Directory> Store::find(const std::string& id, Lock lock) const {
  TRY(check_id(id));
  if (is_reserved(id)) return unknown_id(id);
  for (;;) {
    Result<UniqueFd> fd = sys::open(fd_, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd && fd.error().code == ENOENT) return unknown_id(id);
    if (!fd) return within("state directory", Result<Directory>(std::unexpected(fd.error())));
    Directory directory;
    directory.id_ = id;
    directory.fd_ = std::move(*fd);
    if (lock == Lock::none) return directory;
    if (!TRY(sys::lock_within(directory.fd_, id, kPatienceMs))) return held_by_others(id);
    if (TRY(is_linked(fd_, id, directory.fd_))) return directory;
  }
}

Result<> Store::remove(const Directory& directory) const {
  // The cgroup is gone by now, so nothing is lost with the record. It always exists; a directory
  // that is not empty then is removed with what else it holds.
  Result<> done = sys::unlink(directory.fd(), kRecordName);
  if (!done && done.error().code != ENOENT) return within(directory.id(), std::move(done));
  return within("state directory", sys::remove_tree(fd_, directory.id()));
}

Result<> Store::remove_remains(const Directory& directory) const {
  constexpr std::string_view kOurs[] = {kRecordName, kRecordTemporary, "seccomp.bpf", "notify",
                                        "start"};
  for (const std::string& name : TRY(sys::list_directory(directory.fd(), "."))) {
    if (std::ranges::find(kOurs, name) != std::end(kOurs)) continue;
    return refuse(cat("it holds ", quoted(name),
                      ", which is nothing of ocirt's, and no record of a ",
                      "container: not removed (is --root right?)"));
  }
  return remove(directory);
}

Result<std::vector<std::string>> Store::ids() const {
  std::vector<std::string> names = TRY(within("state directory", sys::list_directory(fd_, ".")));
  std::erase_if(names, [&](const std::string& name) {
    return !check_id(name) || is_reserved(name) || !sys::is_directory(fd_, name);
  });
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace ocirt::container
