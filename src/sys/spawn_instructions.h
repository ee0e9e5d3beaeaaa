// The instructions of posix_spawn(3), which are two objects that have to be destroyed.
#pragma once

#include <spawn.h>

namespace ocirt::sys {

struct SpawnInstructions {
  SpawnInstructions() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnInstructions(const SpawnInstructions&) = delete;
  SpawnInstructions& operator=(const SpawnInstructions&) = delete;
  ~SpawnInstructions() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
};

}  // namespace ocirt::sys
