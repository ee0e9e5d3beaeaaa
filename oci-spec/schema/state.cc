// Rows of the state (state-schema.json) and of the container process state, which has no schema
// file (config-linux.md, "The Container Process State").
#include "oci-spec/schema/schema.h"

namespace oci::schema {
namespace {

constexpr Field kState[] = {
    OCI_FIELD(State, oci_version, "ociVersion", kRequired),
    OCI_FIELD(State, id, "id", kRequired),
    OCI_FIELD(State, pid, "pid", {.minimum = 0}),
    OCI_FIELD(State, status, "status", kRequired),
    OCI_FIELD(State, bundle, "bundle", kRequired),
    OCI_FIELD(State, annotations, "annotations"),
};

constexpr Field kContainerProcessState[] = {
    OCI_FIELD(ContainerProcessState, oci_version, "ociVersion", kRequired),
    OCI_FIELD(ContainerProcessState, fds, "fds"),
    OCI_FIELD(ContainerProcessState, pid, "pid", kRequired),
    OCI_FIELD(ContainerProcessState, metadata, "metadata"),
    OCI_FIELD(ContainerProcessState, state, "state", kRequired),
};

}  // namespace

template <>
constinit const Type Object<State>::type = object(kState);
template <>
constinit const Type Object<ContainerProcessState>::type = object(kContainerProcessState);

}  // namespace oci::schema
