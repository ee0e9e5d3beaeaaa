#include "src/cli/log.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <iterator>

#include "src/sys/file.h"

namespace ocirt::cli {
namespace {

using container::LogFormat;

TEST(Log, JsonLineHasTheThreeKeysThatEnginesDecode) {
  std::string line =
      log_line(LogFormat::json, Level::error, "create c1: no", "2024-01-01T00:00:00Z");
  EXPECT_EQ(line,
            "{\"level\":\"error\",\"msg\":\"create c1: no\",\"time\":\"2024-01-01T00:00:00Z\"}\n");
}

TEST(Log, TextLineQuotesTheMessage) {
  EXPECT_EQ(log_line(LogFormat::text, Level::warning, "say \"x\\y\"", "T"),
            "time=\"T\" level=warning msg=\"say \\\"x\\\\y\\\"\"\n");
}

TEST(Log, HostileMessagesStayOneLine) {
  std::string hostile = "a\nb\r\x1b[31m\"\\ \xff\x01";
  for (LogFormat format : {LogFormat::json, LogFormat::text}) {
    std::string line = log_line(format, Level::error, hostile, "T");
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_EQ(line.find('\r'), std::string::npos);
  }
}

TEST(Log, JsonKeepsTheTextOfTheMessage) {
  EXPECT_EQ(
      log_line(LogFormat::json, Level::error, "exec: \"a\nb\": \\ not found", "T"),
      "{\"level\":\"error\",\"msg\":\"exec: \\\"a\\nb\\\": \\\\ not found\",\"time\":\"T\"}\n");
}

class LogFile : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(directory), nullptr);
    global.log = std::string(directory) + "/log";
    global.log_format = LogFormat::json;
  }
  void TearDown() override { (void)sys::remove_tree(sys::kCwd, directory); }
  std::string content() const { return *sys::read_file(sys::kCwd, global.log); }

  char directory[32] = "/tmp/ocirt-log-test-XXXXXX";
  container::GlobalOptions global;
};

TEST_F(LogFile, GetsOneLinePerErrorBehindWhatIsThere) {
  std::ofstream(global.log) << "before\n";
  Log log;
  ASSERT_TRUE(log.open(global));
  testing::internal::CaptureStderr();
  log.error("first");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "ocirt: first\n");
  EXPECT_TRUE(content().starts_with("before\n{\"level\":\"error\",\"msg\":\"first\",\"time\":\""))
      << content();
}

TEST_F(LogFile, IsThereAndEmptyWithoutAnError) {
  Log log;
  ASSERT_TRUE(log.open(global));
  EXPECT_EQ(content(), "");
}

TEST_F(LogFile, GetsWarningsWithDebugOnly) {
  Log quiet;
  ASSERT_TRUE(quiet.open(global));
  testing::internal::CaptureStderr();
  quiet.warning("hm");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(content(), "");

  global.debug = true;
  Log loud;
  ASSERT_TRUE(loud.open(global));
  testing::internal::CaptureStderr();
  loud.warning("hm");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "ocirt: warning: hm\n");
  EXPECT_NE(content().find("\"level\":\"warning\",\"msg\":\"hm\""), std::string::npos);
}

TEST_F(LogFile, ThatCannotBeOpenedIsAnError) {
  global.log = std::string(directory) + "/none/log";
  Log log;
  Result<> opened = log.open(global);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text.find("--log"), std::string::npos);
}

TEST(LogTarget, IsAFileOrALogOfTheSystem) {
  using Kind = LogTarget::Kind;
  EXPECT_EQ(log_target("/a/log.json"), (LogTarget{Kind::file, "/a/log.json"}));
  EXPECT_EQ(log_target("file:/a:b"), (LogTarget{Kind::file, "/a:b"}));
  EXPECT_EQ(log_target("syslog:box"), (LogTarget{Kind::syslog, "box"}));
  EXPECT_EQ(log_target("journald:"), (LogTarget{Kind::journal, "ocirt"}));
}

TEST(LogTarget, OfTheSystemGetsDatagrams) {
  using Kind = LogTarget::Kind;
  EXPECT_EQ(log_datagram({Kind::syslog, "box"}, Level::error, "create c1: no"),
            "<27>box: create c1: no");
  EXPECT_EQ(log_datagram({Kind::journal, "box"}, Level::warning, "hm"),
            "PRIORITY=4\nSYSLOG_IDENTIFIER=box\nMESSAGE=hm\n");
}

}  // namespace
}  // namespace ocirt::cli
