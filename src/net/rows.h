// Tables of rows (oci-spec/schema/field.h) that more than one file of this folder refers to.
#pragma once

#include "oci-spec/schema/field.h"
#include "src/net/pod_request.h"

namespace oci::schema {

template <>
const Type Object<ocirt::net::PodPort>::type;
template <>
const Type Object<ocirt::net::PodRequest>::type;
template <>
const Type Object<ocirt::net::PodNetwork>::type;

}  // namespace oci::schema
