// The command lines that engines really send, word for word, each with what it has to mean.
#include <gtest/gtest.h>

#include "src/cli/command_options.h"
#include "src/cli/commands.h"
#include "src/cli/globals.h"

namespace ocirt::cli {
namespace {

using container::CgroupManager;
using container::CreateOptions;
using container::ExecOptions;
using container::LogFormat;
using container::Rootless;

// A line without the program's name, parsed as main() does it.
template <class Options>
struct Line {
  explicit Line(std::string text) : words_text(std::move(text)) {
    for (std::string_view word : split(words_text, ' ')) {
      words_storage.emplace_back(word);
    }
    for (const std::string& word : words_storage) words.push_back(word.c_str());
    Result<Parsed> before = parse(global_options(), Order::options_first, &global, words);
    if (!before) {
      error = before.error().text;
      return;
    }
    command = find_command(before->arguments.at(0));
    if (command == nullptr) {
      error = "no such command";
      return;
    }
    std::span<const char* const> rest = words;
    Call call{*command, global, rest.last(before->arguments.size() - 1), {}, {}, {}};
    Result<Parsed> parsed = read_words(call, &options);
    id = call.id;
    if (!parsed) {
      error = parsed.error().text;
      return;
    }
    arguments.assign(parsed->arguments.begin(), parsed->arguments.end());
  }

