// What is said of one pod of several, while the verb goes on with the others.
#include "src/podcli/command.h"
#include "src/sys/file.h"

namespace ocirt::podcli {

void report(const Call& call, const Error& error) {
  sys::print_error(cat("ocirt-pod: ", call.command.name, ": ", error.text, "\n"));
}

}  // namespace ocirt::podcli
