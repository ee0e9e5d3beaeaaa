#include "src/shim/daemon_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/sys/test_directory.h"

namespace ocirt::shim {
namespace {

TEST(DaemonLog, LinesAreThoseOfLogrus) {
  EXPECT_EQ(log_line({0, 5}, "info", "a \"b\"\n c\\d\te \n"),
            "time=\"1970-01-01T00:00:00.000000005Z\" level=info msg=\"a \\\"b\\\"\\n c\\\\d e\"\n");
}

TEST(DaemonLog, LineFitsIntoOneWriteOfAPipe) {
  const std::string line = log_line({0, 0}, "error", std::string(10000, 'x'));
  EXPECT_LE(line.size(), 4096U);
  EXPECT_TRUE(line.ends_with("x\"\n"));
}

class DaemonLogFifo : public sys::TestDirectory {};

TEST_F(DaemonLogFifo, NeverWaitsForAReader) {
  const std::string fifo = path + "/log";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  DaemonLog log(fifo);
  for (int i = 0; i < 1000; ++i) log.write("info", std::string(500, 'x'));
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  char room[6];
  ASSERT_EQ(::read(reader, room, sizeof room), 6);
  EXPECT_EQ(std::string(room, 6), "time=\"");
  ::close(reader);
}

TEST_F(DaemonLogFifo, WhatIsNoFifoIsNotWritten) {
  const std::string fifo = path + "/log";
  ::close(::open(fifo.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  DaemonLog log(fifo);
  log.write("info", "x");
  struct stat info{};
  ASSERT_EQ(::stat(fifo.c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 0);
  DaemonLog(path + "/none").write("info", "x");
}

}  // namespace
}  // namespace ocirt::shim
