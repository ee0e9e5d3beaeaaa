// The tables themselves, and what is made from them.
#include "src/cli/commands.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "src/cli/globals.h"
#include "src/cli/help.h"
#include "src/cli/selection.h"
#include "src/cli/table.h"
#include "src/cli/version.h"

namespace ocirt::cli {
namespace {

void expect_unambiguous(std::span<const Option> options, std::string_view where) {
  std::set<std::string_view> names = {"help"};
  std::set<char> letters = {'h'};
  for (const Option& option : options) {
    EXPECT_TRUE(names.insert(option.name).second) << where << " --" << option.name;
    if (option.letter != 0) {
      EXPECT_TRUE(letters.insert(option.letter).second) << where << " -" << option.letter;
    }
    EXPECT_NE(option.store, nullptr) << where << " --" << option.name;
  }
}

TEST(Commands, HaveUnambiguousOptionsAndAreListedWhenTheyWork) {
  expect_unambiguous(global_options(), "global");
  std::set<std::string_view> names;
  for (const Command* command : commands()) {
    expect_unambiguous(command->options, command->name);
    EXPECT_TRUE(names.insert(command->name).second) << command->name;
    EXPECT_EQ(command->run == nullptr, command->summary.empty()) << command->name;
    EXPECT_LE(command->fewest, command->most) << command->name;
    EXPECT_EQ(find_command(command->name), command);
  }
  EXPECT_EQ(find_command("nope"), nullptr);
}

TEST(Help, OfACommandNamesEveryOptionThatIsNotHidden) {
  for (const Command* command : commands()) {
    std::string help = command_help(*command);
    EXPECT_NE(help.find(cat("ocirt [GLOBAL OPTIONS] ", command->name)), std::string::npos);
    for (const Option& option : command->options) {
      bool shown = help.find(cat("--", option.name, option.placeholder.empty() ? "" : " ",
                                 option.placeholder, " ")) != std::string::npos ||
                   help.find(cat("--", option.name, option.placeholder.empty() ? "" : " ",
                                 option.placeholder, "\n")) != std::string::npos;
      EXPECT_EQ(shown, !option.help.empty()) << command->name << " --" << option.name;
    }
  }
}

TEST(Help, OfTheProgramNamesEveryCommandThatWorks) {
  std::string help = program_help(commands(), global_options());
  for (const Command* command : commands()) {
    bool shown = help.find(cat("\n  ", command->name, " ")) != std::string::npos;
    EXPECT_EQ(shown, !command->summary.empty()) << command->name;
  }
  EXPECT_NE(help.find("--root DIR"), std::string::npos);
}

TEST(Help, LinesFitATerminal) {
  std::string all = program_help(commands(), global_options());
  for (const Command* command : commands()) all += command_help(*command);
  for (std::string_view line : split(all, '\n')) EXPECT_LE(line.size(), 100u) << line;
}

TEST(Version, StartsWithTheThreeLinesThatEnginesRead) {
  std::string text = version_text();
  std::vector<std::string_view> lines = split(text, '\n');
  ASSERT_GE(lines.size(), 4u);
  EXPECT_EQ(lines[0], cat("ocirt version ", version()));
  EXPECT_EQ(lines[1], cat("commit: ", commit()));
  EXPECT_EQ(lines[2], "spec: 1.3.0");
}

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"ID", "PID"});
  table.add({"a-rather-long-id", "7"});
  table.add({"b", "8"});
  EXPECT_EQ(table.text(),
            "ID                 PID\n"
            "a-rather-long-id   7\n"
            "b                  8\n");
}

TEST(Selection, ExpressionMatchesAnywhereUnlessAnchored) {
  std::vector<std::string> ids = {"pod1-a", "pod1-b", "pod2-a"};
  EXPECT_EQ(*matching(ids, "^pod1"), (std::vector<std::string>{"pod1-a", "pod1-b"}));
  EXPECT_EQ(*matching(ids, "a$"), (std::vector<std::string>{"pod1-a", "pod2-a"}));
  EXPECT_EQ(*matching(ids, "1-(a|c)"), std::vector<std::string>{"pod1-a"});
  EXPECT_TRUE(matching(ids, "x")->empty());
  Result<std::vector<std::string>> wrong = matching(ids, "(");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, kUsage);
}

TEST(Globals, RootIsBelowTheRuntimeDirectoryForOrdinaryUsers) {
  if (::geteuid() == 0) {
    EXPECT_EQ(default_root(), "/run/ocirt");
    return;
  }
  ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  EXPECT_EQ(default_root(), "/run/user/7/ocirt");
}

// podman calls us so for an ordinary user.
TEST(Globals, RootOfAUserNamespaceHasNotTheHostsRun) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "needs root: only root keeps its id without a map by others";
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWUSER) != 0) ::_exit(77);
    const int map = ::open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    if (::write(map, "0 0 1", 5) != 5) ::_exit(78);
    ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    ::unsetenv("USER");
    const bool of_a_user = default_root() == "/run/user/7/ocirt" && is_root_of_a_user();
    ::setenv("USER", "root", 1);
    ::_exit(of_a_user && default_root() == "/run/ocirt" ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "user namespaces cannot be made here";
  EXPECT_EQ(status, 0);
}

TEST(Globals, RootlessIsWhoHasNoRootUnlessItIsSaid) {
  container::GlobalOptions global;
  EXPECT_EQ(container::is_rootless(global), ::geteuid() != 0);
  global.rootless = container::Rootless::no;
  EXPECT_FALSE(container::is_rootless(global));
  global.rootless = container::Rootless::yes;
  EXPECT_TRUE(container::is_rootless(global));
}

}  // namespace
}  // namespace ocirt::cli
