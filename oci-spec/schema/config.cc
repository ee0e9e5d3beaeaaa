// Rows of config.json's top level: root, mounts, hooks (config-schema.json, defs.json).
#include "oci-spec/schema/schema.h"

namespace oci::schema {
namespace {

constexpr Field kRoot[] = {
    OCI_FIELD(Root, path, "path", kRequired),
    OCI_FIELD(Root, readonly, "readonly"),
};

constexpr Field kIdMapping[] = {
    OCI_FIELD(IdMapping, container_id, "containerID", kRequired),
    OCI_FIELD(IdMapping, host_id, "hostID", kRequired),
    OCI_FIELD(IdMapping, size, "size", kRequired),
};

constexpr Field kMount[] = {
    OCI_FIELD(Mount, destination, "destination", kRequired),
    OCI_FIELD(Mount, type, "type"),
    OCI_FIELD(Mount, source, "source"),
    OCI_FIELD(Mount, options, "options"),
    OCI_FIELD(Mount, uid_mappings, "uidMappings"),
    OCI_FIELD(Mount, gid_mappings, "gidMappings"),
};

constexpr Field kHook[] = {
    OCI_FIELD(Hook, path, "path", kRequired),
    OCI_FIELD(Hook, args, "args"),
    OCI_FIELD(Hook, env, "env"),
    OCI_FIELD(Hook, timeout, "timeout", {.minimum = 1}),
};

constexpr Field kHooks[] = {
    OCI_FIELD(Hooks, prestart, "prestart"),
    OCI_FIELD(Hooks, create_runtime, "createRuntime"),
    OCI_FIELD(Hooks, create_container, "createContainer"),
    OCI_FIELD(Hooks, start_container, "startContainer"),
    OCI_FIELD(Hooks, poststart, "poststart"),
    OCI_FIELD(Hooks, poststop, "poststop"),
};

constexpr Field kSpec[] = {
    OCI_FIELD(Spec, oci_version, "ociVersion", kRequired),
    OCI_FIELD(Spec, process, "process"),
    OCI_FIELD(Spec, root, "root"),
    OCI_FIELD(Spec, hostname, "hostname"),
    OCI_FIELD(Spec, domainname, "domainname"),
    OCI_FIELD(Spec, mounts, "mounts"),
    OCI_FIELD(Spec, hooks, "hooks"),
    OCI_FIELD(Spec, annotations, "annotations"),
    OCI_FIELD(Spec, linux, "linux"),
};

}  // namespace

template <>
constinit const Type Object<Root>::type = object(kRoot);
template <>
constinit const Type Object<IdMapping>::type = object(kIdMapping);
template <>
constinit const Type Object<Mount>::type = object(kMount);
constinit const Type kMountList = *detail::type_of<std::vector<Mount>>();
template <>
constinit const Type Object<Hook>::type = object(kHook);
template <>
constinit const Type Object<Hooks>::type = object(kHooks);
template <>
constinit const Type Object<Spec>::type = object(kSpec);

}  // namespace oci::schema
