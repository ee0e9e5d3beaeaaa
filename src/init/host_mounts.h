// What --no-pivot leaves below the container's root.
#pragma once

#include "src/init/init.h"

namespace ocirt::init {

// Takes away every procfs and sysfs of the host from this mount namespace, or covers it where it
// cannot be taken away. The working directory is the container's root: what is mounted below stays.
void hide_host_mounts(const Init& init);

}  // namespace ocirt::init
