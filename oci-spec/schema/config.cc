// Rows of config.json's top level: root, mounts, hooks (config-schema.json, defs.json).
#include "oci-spec/schema/schema.h"

namespace oci::schema {
namespace {

constexpr Field kRoot[] = {
    field<&Root::path>("path", kRequired),
    field<&Root::readonly>("readonly"),
};

constexpr Field kIdMapping[] = {
    field<&IdMapping::container_id>("containerID", kRequired),
    field<&IdMapping::host_id>("hostID", kRequired),
    field<&IdMapping::size>("size", kRequired),
};

constexpr Field kMount[] = {
    field<&Mount::destination>("destination", kRequired),
    field<&Mount::type>("type"),
    field<&Mount::source>("source"),
    field<&Mount::options>("options"),
    field<&Mount::uid_mappings>("uidMappings"),
    field<&Mount::gid_mappings>("gidMappings"),
};

constexpr Field kHook[] = {
    field<&Hook::path>("path", kRequired),
    field<&Hook::args>("args"),
    field<&Hook::env>("env"),
    field<&Hook::timeout>("timeout", {.minimum = 1}),
};

constexpr Field kHooks[] = {
    field<&Hooks::prestart>("prestart"),
    field<&Hooks::create_runtime>("createRuntime"),
    field<&Hooks::create_container>("createContainer"),
    field<&Hooks::start_container>("startContainer"),
    field<&Hooks::poststart>("poststart"),
    field<&Hooks::poststop>("poststop"),
};

constexpr Field kSpec[] = {
    field<&Spec::oci_version>("ociVersion", kRequired),
    field<&Spec::process>("process"),
    field<&Spec::root>("root"),
    field<&Spec::hostname>("hostname"),
    field<&Spec::domainname>("domainname"),
    field<&Spec::mounts>("mounts"),
    field<&Spec::hooks>("hooks"),
    field<&Spec::annotations>("annotations"),
    field<&Spec::linux>("linux"),
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
