#include "src/sys/companion.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/test_directory.h"

namespace ocirt::sys {
namespace {

using ::testing::HasSubstr;

class CompanionTest : public TestDirectory {
 protected:
  // A companion that is a shell script.
  std::string script(const std::string& text, const std::string& name = "helper") {
    put(name, cat("#!/bin/sh\n", text, "\n"), 0755);
    return cat(path, "/", name);
  }
  Result<std::string> ask(const std::string& text, std::string_view request = "") {
    return ask_companion({.path = script(text), .request = request});
  }
};

TEST_F(CompanionTest, ReadsTheRequestAndAnswersWithALine) {
  EXPECT_EQ(*ask("read word rest; echo ok $rest $word", "one two three\n"), "two three one");
  EXPECT_EQ(*ask("echo ok"), "");
  EXPECT_EQ(*ask("wc -c | sed 's/^/ok /'", std::string(300000, 'x')), "300000");
}

TEST_F(CompanionTest, AnErrorThatItAnswersIsTheError) {
  Result<std::string> answer = ask("echo error 17 eth0: File exists");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, EEXIST);
  EXPECT_EQ(answer.error().text, "eth0: File exists");
}

TEST_F(CompanionTest, WhatItSaysBesidesIsNoAnswer) {
  EXPECT_EQ(*ask("echo a library warns >&2; echo ok fine; echo error without a code"), "fine");
}

TEST_F(CompanionTest, WithoutAnAnswerItsLastWordsAreTheError) {
  EXPECT_EQ(ask("echo libx.so.1: cannot open >&2; exit 127").error().text,
            "helper ended without an answer; it said: libx.so.1: cannot open");
  EXPECT_EQ(ask("kill -9 $$").error().text, "helper ended without an answer");
}

TEST_F(CompanionTest, GetsTheDescriptorsFromThreeOnInTheirOrder) {
  UniqueFd first = *sealed_memory("first", {"1"}, false);
  UniqueFd second = *sealed_memory("second", {"2"}, false);
  const std::string helper =
      script("echo ok $(cat /proc/self/fd/4) $(cat /proc/self/fd/3); test ! -e /proc/self/fd/5");
  const Fd descriptors[] = {second, first};
  EXPECT_EQ(*ask_companion({.path = helper, .request = {}, .descriptors = descriptors}), "1 2");
}

TEST_F(CompanionTest, ThatHangsIsKilled) {
  Result<std::string> answer =
      ask_companion({.path = script("exec sleep 60"), .request = {}, .timeout_ms = 100});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ETIMEDOUT);
  EXPECT_THAT(answer.error().text, HasSubstr("helper did not answer within"));
}

// How a companion ends that does its work after end_with_caller(), and whose caller reads its
// answer or had gone before.
std::string end_of_companion(bool caller_lives) {
  int answer[2], begin[2];
  EXPECT_EQ(::pipe2(answer, O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(begin, O_CLOEXEC), 0);
  const pid_t companion = ::fork();
  if (companion == 0) {
    char byte = 0;
    ::dup2(answer[1], STDOUT_FILENO);
    ::close(answer[0]);
    ::close(begin[1]);
    (void)!::read(begin[0], &byte, 1);
    end_with_caller();
    (void)!::write(STDOUT_FILENO, "x", 1);
    ::_exit(0);
  }
  if (!caller_lives) ::close(answer[0]);
  ::close(begin[1]);
  int status = -1;
  ::waitpid(companion, &status, 0);
  if (caller_lives) ::close(answer[0]);
  ::close(answer[1]);
  ::close(begin[0]);
  return WIFEXITED(status) ? cat("status ", WEXITSTATUS(status)) : cat("signal ", WTERMSIG(status));
}

TEST_F(CompanionTest, GoesOnForACallerThatLivesAndEndsForOneThatHasDied) {
  EXPECT_EQ(end_of_companion(true), "status 0");
  EXPECT_EQ(end_of_companion(false), "status 1");  // not by SIGPIPE, after its work
}

TEST_F(CompanionTest, IsFoundBesideOcirtOrInLibexec) {
  const std::string& top = path;
  ASSERT_TRUE(mkdir_parents(cat(top, "/bin"), 0755));
  ASSERT_TRUE(mkdir_parents(cat(top, "/libexec/ocirt"), 0755));
  Result<std::string> found = find_companion_from(cat(top, "/bin"), "helper");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ENOENT);
  EXPECT_THAT(found.error().text, HasSubstr(cat("helper is missing: it belongs beside ocirt or in ",
                                                top, "/libexec/ocirt")));
  script("", "libexec/ocirt/helper");
  EXPECT_EQ(*find_companion_from(cat(top, "/bin"), "helper"),
            cat(top, "/bin/../libexec/ocirt/helper"));
  script("", "bin/helper");
  EXPECT_EQ(*find_companion_from(cat(top, "/bin"), "helper"), cat(top, "/bin/helper"));
}

TEST_F(CompanionTest, ThatCannotBeExecutedIsAnErrorThatNamesIt) {
  Result<std::string> answer = ask_companion({.path = "/nowhere/helper", .request = {}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text, "execute /nowhere/helper: No such file or directory");
}

}  // namespace
}  // namespace ocirt::sys
