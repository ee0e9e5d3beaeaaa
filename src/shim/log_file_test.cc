#include "src/shim/log_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <string>
#include <vector>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/test_directory.h"

namespace ocirt::shim {
namespace {

class Logging : public sys::TestDirectory {
 protected:
  std::string file(int rotation = 0) const {
    return rotation == 0 ? cat(path, "/c.log") : cat(path, "/c.log.", rotation);
  }
  // The lines of a file without their times, which are checked.
  std::vector<std::string> lines(int rotation = 0) {
    Result<std::string> text = sys::read_file(sys::kCwd, file(rotation));
    std::vector<std::string> all;
    if (!text) return all;
    std::string_view rest = *text;
    while (std::optional<std::string_view> line = next_line(rest)) {
      constexpr std::string_view kTime = "2006-01-02T15:04:05.000000000Z";
      EXPECT_GT(line->size(), kTime.size()) << *line;
      EXPECT_EQ((*line)[10], 'T');
      EXPECT_EQ((*line)[kTime.size() - 1], 'Z');
      all.emplace_back(line->substr(kTime.size() + 1));
    }
    return all;
  }
};

using Lines = std::vector<std::string>;

TEST_F(Logging, EveryLineHasTimeStreamAndTag) {
  LogFile log(file(), 0, 1);
  log.append("stdout", "one\ntwo\n");
  log.append("stderr", "\n");
  EXPECT_EQ(lines(), (Lines{"stdout F one", "stdout F two", "stderr F "}));
}

TEST_F(Logging, WhatDoesNotEndIsPartial) {
  LogFile log(file(), 0, 1);
  log.append("stdout", "half");
  log.append("stdout", " a line\n");
  EXPECT_EQ(lines(), (Lines{"stdout P half", "stdout F  a line"}));
}

TEST_F(Logging, LogThatIsFullIsRotated) {
  LogFile log(file(), 100, 3);
  for (char c : {'a', 'b', 'c', 'd', 'e', 'f', 'g'})
    log.append("stdout", cat(std::string(20, c), "\n"));  // 60 bytes each
  EXPECT_EQ(lines(), (Lines{"stdout F gggggggggggggggggggg"}));
  EXPECT_EQ(lines(1), (Lines{"stdout F ffffffffffffffffffff"}));
  EXPECT_EQ(lines(2), (Lines{"stdout F eeeeeeeeeeeeeeeeeeee"}));
  EXPECT_FALSE(sys::exists(sys::kCwd, file(3)));
}

TEST_F(Logging, SizeOfAnOlderFileCounts) {
  LogFile(file(), 100, 2).append("stdout", "aaaaaaaaaaaaaaaaaaaa\n");
  LogFile log(file(), 100, 2);
  log.append("stdout", "b\n");  // 41 bytes: fits
  log.append("stdout", "c\n");
  EXPECT_EQ(lines(), (Lines{"stdout F c"}));
  EXPECT_EQ(lines(1).size(), 2u);
}

TEST_F(Logging, RenamedLogIsLeftAlone) {
  LogFile log(file(), 0, 2);
  log.append("stdout", "old\n");
  ASSERT_TRUE(sys::rename(sys::kCwd, file(), file(1)));
  log.reopen();
  log.append("stdout", "new\n");
  EXPECT_EQ(lines(1), (Lines{"stdout F old"}));
  EXPECT_EQ(lines(), (Lines{"stdout F new"}));
}

// As on a full disk: the beginning of a line fits, the rest does not.
TEST_F(Logging, LineThatFitsOnlyInPartIsNotTheBeginningOfTheNextOne) {
  LogFile log(file(), 0, 1);
  log.append("stdout", "one\n");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{64, before.rlim_max};  // two lines have 84 bytes
  auto* handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  log.append("stdout", "two\n");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(log.lost_lines(), 1u);
  log.append("stdout", "three\n");
  EXPECT_EQ(lines(), (Lines{"stdout F one", "stdout F three"}));
}

TEST_F(Logging, LogThatCannotBeWrittenLosesLinesAndNothingElse) {
  LogFile log("/dev/full", 0, 1);
  log.append("stdout", "one\ntwo\n");
  EXPECT_EQ(log.lost_lines(), 2u);
}

}  // namespace
}  // namespace ocirt::shim
