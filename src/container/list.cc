#include "src/container/list.h"

#include <cerrno>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/container/status.h"
#include "src/sys/file.h"

namespace ocirt::container {

Result<Entry> entry_of(const Store& store, const std::string& id) {
  Directory directory = TRY(store.find(id, Store::Lock::none));
  Entry entry;
  entry.record = TRY(directory.read());
  entry.status = TRY(status_of(directory, entry.record));
  return entry;
}

Result<Listing> list(const Store& store) {
  Listing listing;
  for (const std::string& id : TRY(store.ids())) {
    Result<Entry> entry = entry_of(store, id);
    if (entry) {
      listing.entries.push_back(*std::move(entry));
    } else if (sys::exists(store.fd(), id)) {
      listing.broken.push_back(std::move(entry).error().text);
    }
  }
  return listing;
}

std::string user_name(uint32_t uid) {
  // By hand and not by getpwuid(3): in a static program that one would load NSS modules.
  std::string unknown = cat("#", uid);
  Result<std::string> users = sys::read_file(sys::kCwd, "/etc/passwd");
  if (!users) return unknown;
  std::string_view rest = *users;
  while (std::optional<std::string_view> line = next_line(rest)) {
    std::vector<std::string_view> fields = split(*line, ':');
    if (fields.size() >= 3 && !fields[0].empty() && to_number<uint32_t>(fields[2]) == uid) {
      return std::string(fields[0]);
    }
  }
  return unknown;
}

std::string state_document(const Entry& entry, bool pretty) {
  oci::Map<std::string> more;
  more.set("rootfs", entry.record.rootfs);
  more.set("created", entry.record.created);
  more.set("owner", user_name(entry.record.owner));
  if (entry.record.unit) more.set("systemd-scope", entry.record.unit->name);
  return oci::write(state_of(entry.record, entry.status), pretty, more);
}

}  // namespace ocirt::container