  std::string words_text;
  std::vector<std::string> words_storage;
  std::vector<const char*> words;
  GlobalArguments global;
  const Command* command = nullptr;
  Options options;
  std::string id;
  std::vector<std::string> arguments;
  std::string error;
};

const std::string kContainerd =
    "--root /run/containerd/runc/k8s.io --log /b/log.json --log-format json ";

TEST(Containerd, Create) {
  Line<CreateOptions> line(kContainerd +
                           "create --bundle /b --pid-file /b/init.pid --console-socket /s "
                           "--no-pivot --no-new-keyring c1");
  ASSERT_EQ(line.error, "");
  EXPECT_EQ(line.command->name, "create");
  EXPECT_EQ(line.global.root, "/run/containerd/runc/k8s.io");
  EXPECT_TRUE(line.global.root_given);
  EXPECT_EQ(line.global.log, "/b/log.json");
  EXPECT_EQ(line.global.log_format, LogFormat::json);
  EXPECT_EQ(line.options.bundle, "/b");
  EXPECT_EQ(line.options.pid_file, "/b/init.pid");
  EXPECT_EQ(line.options.console_socket, "/s");
  EXPECT_TRUE(line.options.no_pivot);
  EXPECT_TRUE(line.options.no_new_keyring);
  EXPECT_EQ(line.id, "c1");
}

TEST(Containerd, CreateWithSystemdCgroup) {
  Line<CreateOptions> line(kContainerd + "--systemd-cgroup create --bundle /b c1");
  ASSERT_EQ(line.error, "");
  EXPECT_TRUE(line.global.systemd_cgroup);
}

TEST(Containerd, Start) {
  Line<NoOptions> line(kContainerd + "start c1");
  EXPECT_EQ(line.error, "");
  EXPECT_EQ(line.id, "c1");
}

TEST(Containerd, ExecHasItsOptionsInThisOrder) {
  Line<ExecOptions> line(
      kContainerd + "exec --process /tmp/p --console-socket /s --detach --pid-file /b/e.pid c1");
  ASSERT_EQ(line.error, "");
  EXPECT_EQ(line.options.process_file, "/tmp/p");
  EXPECT_EQ(line.options.console_socket, "/s");
  EXPECT_TRUE(line.options.detach);
  EXPECT_EQ(line.options.pid_file, "/b/e.pid");
  EXPECT_EQ(line.arguments, std::vector<std::string>{"c1"});
}

TEST(Containerd, KillNumericWithAllBeforeTheId) {
  Line<KillOptions> all(kContainerd + "kill --all c1 9");
  ASSERT_EQ(all.error, "");
  EXPECT_TRUE(all.options.all);
  EXPECT_EQ(all.arguments, (std::vector<std::string>{"c1", "9"}));
  Line<KillOptions> one(kContainerd + "kill c1 9");
  ASSERT_EQ(one.error, "");
  EXPECT_FALSE(one.options.all);
}

TEST(Containerd, Delete) {
  Line<DeleteOptions> line(kContainerd + "delete --force c1");
  ASSERT_EQ(line.error, "");
  EXPECT_TRUE(line.options.force);
  EXPECT_EQ(line.id, "c1");
  EXPECT_EQ(Line<DeleteOptions>(kContainerd + "delete c1").error, "");
}

TEST(Containerd, PauseResumeState) {
  for (const char* command : {"pause c1", "resume c1", "state c1"}) {
    Line<NoOptions> line(kContainerd + command);
    EXPECT_EQ(line.error, "") << command;
    EXPECT_EQ(line.id, "c1") << command;
  }
}

TEST(Containerd, Ps) {
  Line<PsOptions> line(kContainerd + "ps --format json c1");
  ASSERT_EQ(line.error, "");
  EXPECT_EQ(line.options.format, OutputFormat::json);
  EXPECT_EQ(line.id, "c1");
}

TEST(Containerd, UpdateReadsStandardInput) {
  Line<UpdateOptions> line(kContainerd + "update --resources=- c1");
  ASSERT_EQ(line.error, "");
  EXPECT_EQ(line.options.resources_file, "-");
  EXPECT_EQ(line.id, "c1");
}

TEST(Containerd, ListAndPidfdSocketAndRootless) {
  Line<ListOptions> list("--rootless=false list --format=json");
  ASSERT_EQ(list.error, "");
  EXPECT_EQ(list.options.format, OutputFormat::json);
  EXPECT_EQ(list.global.rootless, Rootless::no);
  Line<CreateOptions> create("create --pidfd-socket /p c1");
  ASSERT_EQ(create.error, "");
  EXPECT_EQ(create.options.pidfd_socket, "/p");
  Line<CreateOptions> rootless("--rootless=true create c1");
  ASSERT_EQ(rootless.error, "");
  EXPECT_EQ(rootless.global.rootless, Rootless::yes);
}

TEST(Containerd, RunWithSingleDashLongOption) {
  Line<CreateOptions> line("run --detach --pid-file /f -no-subreaper --bundle /b c1");
  ASSERT_EQ(line.error, "");
  EXPECT_TRUE(line.options.no_subreaper);
  EXPECT_TRUE(line.options.detach);
  EXPECT_EQ(line.options.bundle, "/b");
}

TEST(Containerd, FeaturesWithoutGlobalOptions) {
  Line<NoOptions> line("features");
  EXPECT_EQ(line.error, "");
  EXPECT_EQ(line.command->rights, Rights::anybody);
}

TEST(Conmon, CreateAndExec) {
  Line<CreateOptions> create(
      "--root /r --log-format=json --log /l --cgroup-manager disabled create --bundle /b "
      "--pid-file "
      "/p --no-pivot --no-new-keyring --preserve-fds 2 --console-socket /s c1");
  ASSERT_EQ(create.error, "");
  EXPECT_EQ(create.global.cgroup_manager, CgroupManager::disabled);
  EXPECT_EQ(create.global.log_format, LogFormat::json);
  EXPECT_EQ(create.options.preserve_fds, 2);
  Line<ExecOptions> exec(
      "--root /r exec --pid-file /p --process /s --detach --preserve-fds 1 --console-socket /c c1");
  ASSERT_EQ(exec.error, "");
  EXPECT_EQ(exec.options.pid_file, "/p");
  EXPECT_EQ(exec.options.process_file, "/s");
  EXPECT_TRUE(exec.options.detach);
  EXPECT_EQ(exec.options.preserve_fds, 1);
}

TEST(Podman, DirectCalls) {
  EXPECT_EQ(Line<NoOptions>("start c1").error, "");
  Line<KillOptions> kill("kill --all c1 37");
  EXPECT_EQ(kill.error, "");
  EXPECT_EQ(kill.arguments, (std::vector<std::string>{"c1", "37"}));
  EXPECT_EQ(Line<DeleteOptions>("delete --force c1").error, "");
  EXPECT_EQ(Line<UpdateOptions>("update --resources=/f c1").options.resources_file, "/f");
}

TEST(Crio, DirectCalls) {
  Line<KillOptions> kill("--root /run/ocirt kill -a c1 15");
  ASSERT_EQ(kill.error, "");
  EXPECT_TRUE(kill.options.all);
  EXPECT_EQ(Line<KillOptions>("kill c1 KILL").arguments, (std::vector<std::string>{"c1", "KILL"}));
  Line<UpdateOptions> update("--root /run/ocirt update --resources - c1");
  ASSERT_EQ(update.error, "");
  EXPECT_EQ(update.options.resources_file, "-");
  EXPECT_EQ(update.id, "c1");
  Line<ExecOptions> exec("--root /run/ocirt exec --process /f c1");
  ASSERT_EQ(exec.error, "");
  EXPECT_EQ(exec.id, "c1");
}

TEST(Probes, CommandsThatAreNotThereAreKnownByName) {
  for (const char* name : {"checkpoint", "restore"}) {
    const Command* command = find_command(name);
    ASSERT_NE(command, nullptr) << name;
    EXPECT_EQ(command->run, nullptr) << name;
  }
}

TEST(People, ExecLeavesTheCommandsOwnOptionsAlone) {
  Line<ExecOptions> line("exec -t -e A=1 --env B=2 -u 1000:1001 -g 5 -c CAP_KILL c1 ls -l --all");
  ASSERT_EQ(line.error, "");
  EXPECT_EQ(line.options.tty, true);
  EXPECT_EQ(line.options.env, (std::vector<std::string>{"A=1", "B=2"}));
  EXPECT_EQ(line.options.uid, 1000u);
  EXPECT_EQ(line.options.gid, 1001u);
  EXPECT_EQ(line.options.additional_gids, std::vector<uint32_t>{5});
  EXPECT_EQ(line.options.capabilities, std::vector<std::string>{"CAP_KILL"});
  EXPECT_EQ(line.arguments, (std::vector<std::string>{"c1", "ls", "-l", "--all"}));
  EXPECT_EQ(line.command->failure, 255);
}

TEST(People, ExecUserIsWholeNumbersOnly) {
  Line<ExecOptions> alone("exec -u 7 c1 id");
  ASSERT_EQ(alone.error, "");
  EXPECT_EQ(alone.options.uid, 7u);
  EXPECT_EQ(alone.options.gid, std::nullopt);
  for (const char* user : {"root", "1000x", "1:", ":1", "-1", "1:x", "0x1", "1:2:3", "4294967295",
                           "99999999999", "1:4294967296"}) {
    EXPECT_NE(Line<ExecOptions>(cat("exec -u ", user, " c1 id")).error, "") << user;
  }
  EXPECT_NE(Line<ExecOptions>("exec --user= c1 id").error, "");
}

TEST(People, UpdateTakesSizesWithUnits) {
  Line<UpdateOptions> line(
      "update --memory 512m --memory-swap -1 --cpu-quota -1 --cpu-share 512 --pids-limit 20 "
      "--cpuset-cpus 0-1 --blkio-weight 300 c1");
  ASSERT_EQ(line.error, "");
  EXPECT_EQ(line.options.memory, 512 << 20);
  EXPECT_EQ(line.options.memory_swap, -1);
  EXPECT_EQ(line.options.cpu_quota, -1);
  EXPECT_EQ(line.options.cpu_shares, 512u);
  EXPECT_EQ(line.options.pids, 20);
  EXPECT_EQ(line.options.cpuset_cpus, "0-1");
  EXPECT_EQ(line.options.block_io_weight, 300);
}

TEST(People, OptionsMayFollowTheId) {
  Line<DeleteOptions> line("delete c1 --force");
  ASSERT_EQ(line.error, "");
  EXPECT_TRUE(line.options.force);
}

TEST(People, WrongNumbersOfArgumentsAreRefused) {
  EXPECT_EQ(Line<CreateOptions>("create").error, "an argument is missing, expected ID");
  EXPECT_EQ(Line<NoOptions>("state a b").error, "unexpected argument \"b\"");
  EXPECT_EQ(Line<ListOptions>("list x").error, "unexpected argument \"x\"");
  EXPECT_EQ(Line<KillOptions>("kill c1 9 x").error, "unexpected argument \"x\"");
}

TEST(People, UnknownWordsOfAChoiceAreAnsweredWithTheKnownOnes) {
  EXPECT_EQ(Line<ListOptions>("--log-format xml list").error,
            "invalid value \"xml\" for --log-format: expected one of json, text");
  EXPECT_EQ(Line<ListOptions>("list -f yaml").error,
            "invalid value \"yaml\" for --format: expected one of json, table");
}

}  // namespace
}  // namespace ocirt::cli
