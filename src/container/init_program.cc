#include "src/container/init_program.h"

#include <cstddef>
#include <cstring>
#include <string>

#include "src/plan/segment.h"
#include "src/sys/file.h"

// Embedded by init_image.S.
extern "C" const char ocirt_init_image[];
extern "C" const size_t ocirt_init_image_size;

namespace ocirt::container {
namespace {

uint64_t round_up(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

}  // namespace

Result<UniqueFd> init_program(std::string_view plan) {
  const std::string_view image(ocirt_init_image, ocirt_init_image_size);
  plan::Headers headers{};
  if (image.size() < sizeof headers) return refuse("ocirt-init is no program");
  std::memcpy(&headers, image.data(), sizeof headers);
  Elf64_Phdr& segment = headers.segments[plan::kPlanHeader];
  const Elf64_Phdr& last = headers.segments[plan::kPlanHeader - 1];
  if (headers.file.e_phoff != offsetof(plan::Headers, segments) ||
      headers.file.e_phnum <= plan::kPlanHeader || last.p_type != PT_LOAD ||
      segment.p_type != PT_DYNAMIC) {
    return refuse("ocirt-init was linked without a place for its plan");
  }
  const uint64_t page = last.p_align;
  segment = {.p_type = PT_LOAD,
             .p_flags = PF_R,
             .p_offset = round_up(image.size(), page),
             .p_vaddr = round_up(last.p_vaddr + last.p_memsz, page),
             .p_paddr = 0,
             .p_filesz = plan.size(),
             .p_memsz = plan.size(),
             .p_align = page};
  const std::string padding(segment.p_offset - image.size(), '\0');
  return sys::sealed_memory(plan::kInitName,
                            {{reinterpret_cast<const char*>(&headers), sizeof headers},
                             image.substr(sizeof headers),
                             padding,
                             plan},
                            true);
}

}  // namespace ocirt::container
