// Where this program lies is nothing that it needs to know.
//
// The start of a static glibc program asks for it, readlink(2) of /proc/self/exe and a block of
// memory, for the case that a library is opened whose path says $ORIGIN. ocirt opens none. In place
// of glibc's (elf/dl-origin.c); another C library never calls it.
#include <cstdint>

extern "C" {

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): a name of the C library
const char* _dl_get_origin();

/** "unknown", as glibc's own says where /proc is not mounted. */
const char* _dl_get_origin() {
  return reinterpret_cast<const char*>(UINTPTR_MAX);  // NOLINT(performance-no-int-to-ptr)
}
// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)
}
