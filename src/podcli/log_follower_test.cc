#include "src/podcli/log_follower.h"

#include <gtest/gtest.h>

#include "src/base/text.h"
#include "src/sys/test_directory.h"

namespace ocirt::podcli {
namespace {

class Follower : public sys::TestDirectory {
 protected:
  void append(CStr file, std::string_view text) {
    UniqueFd fd = *sys::open(dir, file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    EXPECT_TRUE(sys::write_all(fd, file.view(), text));
  }
  static std::string line(std::string_view text) { return cat("t stdout F ", text, "\n"); }
  void rotate() {
    (void)sys::rename(dir, "c.log.1", "c.log.2");
    ASSERT_TRUE(sys::rename(dir, "c.log", "c.log.1"));
  }
  std::string past(std::optional<size_t> tail = {}) {
    std::string out;
    EXPECT_TRUE(follower_.read_past(tail, out));
    return out;
  }
  std::string more() {
    std::string out;
    EXPECT_TRUE(follower_.read_more(out));
    return out;
  }

 private:
  LogFollower follower_{path + "/c.log", {}};
};

TEST_F(Follower, ReadsRotatedFilesFromTheOldestOn) {
  append("c.log.2", line("one"));
  append("c.log.1", line("two"));
  append("c.log", line("three"));
  EXPECT_EQ(past(), "one\ntwo\nthree\n");
}

TEST_F(Follower, TheTailReachesIntoRotatedFiles) {
  append("c.log.1", line("one") + line("two"));
  append("c.log", line("three"));
  EXPECT_EQ(past(2), "two\nthree\n");
}

TEST_F(Follower, LosesNothingWhenTheLogIsRotatedWhileItFollows) {
  append("c.log", line("one"));
  EXPECT_EQ(past(), "one\n");
  append("c.log", line("two"));
  rotate();
  append("c.log", line("three"));
  EXPECT_EQ(more(), "two\nthree\n");
  EXPECT_EQ(more(), "");
  rotate();
  EXPECT_EQ(more(), "");
  append("c.log", line("four"));
  EXPECT_EQ(more(), "four\n");
}

TEST_F(Follower, LosesNothingWhenTheLogIsRotatedSeveralTimesBetweenTwoReadings) {
  append("c.log", line("one"));
  EXPECT_EQ(past(), "one\n");
  append("c.log", line("two"));
  rotate();
  append("c.log", line("three"));
  rotate();
  append("c.log", line("four"));
  EXPECT_EQ(more(), "two\nthree\nfour\n");
  EXPECT_EQ(more(), "");
}

TEST_F(Follower, GoesOnWithTheOldestWhenItsOwnFileIsGone) {
  append("c.log", line("one"));
  EXPECT_EQ(past(), "one\n");
  append("c.log", line("two"));
  rotate();
  ASSERT_TRUE(sys::unlink(dir, "c.log.1"));
  EXPECT_EQ(more(), "two\n");
  append("c.log", line("three"));
  EXPECT_EQ(more(), "three\n");
}

TEST_F(Follower, WaitsForTheRestOfALine) {
  EXPECT_EQ(past(), "");  // there is no file yet
  append("c.log", "t stdout F on");
  EXPECT_EQ(more(), "");
  append("c.log", "e\n");
  EXPECT_EQ(more(), "one\n");
}

}  // namespace
}  // namespace ocirt::podcli
