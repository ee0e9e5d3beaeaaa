#include "src/base/version.h"

// Set for this file only, so that a commit rebuilds one object.
#ifndef OCIRT_VERSION
#define OCIRT_VERSION "0.0.0-unversioned"
#endif
#ifndef OCIRT_COMMIT
#define OCIRT_COMMIT "unknown"
#endif

namespace ocirt {

std::string_view version() { return OCIRT_VERSION; }
std::string_view commit() { return OCIRT_COMMIT; }

}  // namespace ocirt
