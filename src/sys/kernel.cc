#include "src/sys/kernel.h"

#include <elf.h>
#include <sys/auxv.h>

#include <cstring>
#include <string_view>

namespace ocirt::sys {
namespace {

constexpr size_t aligned(size_t size) { return (size + 3) & ~size_t{3}; }

// The notes of a segment, as elf(5) has them: three words, a name, a description, each aligned.
uint32_t version_in(const char* notes, size_t size) {
  while (size >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes, sizeof note);
    const size_t name = aligned(note.n_namesz),
                 length = sizeof note + name + aligned(note.n_descsz);
    if (length > size) break;
    // The name counts its zero byte.
    const std::string_view owner(notes + sizeof note, note.n_namesz);
    if (owner.size() == 6 && owner.starts_with("Linux") && note.n_type == 0 &&
        note.n_descsz == sizeof(uint32_t)) {
      uint32_t version = 0;
      std::memcpy(&version, notes + sizeof note + name, sizeof version);
      return version;
    }
    notes += length;
    size -= length;
  }
  return 0;
}

}  // namespace

uint32_t kernel_version() {
  // The kernel gives the address as a number. NOLINTNEXTLINE(performance-no-int-to-ptr)
  const auto* image = reinterpret_cast<const char*>(::getauxval(AT_SYSINFO_EHDR));
  if (image == nullptr) return 0;
  Elf64_Ehdr header;
  std::memcpy(&header, image, sizeof header);
  for (size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, image + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type != PT_NOTE) continue;
    if (const uint32_t version = version_in(image + segment.p_offset, segment.p_filesz))
      return version;
  }
  return 0;
}

}  // namespace ocirt::sys
