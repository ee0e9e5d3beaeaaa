// A process that does nothing but be in the namespaces of its maker: a mount namespace that no file
// can pin, since only an ordinary user's rights are there, lives as long as somebody is in it.
#pragma once

#include <sys/types.h>

#include <span>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace ocirt::sys {

struct Holder {
  pid_t pid = 0;
  UniqueFd channel;
};

// Forks it. It takes no signal but SIGKILL, has no descriptors and a session of its own.
// `arguments` are those of the program, which become empty in it: it must not be taken for what its
// maker is in a list of processes.
Result<Holder> start_holder(std::span<const char* const> arguments);
// Until this has returned it ends with its maker; so nobody is left whose number is not on record.
Result<> commit_holder(Holder& holder);

// Executes this program anew with these arguments (argv[0] included), which then has the ids and
// rights of where it is. `keep` are descriptors that stay open. Returns only on failure.
Error execute_again(std::span<const char* const> arguments, std::span<const int> keep);

}  // namespace ocirt::sys
