// tmpcopyup: a tmpfs begins with what the directory held that it covers.
#pragma once

#include "src/init/init.h"

namespace ocirt::init {

// Copies everything below `from` into `to`: types, permissions, owners and times, symlinks as they
// are, without crossing into other mounts. Both are directories; `name` is for messages. Bounded in
// depth; fails the step.
void copy_up(const Init& init, int from, int to, const char* name);

}  // namespace ocirt::init
