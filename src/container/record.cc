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
    OCI_FIELD(Record, oci_version, "ociVersion", kRequired),
    OCI_FIELD(Record, id, "id", kRequired),
    OCI_FIELD(Record, pid, "pid", {.required = true, .minimum = 0}),
    OCI_FIELD(Record, start_time, "startTime", kRequired),
    OCI_FIELD(Record, bundle, "bundle", kRequired),
    OCI_FIELD(Record, rootfs, "rootfs", kRequired),
    OCI_FIELD(Record, created, "created", kRequired),
    OCI_FIELD(Record, owner, "owner", kRequired),
    OCI_FIELD(Record, own_pid_namespace, "ownPidNamespace", kRequired),
    OCI_FIELD(Record, user_namespace, "userNamespace"),
    OCI_FIELD(Record, shares_mounts, "sharesMounts"),
    OCI_FIELD(Record, root_mount, "rootMount"),
    OCI_FIELD(Record, time_namespace, "timeNamespace"),
    OCI_FIELD(Record, no_new_privileges, "noNewPrivileges", kRequired),
    OCI_FIELD(Record, new_keyring, "newKeyring", kRequired),
    OCI_FIELD(Record, plain, "plain"),
    OCI_FIELD(Record, exec_inherits, "execInherits"),
    OCI_FIELD(Record, seccomp_receiver, "seccompReceiver"),
    OCI_FIELD(Record, annotations, "annotations"),
    OCI_FIELD(Record, systemd_v1, "systemdV1"),
    OCI_FIELD(Record, resctrl, "resctrl"),
};

constexpr Field kDirectory[] = {
    OCI_FIELD(Directory, controllers, "controllers", kRequired),
    OCI_FIELD(Directory, path, "path", kRequired),
};

constexpr Field kStoredCgroup[] = {
    OCI_FIELD(StoredCgroup, layout, "layout", kRequired),
    OCI_FIELD(StoredCgroup, directories, "directories"),
    OCI_FIELD(StoredCgroup, shared, "shared"),
};

constexpr Field kGroup[] = {
    OCI_FIELD(Group, directory, "directory", kRequired),
    OCI_FIELD(Group, monitoring, "monitoring", kRequired),
    OCI_FIELD(Group, own_class, "ownClass", kRequired),
};

constexpr Field kStoredUnit[] = {
    OCI_FIELD(StoredUnit, name, "name", kRequired),
    OCI_FIELD(StoredUnit, slice, "slice", kRequired),
    OCI_FIELD(StoredUnit, bus, "bus", kRequired),
};

constexpr Field kDocument[] = {
    OCI_FIELD(Document, version, "version", kRequired),
    OCI_FIELD(Document, container, "container", kRequired),
    OCI_FIELD(Document, cgroup, "cgroup", kRequired),
    OCI_FIELD(Document, unit, "systemdUnit"),
};

// What every later version keeps, whatever else it changes.
struct VersionOnly {
  std::int32_t version = 0;
};
constexpr Field kVersionOnly[] = {OCI_FIELD(VersionOnly, version, "version", kRequired)};
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
