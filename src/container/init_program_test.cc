#include "src/container/init_program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/plan/segment.h"
#include "src/sys/file.h"

extern "C" const char ocirt_init_image[];
extern "C" const size_t ocirt_init_image_size;

namespace ocirt::container {
namespace {

plan::Headers headers_of(std::string_view program) {
  plan::Headers headers{};
  std::memcpy(&headers, program.data(), sizeof headers);
  return headers;
}

TEST(InitProgram, HasItsPlanAsASegmentOfItsOwn) {
  const std::string plan(5000, 'p');
  UniqueFd fd = *init_program(plan);
  const std::string program = *sys::read_all(fd, "program");
  const plan::Headers headers = headers_of(program);
  const Elf64_Phdr& data = headers.segments[plan::kPlanHeader - 1];
  const Elf64_Phdr& segment = headers.segments[plan::kPlanHeader];
  EXPECT_EQ(segment.p_type, PT_LOAD);
  EXPECT_EQ(segment.p_flags, PF_R);
  EXPECT_EQ(program.substr(segment.p_offset), plan);
  EXPECT_EQ(segment.p_filesz, plan.size());
  EXPECT_EQ(segment.p_memsz, plan.size());
  EXPECT_GE(segment.p_vaddr, data.p_vaddr + data.p_memsz) << "behind its data";
  EXPECT_EQ(segment.p_vaddr % segment.p_align, 0u);
  EXPECT_EQ(segment.p_offset % segment.p_align, 0u);
}

TEST(InitProgram, IsOtherwiseTheOneThatWasBuilt) {
  UniqueFd fd = *init_program("plan");
  const std::string program = *sys::read_all(fd, "program");
  constexpr size_t kOther = sizeof(plan::Headers);
  EXPECT_EQ(program.substr(kOther, ocirt_init_image_size - kOther),
            std::string_view(ocirt_init_image, ocirt_init_image_size).substr(kOther));
  const plan::Headers built = headers_of({ocirt_init_image, ocirt_init_image_size});
  const plan::Headers headers = headers_of(program);
  constexpr size_t kBefore = offsetof(plan::Headers, segments[plan::kPlanHeader]);
  EXPECT_EQ(std::memcmp(&built, &headers, kBefore), 0);
}

TEST(InitProgram, CannotBeChangedNorInherited) {
  UniqueFd fd = *init_program("plan");
  EXPECT_EQ(::pwrite(fd.raw(), "x", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::ftruncate(fd.raw(), 0), -1);
  EXPECT_EQ(::fcntl(fd.raw(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

// As a container's program that names /proc/self/exe would execute it.
TEST(InitProgram, ExecutedUnderAnotherNameDoesNothingThatItsPlanSays) {
  UniqueFd fd = *init_program("plan");
  const pid_t child = ::fork();
  if (child == 0) {
    char name[] = "sh";
    char* const argv[] = {name, nullptr};
    char* const envp[] = {nullptr};
    ::fexecve(fd.raw(), argv, envp);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 125);
}

}  // namespace
}  // namespace ocirt::container
