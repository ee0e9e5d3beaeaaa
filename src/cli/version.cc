#include "src/cli/version.h"

#include <yajl/yajl_version.h>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/linux/seccomp.h"

// Set for this file only, so that a commit rebuilds one object.
#ifndef OCIRT_VERSION
#define OCIRT_VERSION "0.0.0-unversioned"
#endif
#ifndef OCIRT_COMMIT
#define OCIRT_COMMIT "unknown"
#endif

namespace ocirt::cli {

std::string_view version() { return OCIRT_VERSION; }
std::string_view commit() { return OCIRT_COMMIT; }

std::string version_text() {
  int yajl = ::yajl_version();
  return cat("ocirt version ", version(), "\ncommit: ", commit(), "\nspec: ", oci::kVersion,
             "\nlibseccomp: ", libseccomp_version(), "\nyajl: ", yajl / 10000, ".",
             yajl / 100 % 100, ".", yajl % 100, "\n");
}

}  // namespace ocirt::cli
