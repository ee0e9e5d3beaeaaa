#include "src/cli/version.h"

#include <yajl/yajl_version.h>

#include "oci-spec/documents.h"
#include "src/base/text.h"
#include "src/linux/seccomp.h"

namespace ocirt::cli {

std::string version_text() {
  int yajl = ::yajl_version();
  return cat("ocirt version ", version(), "\ncommit: ", commit(), "\nspec: ", oci::kVersion,
             "\nlibseccomp: ", libseccomp_version(), "\nyajl: ", yajl / 10000, ".",
             yajl / 100 % 100, ".", yajl % 100, "\n");
}

}  // namespace ocirt::cli
