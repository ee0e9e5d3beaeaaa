#include "src/linux/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <string.h>

namespace ocirt {
namespace {

int number_of(std::string_view text) {
  auto number = signal_number(text);
  return number ? *number : -1;
}

TEST(Signals, EveryFormThatEnginesSendIsUnderstood) {
  for (auto text : {"9", "KILL", "SIGKILL", "sigkill", "kill", "SigKill"}) {
    EXPECT_EQ(number_of(text), SIGKILL) << text;
  }
  EXPECT_EQ(number_of("37"), 37);
  EXPECT_EQ(number_of("SIGRTMIN+3"), 37);
  EXPECT_EQ(number_of("rtmin+3"), 37);
  EXPECT_EQ(number_of("RTMIN"), SIGRTMIN);
  EXPECT_EQ(number_of("SIGRTMAX"), SIGRTMAX);
  EXPECT_EQ(number_of("SIGRTMAX-1"), 63);
  EXPECT_EQ(number_of("RTMIN+30"), 64);
  EXPECT_EQ(number_of("RTMAX-30"), 34);
  EXPECT_EQ(number_of("0"), 0);
  EXPECT_EQ(number_of("1"), 1);
  EXPECT_EQ(number_of("64"), 64);
}

TEST(Signals, NumbersBetweenBusAndTrapAreNotMixedUp) {
  EXPECT_EQ(number_of("TRAP"), 5);
  EXPECT_EQ(number_of("BUS"), 7);
}

TEST(Signals, EveryNameOfTheCLibraryIsKnown) {
  for (int number = 1; number < 32; ++number) {
    const char* name = sigabbrev_np(number);
    ASSERT_NE(name, nullptr) << number;
    EXPECT_EQ(number_of(name), number) << name;
    EXPECT_EQ(number_of(std::string("SIG") + name), number) << name;
  }
}

TEST(Signals, EverythingElseIsRefusedWithTheAcceptedForms) {
  for (auto text : {"", "-0", "-9", "65", "9 ", "+9", "SIG", "SIGSIGKILL", "RTMIN-1", "RTMAX+1",
                    "RTMIN+31", "RTMIN+", "RTMIN++1", "RTMIN+-1", "NOPE",
                    "SIGKILLLLLLLLLLLLLLLLLLL", "99999999999999999999"}) {
    EXPECT_EQ(number_of(text), -1) << text;
  }
  auto wrong = signal_number("X\n");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(
      wrong.error().text,
      "unknown signal \"X\\n\": give a number from 0 to 64, a name such as KILL or SIGKILL, or "
      "RTMIN+N or RTMAX-N");
}

}  // namespace
}  // namespace ocirt
