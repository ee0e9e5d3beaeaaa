#include "src/shim/rules.h"

#include <cerrno>
#include <string>

namespace ocirt::shim {

Result<> check(Phase phase, Request request) {
  const std::string_view refusal = refusal_of(phase, request);
  if (refusal.empty()) return {};
  return std::unexpected(Error{refusal == kFinished ? ENOENT : EBUSY, std::string(refusal)});
}

}  // namespace ocirt::shim
