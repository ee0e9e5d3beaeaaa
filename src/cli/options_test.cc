#include "src/cli/options.h"

#include <gtest/gtest.h>

namespace ocirt::cli {
namespace {

struct Target {
  std::string bundle;
  std::vector<std::string> env;
  std::vector<uint32_t> gids;
  std::optional<bool> tty;
  std::optional<uint16_t> weight;
  std::optional<int64_t> quota;
  bool detach = false;
  bool all = false;
  int fds = 0;
};

constexpr Option kRows[] = {
    option<&Target::bundle>("bundle", 'b', "DIR", "x"),
    option<&Target::env>("env", 'e', "NAME=VALUE", "x"),
    option<&Target::gids>("gids", 'g', "GID", "x"),
    option<&Target::weight>("weight", 0, "N", "x"),
    option<&Target::quota>("quota", 0, "N", "x"),
    option<&Target::fds>("fds", 0, "N", "x"),
    toggle<&Target::tty>("tty", 't', "x"),
    toggle<&Target::detach>("detach", 'd', "x"),
    toggle<&Target::all>("all", 'a', "x"),
};

struct Outcome {
  Target target;
  Result<Parsed> parsed;
  std::string error() const { return parsed ? "" : parsed.error().text; }
};

Outcome read(std::vector<const char*> words, Order order = Order::any) {
  Outcome outcome;
  outcome.parsed = parse(kRows, order, &outcome.target, words);
  return outcome;
}

using Views = std::vector<std::string_view>;

TEST(Options, ValueMayStandBehindASpaceOrAnEqualsSign) {
  EXPECT_EQ(read({"--bundle", "/x"}).target.bundle, "/x");
  EXPECT_EQ(read({"--bundle=/x"}).target.bundle, "/x");
  EXPECT_EQ(read({"--bundle=a=b"}).target.bundle, "a=b");
  EXPECT_EQ(read({"--bundle="}).target.bundle, "");
}

TEST(Options, LetterTakesItsValueBehindASpaceAttachedOrBehindAnEqualsSign) {
  EXPECT_EQ(read({"-b", "/x"}).target.bundle, "/x");
  EXPECT_EQ(read({"-b/x"}).target.bundle, "/x");
  EXPECT_EQ(read({"-b=/x"}).target.bundle, "/x");
}

TEST(Options, LettersOfSwitchesMayBeClusteredWithAValueAtTheEnd) {
  Outcome outcome = read({"-adtb", "/x"});
  ASSERT_EQ(outcome.error(), "");
  EXPECT_TRUE(outcome.target.all);
  EXPECT_TRUE(outcome.target.detach);
  EXPECT_EQ(outcome.target.tty, true);
  EXPECT_EQ(outcome.target.bundle, "/x");
  EXPECT_EQ(read({"-ab/x"}).target.bundle, "/x");
}

TEST(Options, LongNameBehindASingleDashWinsOverACluster) {
  Outcome outcome = read({"-all", "-detach=false", "-bundle", "/x", "-tty"});
  ASSERT_EQ(outcome.error(), "");
  EXPECT_TRUE(outcome.target.all);
  EXPECT_FALSE(outcome.target.detach);
  EXPECT_EQ(outcome.target.bundle, "/x");
  EXPECT_EQ(outcome.target.tty, true);
}

TEST(Options, SwitchMayBeTurnedOff) {
  EXPECT_EQ(read({"--tty=false"}).target.tty, false);
  EXPECT_EQ(read({"-t=false"}).target.tty, false);
  EXPECT_EQ(read({"--tty"}).target.tty, true);
  EXPECT_EQ(read({}).target.tty, std::nullopt);
  EXPECT_EQ(read({"--tty=maybe"}).error(),
            "invalid value \"maybe\" for --tty: expected true or false");
}

TEST(Options, SwitchDoesNotTakeTheNextWord) {
  Outcome outcome = read({"--detach", "false"});
  EXPECT_TRUE(outcome.target.detach);
  EXPECT_EQ(outcome.parsed->arguments, Views{"false"});
}

TEST(Options, ListsKeepTheOrderInWhichTheOptionWasRepeated) {
  Outcome outcome = read({"-e", "B=1", "--env", "A=2", "-e=C=3", "-g", "7", "--gids=8"});
  EXPECT_EQ(outcome.target.env, (std::vector<std::string>{"B=1", "A=2", "C=3"}));
  EXPECT_EQ(outcome.target.gids, (std::vector<uint32_t>{7, 8}));
}

TEST(Options, ValueMayLookLikeAnOption) {
  EXPECT_EQ(read({"--quota", "-1"}).target.quota, -1);
  EXPECT_EQ(read({"--bundle", "--detach"}).target.bundle, "--detach");
  EXPECT_EQ(read({"--bundle", "-"}).target.bundle, "-");
}

TEST(Options, MissingValueIsSaidInTheWordsThatEnginesLookFor) {
  EXPECT_EQ(read({"--bundle"}).error(), "flag needs an argument: --bundle");
  EXPECT_EQ(read({"-b"}).error(), "flag needs an argument: --bundle");
  EXPECT_EQ(read({"-adb"}).error(), "flag needs an argument: --bundle");
  EXPECT_EQ(read({"-bundle"}).parsed.error().code, kUsage);
}

TEST(Options, UnknownOptionIsNamed) {
  EXPECT_EQ(read({"--nope=1"}).error(), "unknown option \"--nope=1\"");
  EXPECT_EQ(read({"-x"}).error(), "unknown option \"-x\"");
  EXPECT_EQ(read({"-dx"}).error(), "unknown option \"-dx\"");
  EXPECT_EQ(read({"-1"}).error(), "unknown option \"-1\"");
  EXPECT_EQ(read({"--="}).error(), "unknown option \"--=\"");
}

TEST(Options, NumbersThatDoNotFitAreRefused) {
  EXPECT_EQ(read({"--weight", "65536"}).error(),
            "invalid value \"65536\" for --weight: expected a whole number from 0 to 65535");
  EXPECT_NE(read({"--weight", "-1"}).error(), "");
  EXPECT_NE(read({"--weight", "1x"}).error(), "");
  EXPECT_NE(read({"--weight", " 1"}).error(), "");
  EXPECT_NE(read({"--weight="}).error(), "");
  EXPECT_NE(read({"--fds", "-1"}).error(), "");
  EXPECT_NE(read({"--gids", "4294967296"}).error(), "");
  EXPECT_EQ(read({"--quota=-9223372036854775808"}).target.quota, INT64_MIN);
  EXPECT_EQ(read({"--fds", "3"}).target.fds, 3);
}

TEST(Options, MayStandOnBothSidesOfTheArguments) {
  Outcome outcome = read({"c1", "--detach", "x", "-a"});
  EXPECT_TRUE(outcome.target.detach);
  EXPECT_TRUE(outcome.target.all);
  EXPECT_EQ(outcome.parsed->arguments, (Views{"c1", "x"}));
}

TEST(Options, EndAtTheFirstArgumentWhereWhatFollowsBelongsToAnotherProgram) {
  Outcome outcome = read({"-d", "c1", "ls", "--all", "--", "-t"}, Order::options_first);
  EXPECT_TRUE(outcome.target.detach);
  EXPECT_FALSE(outcome.target.all);
  EXPECT_EQ(outcome.parsed->arguments, (Views{"c1", "ls", "--all", "--", "-t"}));
}

TEST(Options, EndAtTwoDashes) {
  Outcome outcome = read({"-d", "--", "--all", "c1"});
  EXPECT_FALSE(outcome.target.all);
  EXPECT_EQ(outcome.parsed->arguments, (Views{"--all", "c1"}));
}

TEST(Options, SingleDashIsAnArgument) { EXPECT_EQ(read({"-"}).parsed->arguments, Views{"-"}); }

TEST(Options, HelpIsRecognisedInAllForms) {
  for (const char* word : {"-h", "--help", "-help", "-dh"}) {
    EXPECT_TRUE(read({word}).parsed->help) << word;
  }
  EXPECT_FALSE(read({"--bundle", "--help"}).parsed->help);
}

}  // namespace
}  // namespace ocirt::cli
