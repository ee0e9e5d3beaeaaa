// The memory of yajl. With its own functions it writes through the null pointer that it gets when
// memory is used up.
#pragma once

#include <yajl/yajl_common.h>

namespace oci::json {

// For yajl_alloc() and yajl_gen_alloc(), which copy it. When memory is used up, the program ends as
// it does for operator new.
yajl_alloc_funcs* memory();

}  // namespace oci::json
