#include "src/sys/program_output.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace ocirt::sys {
namespace {

Result<std::string> shell(const std::string& script) {
  const std::string argv[] = {"sh", "-c", script};
  return program_output(argv);
}

TEST(ProgramOutput, IsWhatTheProgramPrints) {
  EXPECT_EQ(*shell("echo a; echo b"), "a\nb\n");
  EXPECT_EQ(*shell("true"), "");
  EXPECT_EQ(shell("head -c 1000000 /dev/zero")->size(), 1000000u);
}

TEST(ProgramOutput, ProgramHasNoStandardInput) { EXPECT_EQ(*shell("cat"), ""); }

TEST(ProgramOutput, OfAProgramThatFailsIsAnError) {
  EXPECT_EQ(shell("echo a; exit 3").error().text, "sh ended with status 3");
  EXPECT_EQ(shell("kill -9 $$").error().text, "sh was killed by signal 9");
}

TEST(ProgramOutput, WithItsErrorsSaysWhyAProgramFailed) {
  const auto fails = [](const std::string& script) {
    const std::string argv[] = {"sh", "-c", script};
    return program_output(argv, true);
  };
  EXPECT_EQ(fails("echo no room >&2; exit 1").error().text, "no room");
  EXPECT_EQ(fails("exit 3").error().text, "sh ended with status 3");
  EXPECT_EQ(*fails("true"), "");
}

TEST(ProgramOutput, OfAProgramThatIsMissingIsEnoent) {
  const std::string argv[] = {"ocirt-there-is-no-such-program"};
  Result<std::string> output = program_output(argv);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, ENOENT);
}

TEST(ProgramOutput, ThatNeverEndsIsCutOff) { EXPECT_EQ(shell("yes").error().code, EFBIG); }

}  // namespace
}  // namespace ocirt::sys
