// state.json, declared once as rows (oci-spec/schema/field.h) like the documents of the
// specification. Its form is ours and may change: `version` says which form it is, and a document
// of another form is refused instead of half understood, since what it does not say decides which
// processes are killed.
#include "src/container/record.h"

#include "oci-spec/json/reader.h"
#include "oci-spec/json/writer.h"
#include "oci-spec/schema/field.h"
#include "src/base/names.h"
#include "src/base/text.h"

namespace ocirt::container {
namespace {

constexpr int32_t kVersion = 1;

constexpr Name<cgroup::Layout> kLayouts[] = {{"hybrid", cgroup::Layout::hybrid},
                                             {"legacy", cgroup::Layout::legacy},
                                             {"unified", cgroup::Layout::unified}};
static_assert(sorted(kLayouts));

constexpr Name<cgroup::Bus> kBuses[] = {{"system", cgroup::Bus::system},
                                        {"user", cgroup::Bus::user}};
static_assert(sorted(kBuses));

std::string_view layout_name(cgroup::Layout layout) {
  for (const Name<cgroup::Layout>& row : kLayouts) {
    if (row.value == layout) return row.name;
  }
  return "?";
}

}  // namespace

// Not in the anonymous namespace: the tables below are found by type.
struct StoredCgroup {
  std::string layout;
  std::vector<cgroup::Directory> directories;
  bool shared = false;
};

struct StoredUnit {
  std::string name, slice, bus;
};

struct Document {
  int32_t version = 0;
  Record container;
  StoredCgroup cgroup;
  std::optional<StoredUnit> unit;
};

}  // namespace ocirt::container

namespace oci::schema {

using ocirt::cgroup::Directory;
using ocirt::container::Document;
using ocirt::container::Record;
using ocirt::container::StoredCgroup;
using ocirt::container::StoredUnit;
using ocirt::resctrl::Group;

template <>
const Type Object<Record>::type;
template <>
const Type Object<Directory>::type;
template <>
const Type Object<StoredCgroup>::type;
template <>
const Type Object<Group>::type;
template <>
const Type Object<StoredUnit>::type;
template <>
const Type Object<Document>::type;

namespace {

constexpr Field kRecord[] = {
    field<&Record::oci_version>("ociVersion", kRequired),
    field<&Record::id>("id", kRequired),
    field<&Record::pid>("pid", {.required = true, .minimum = 0}),
    field<&Record::start_time>("startTime", kRequired),
    field<&Record::bundle>("bundle", kRequired),
    field<&Record::rootfs>("rootfs", kRequired),
    field<&Record::created>("created", kRequired),
    field<&Record::owner>("owner", kRequired),
    field<&Record::own_pid_namespace>("ownPidNamespace", kRequired),
    field<&Record::user_namespace>("userNamespace"),
    field<&Record::shares_mounts>("sharesMounts"),
    field<&Record::root_mount>("rootMount"),
    field<&Record::time_namespace>("timeNamespace"),
    field<&Record::no_new_privileges>("noNewPrivileges", kRequired),
    field<&Record::new_keyring>("newKeyring", kRequired),
    field<&Record::plain>("plain"),
    field<&Record::exec_inherits>("execInherits"),
    field<&Record::seccomp_receiver>("seccompReceiver"),
    field<&Record::annotations>("annotations"),
    field<&Record::systemd_v1>("systemdV1"),
    field<&Record::resctrl>("resctrl"),
};

constexpr Field kDirectory[] = {
    field<&Directory::controllers>("controllers", kRequired),
    field<&Directory::path>("path", kRequired),
};

constexpr Field kStoredCgroup[] = {
    field<&StoredCgroup::layout>("layout", kRequired),
    field<&StoredCgroup::directories>("directories"),
    field<&StoredCgroup::shared>("shared"),
};

constexpr Field kGroup[] = {
    field<&Group::directory>("directory", kRequired),
    field<&Group::monitoring>("monitoring", kRequired),
    field<&Group::own_class>("ownClass", kRequired),
};

constexpr Field kStoredUnit[] = {
    field<&StoredUnit::name>("name", kRequired),
    field<&StoredUnit::slice>("slice", kRequired),
    field<&StoredUnit::bus>("bus", kRequired),
};

constexpr Field kDocument[] = {
    field<&Document::version>("version", kRequired),
    field<&Document::container>("container", kRequired),
    field<&Document::cgroup>("cgroup", kRequired),
    field<&Document::unit>("systemdUnit"),
};

// What every later version keeps, whatever else it changes.
struct VersionOnly {
  std::int32_t version = 0;
};
constexpr Field kVersionOnly[] = {field<&VersionOnly::version>("version", kRequired)};
constexpr Type kVersionOnlyType = object(kVersionOnly);

}  // namespace

template <>
constinit const Type Object<Record>::type = object(kRecord);
template <>
constinit const Type Object<Directory>::type = object(kDirectory);
template <>
constinit const Type Object<StoredCgroup>::type = object(kStoredCgroup);
template <>
constinit const Type Object<Group>::type = object(kGroup);
template <>
constinit const Type Object<StoredUnit>::type = object(kStoredUnit);
template <>
constinit const Type Object<Document>::type = object(kDocument);

}  // namespace oci::schema

namespace ocirt::container {

std::string write_record(const Record& record) {
  Document document;
  document.version = kVersion;
  document.container = record;
  document.cgroup.layout = layout_name(record.cgroup.layout);
  document.cgroup.directories = record.cgroup.directories;
  document.cgroup.shared = record.cgroup.shared;
  if (record.unit) {
    const bool user = record.unit->bus == cgroup::Bus::user;
    document.unit = StoredUnit{record.unit->name, record.unit->slice, user ? "user" : "system"};
  }
  return oci::json::write(oci::schema::Object<Document>::type, &document, false);
}

Result<Record> read_record(std::string_view json) {
  constexpr std::string_view kName = "state.json";
  // Asked first only where the rest cannot be read: a newer form may lack what is required here.
  auto check_version = [&](int32_t version) -> Result<> {
    if (version == kVersion) return {};
    return refuse(cat(kName, ": written in form ", version,
                      " by another version of ocirt, this one ", "reads form ", kVersion));
  };
  Document document;
  if (auto error = oci::json::read(json, kName, oci::schema::Object<Document>::type, &document)) {
    oci::schema::VersionOnly form;
    if (!oci::json::read(json, kName, oci::schema::kVersionOnlyType, &form)) {
      TRY(check_version(form.version));
    }
    return refuse(error->message());
  }
  TRY(check_version(document.version));
  std::optional<cgroup::Layout> layout = find(kLayouts, document.cgroup.layout);
  if (!layout) {
    return refuse(cat(kName, ": cgroup.layout: ", quoted(document.cgroup.layout), " is unknown"));
  }
  document.container.cgroup.layout = *layout;
  document.container.cgroup.directories = std::move(document.cgroup.directories);
  document.container.cgroup.shared = document.cgroup.shared;
  if (document.unit) {
    std::optional<cgroup::Bus> bus = find(kBuses, document.unit->bus);
    if (!bus) {
      return refuse(cat(kName, ": systemdUnit.bus: ", quoted(document.unit->bus), " is unknown"));
    }
    document.container.unit = cgroup::Unit{document.unit->name, document.unit->slice, *bus};
  }
  return std::move(document.container);
}

}  // namespace ocirt::container
