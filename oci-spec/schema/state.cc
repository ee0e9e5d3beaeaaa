// Rows of the state (state-schema.json) and of the container process state, which has no schema
// file (config-linux.md, "The Container Process State").
#include "oci-spec/schema/schema.h"

namespace oci::schema {
namespace {

constexpr Field kState[] = {
    field<&State::oci_version>("ociVersion", kRequired), field<&State::id>("id", kRequired),
    field<&State::pid>("pid", {.minimum = 0}),           field<&State::status>("status", kRequired),
    field<&State::bundle>("bundle", kRequired),          field<&State::annotations>("annotations"),
};

constexpr Field kContainerProcessState[] = {
    field<&ContainerProcessState::oci_version>("ociVersion", kRequired),
    field<&ContainerProcessState::fds>("fds"),
    field<&ContainerProcessState::pid>("pid", kRequired),
    field<&ContainerProcessState::metadata>("metadata"),
    field<&ContainerProcessState::state>("state", kRequired),
};

}  // namespace

template <>
constinit const Type Object<State>::type = object(kState);
template <>
constinit const Type Object<ContainerProcessState>::type = object(kContainerProcessState);

}  // namespace oci::schema
