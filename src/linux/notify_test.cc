#include "src/linux/notify.h"

#include <gtest/gtest.h>

#include "src/base/text.h"

namespace ocirt {
namespace {

TEST(Notify, WhatAProgramSaysOfItselfGoesOn) {
  EXPECT_EQ(admissible("READY=1").text, "READY=1");
  EXPECT_TRUE(admissible("READY=1\n").ready);
  EXPECT_EQ(admissible("STATUS=warming up\nREADY=1\n").text, "STATUS=warming up\nREADY=1");
  EXPECT_TRUE(admissible("STATUS=warming up\nREADY=1\n").ready);
  EXPECT_EQ(admissible("RELOADING=1\nMONOTONIC_USEC=123").text, "RELOADING=1\nMONOTONIC_USEC=123");
  EXPECT_EQ(admissible("STOPPING=1\nERRNO=2").text, "STOPPING=1\nERRNO=2");
  EXPECT_EQ(admissible("WATCHDOG=1").text, "WATCHDOG=1");
  EXPECT_EQ(admissible("EXTEND_TIMEOUT_USEC=5000000").text, "EXTEND_TIMEOUT_USEC=5000000");
}

TEST(Notify, WhatIsTheServiceManagersBusinessDoesNot) {
  for (const char* line :
       {"MAINPID=1", "MAINPIDFDID=7", "FDSTORE=1", "FDSTOREREMOVE=1", "FDNAME=x", "FDPOLL=0",
        "BARRIER=1", "NOTIFYACCESS=all", "WATCHDOG_USEC=1", "WATCHDOG=trigger", "BUSERROR=x",
        "EXIT_STATUS=0", "X_ANYTHING=1", "VSOCK=1"}) {
    EXPECT_EQ(admissible(line).text, "") << line;
    EXPECT_EQ(admissible(cat("READY=1\n", line)).text, "READY=1") << line;
  }
}

TEST(Notify, NothingGoesOnThatIsNotWhatItsNameSays) {
  using namespace std::string_view_literals;
  for (std::string_view line :
       {""sv, "READY"sv, "READY="sv, "READY=0"sv, "READY=1 "sv, " READY=1"sv, "ready=1"sv,
        "READY=1\0"sv, "READY=1\r"sv, "STATUS=\x1b[2J"sv, "STATUS=a\0b"sv, "ERRNO=-1"sv, "ERRNO="sv,
        "ERRNO=1x"sv, "MONOTONIC_USEC=111111111111111111111"sv}) {
    EXPECT_EQ(admissible(line).text, "") << quoted(line);
    EXPECT_FALSE(admissible(line).ready) << quoted(line);
  }
  EXPECT_EQ(admissible("STATUS=" + std::string(256, 'x')).text.size(), 263u);
  EXPECT_EQ(admissible("STATUS=" + std::string(257, 'x')).text, "");
  EXPECT_EQ(admissible("STATUS=gr\xc3\xbc\xc3\x9f").text, "STATUS=gr\xc3\xbc\xc3\x9f");
}

TEST(Notify, TheSocketIsFoundWhereTheCallersIs) {
  EXPECT_EQ(*notify_directory("/run/notify/the-socket"), "/run/notify/the-socket");
  EXPECT_EQ(*notify_directory("/tmp//a/./s"), "/tmp/a/s");
}

TEST(Notify, TheSocketLeavesTheDirectoryOfAServiceManagerInsideAlone) {
  EXPECT_EQ(*notify_directory("/run/systemd/notify"), "/run/notify");
  EXPECT_EQ(*notify_directory("/run/./systemd//notify"), "/run/notify");
  EXPECT_EQ(*notify_directory("@abstract"), "/run/notify");
}

TEST(Notify, AnAddressThatNoSocketHasIsRefused) {
  EXPECT_TRUE(notify_directory("vsock:2:1234").error().text.starts_with("not supported: "));
  EXPECT_FALSE(notify_directory("run/notify"));
  EXPECT_FALSE(notify_directory(""));
  EXPECT_FALSE(notify_directory("/"));
  EXPECT_FALSE(notify_directory("/run/.."));
  EXPECT_FALSE(notify_directory("@"));
  EXPECT_FALSE(notify_directory("/" + std::string(107, 'x')));
  EXPECT_TRUE(notify_directory("/" + std::string(106, 'x')));
}

}  // namespace
}  // namespace ocirt
