#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/text.h"
#include "src/container/draft_reader.h"
#include "src/linux/capabilities.h"
#include "src/sys/clock.h"
#include "src/sys/credentials.h"

namespace ocirt::container {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DraftProcess : public testing::Test {
 protected:
  DraftProcess() { input.process = &process; }

  Result<DraftReader> draft() {
    Draft made;
    Result<> done = draft_process(made.builder, input, made.warnings);
    if (!done) return std::unexpected(done.error());
    return DraftReader(std::move(made));
  }
  DraftReader read() {
    Result<DraftReader> drafted = draft();
    EXPECT_TRUE(drafted) << drafted.error().text;
    return drafted ? *std::move(drafted) : DraftReader(Draft());
  }
  std::string refusal() {
    Result<DraftReader> drafted = draft();
    return drafted ? "" : drafted.error().text;
  }
  std::vector<std::string> env() {
    DraftReader drafted = read();
    return drafted.texts(drafted.plan().process.env);
  }

  oci::Process process{.args = {"sh", "-c", "exit 1"}, .cwd = "/work dir"};
  ProcessInput input;
};

TEST_F(DraftProcess, SaysWhatWasGiven) {
  process.user = {.uid = 1000, .gid = 1001, .umask = 077, .additional_gids = {5, 6}};
  process.no_new_privileges = true;
  process.oom_score_adj = -5;
  input.create_cwd = true;
  input.preserved_fds = 3;
  DraftReader draft = read();
  const plan::Process& plan = draft.plan().process;
  EXPECT_THAT(draft.texts(plan.args), ElementsAre("sh", "-c", "exit 1"));
  EXPECT_EQ(draft.text(plan.cwd), "/work dir");
  EXPECT_EQ(plan.uid, 1000u);
  EXPECT_EQ(plan.gid, 1001u);
  EXPECT_THAT(draft.list(plan.groups), ElementsAre(5u, 6u));
  EXPECT_EQ(plan.umask, 077u);
  EXPECT_TRUE(plan.no_new_privileges);
  EXPECT_TRUE(plan.set_oom_score);
  EXPECT_EQ(plan.oom_score, -5);
  EXPECT_TRUE(plan.create_cwd);
  EXPECT_EQ(plan.preserved_fds, 3u);
}

TEST_F(DraftProcess, HasSafeDefaults) {
  DraftReader draft = read();
  const plan::Process& plan = draft.plan().process;
  EXPECT_EQ(plan.uid, 0u);
  EXPECT_EQ(plan.umask, 022u);
  EXPECT_FALSE(plan.no_new_privileges);
  EXPECT_FALSE(plan.set_oom_score);
  EXPECT_FALSE(plan.create_cwd);
  EXPECT_FALSE(plan.terminal);
  EXPECT_EQ(plan.bounding | plan.permitted | plan.effective | plan.inheritable | plan.ambient, 0u);
  EXPECT_EQ(plan.rlimits.count, 0u);
  EXPECT_THAT(draft.draft.warnings, IsEmpty());
}

TEST_F(DraftProcess, WithoutArgumentsIsRefused) {
  process.args.clear();
  EXPECT_EQ(refusal(), "process.args: there is nothing to execute");
  input.place = "process.json";
  EXPECT_EQ(refusal(), "process.json.args: there is nothing to execute");
}

TEST_F(DraftProcess, LabelsNeedTheirModule) {
  process.apparmor_profile = process.selinux_label = "";
  EXPECT_EQ(refusal(), "");
  EXPECT_FALSE(wants_labels(process));
  process.apparmor_profile = "box";
  EXPECT_TRUE(wants_labels(process));
  EXPECT_THAT(refusal(), testing::StartsWith("not supported: process.apparmorProfile: \"box\""));
  input.modules.apparmor = true;
  process.selinux_label = "u:r:t:s0:c1,c2";
  EXPECT_THAT(refusal(), testing::StartsWith("not supported: process.selinuxLabel: "));
  input.modules.selinux = true;
  DraftReader draft = read();
  EXPECT_EQ(draft.text(draft.plan().process.apparmor_profile), "box");
  EXPECT_EQ(draft.text(draft.plan().process.selinux_label), "u:r:t:s0:c1,c2");
  process.apparmor_profile = "unconfined";
  input.modules.apparmor = false;
  EXPECT_FALSE(read().plan().process.apparmor_profile.given());
}

// -- environment

TEST_F(DraftProcess, EnvironmentKeepsItsOrder) {
  process.env = {"B=1", "A=2", "PATH=/bin"};
  EXPECT_THAT(env(), ElementsAre("B=1", "A=2", "PATH=/bin"));
}

TEST_F(DraftProcess, LastValueOfAVariableCounts) {
  process.env = {"A=1", "B=2", "A=3", "AB=4", "A="};
  EXPECT_THAT(env(), ElementsAre("B=2", "AB=4", "A="));
}

// A namespace of Kubernetes with 5000 services gives every process seven for each.
TEST_F(DraftProcess, ManyVariablesTakeNoTimeToSpeakOf) {
  for (int i = 0; i < 100'000; ++i) process.env.push_back(cat("A", i, "=1"));
  const int64_t begin = sys::monotonic_ms();
  EXPECT_EQ(env().size(), 100'000u);
  EXPECT_LT(sys::monotonic_ms() - begin, 5000);
}

TEST_F(DraftProcess, EntriesWithoutANameAreLeftAlone) {
  process.env = {"WORD", "WORD", "WORD=1", ""};
  EXPECT_THAT(env(), ElementsAre("WORD", "WORD", "WORD=1", ""));
}

TEST_F(DraftProcess, SocketActivationIsHandedOn) {
  process.env = {"A=1"};
  input.preserved_fds = 4;
  input.listen_fds = 2;
  EXPECT_THAT(env(), ElementsAre("A=1", "LISTEN_FDS=2", "LISTEN_PID=1"));
  input.listen_fds = 0;
  EXPECT_THAT(env(), ElementsAre("A=1"));
}

TEST_F(DraftProcess, SocketActivationTakesThePlaceOfWhatTheConfigurationSays) {
  process.env = {"LISTEN_FDS=9", "A=1", "LISTEN_PID=77"};
  input.preserved_fds = input.listen_fds = 2;
  EXPECT_THAT(env(), ElementsAre("A=1", "LISTEN_FDS=2", "LISTEN_PID=1"));
}

// -- terminal

TEST_F(DraftProcess, TerminalHasItsSize) {
  process.terminal = true;
  process.console_size = {.height = 24, .width = 80};
  const plan::Process plan = read().plan().process;
  EXPECT_TRUE(plan.terminal);
  EXPECT_EQ(plan.rows, 24u);
  EXPECT_EQ(plan.columns, 80u);
  EXPECT_FALSE(plan.attached_terminal);
  input.attached_terminal = true;
  EXPECT_TRUE(read().plan().process.attached_terminal);
}

TEST_F(DraftProcess, WithoutATerminalThereIsNothingToAttachOrToSize) {
  process.console_size = {.height = 24, .width = 80};
  input.attached_terminal = true;
  const plan::Process plan = read().plan().process;
  EXPECT_FALSE(plan.terminal);
  EXPECT_FALSE(plan.attached_terminal);
  EXPECT_EQ(plan.rows, 0u);
}

// -- limits

TEST_F(DraftProcess, LimitsBecomeNumbers) {
  process.rlimits = {{.type = "RLIMIT_NOFILE", .hard = 2048, .soft = 1024},
                     {.type = "RLIMIT_CORE", .hard = UINT64_MAX, .soft = 0}};
  DraftReader draft = read();
  auto limits = draft.list(draft.plan().process.rlimits);
  ASSERT_EQ(limits.size(), 2u);
  EXPECT_EQ(draft.text(limits[0].name), "RLIMIT_NOFILE");
  EXPECT_EQ(limits[0].resource, static_cast<uint32_t>(RLIMIT_NOFILE));
  EXPECT_EQ(limits[0].soft, 1024u);
  EXPECT_EQ(limits[0].hard, 2048u);
  EXPECT_EQ(limits[1].resource, static_cast<uint32_t>(RLIMIT_CORE));
  EXPECT_EQ(limits[1].hard, UINT64_MAX);
}

TEST_F(DraftProcess, UnknownLimitIsRefusedWithItsPlace) {
  process.rlimits = {{.type = "RLIMIT_CORE"}, {.type = "RLIMIT_FROBNICATE"}};
  EXPECT_THAT(refusal(), testing::StartsWith("process.rlimits[1].type: "));
  EXPECT_THAT(refusal(), HasSubstr("RLIMIT_FROBNICATE"));
}

// -- capabilities

constexpr uint64_t bit(int number) { return uint64_t{1} << number; }

// Sets that hold whatever we have ourselves: the rest is tested apart.
class DraftCapabilities : public DraftProcess {
 protected:
  void SetUp() override {
    if ((sys::permitted_capabilities() & kOurs) != kOurs)
      GTEST_SKIP() << "needs root: has to have capabilities";
  }
  static constexpr uint64_t kOurs = bit(CAP_CHOWN) | bit(CAP_KILL) | bit(CAP_SETUID);
};

TEST_F(DraftCapabilities, EverySetIsAMaskOfItsOwn) {
  const std::vector<std::string> all = {"CAP_CHOWN", "CAP_KILL", "CAP_SETUID"};
  process.capabilities = oci::Capabilities{.bounding = all,
                                           .effective = {"CAP_CHOWN"},
                                           .inheritable = {"CAP_KILL"},
                                           .permitted = {"CAP_CHOWN", "CAP_KILL"},
                                           .ambient = {"CAP_KILL"}};
  DraftReader draft = read();
  const plan::Process& plan = draft.plan().process;
  EXPECT_EQ(plan.bounding, kOurs);
  EXPECT_EQ(plan.effective, bit(CAP_CHOWN));
  EXPECT_EQ(plan.inheritable, bit(CAP_KILL));
  EXPECT_EQ(plan.permitted, bit(CAP_CHOWN) | bit(CAP_KILL));
  EXPECT_EQ(plan.ambient, bit(CAP_KILL));
  EXPECT_THAT(draft.draft.warnings, IsEmpty());
}

TEST_F(DraftCapabilities, UnknownNamesAreLeftOutWithAWarning) {
  process.capabilities = oci::Capabilities{.bounding = {"CAP_KILL", "CAP_FUTURE"}};
  DraftReader draft = read();
  EXPECT_EQ(draft.plan().process.bounding, bit(CAP_KILL));
  EXPECT_THAT(
      draft.draft.warnings,
      ElementsAre("process.capabilities.bounding: \"CAP_FUTURE\" is left out: unknown capability"));
}

TEST_F(DraftCapabilities, EffectiveOnesMustBePermitted) {
  process.capabilities =
      oci::Capabilities{.effective = {"CAP_KILL", "CAP_CHOWN"}, .permitted = {"CAP_KILL"}};
  DraftReader draft = read();
  EXPECT_EQ(draft.plan().process.effective, bit(CAP_KILL));
  EXPECT_THAT(
      draft.draft.warnings,
      ElementsAre("process.capabilities.effective: CAP_CHOWN is left out: it is not permitted"));
}

TEST_F(DraftCapabilities, AmbientOnesMustBePermittedAndInheritable) {
  process.capabilities = oci::Capabilities{.inheritable = {"CAP_CHOWN", "CAP_SETUID"},
                                           .permitted = {"CAP_CHOWN", "CAP_KILL"},
                                           .ambient = {"CAP_CHOWN", "CAP_KILL", "CAP_SETUID"}};
  DraftReader draft = read();
  EXPECT_EQ(draft.plan().process.ambient, bit(CAP_CHOWN));
  const char* why = " is left out: it is not both permitted and inheritable";
  EXPECT_THAT(draft.draft.warnings,
              ElementsAre(cat("process.capabilities.ambient: CAP_KILL", why),
                          cat("process.capabilities.ambient: CAP_SETUID", why)));
}

// In a child that has given CAP_KILL up.
TEST_F(DraftCapabilities, OnesThatWeDoNotHaveAreLeftOutWithAWarning) {
  process.capabilities = oci::Capabilities{.bounding = {"CAP_KILL", "CAP_CHOWN"}};
  pid_t child = ::fork();
  if (child == 0) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    if (::syscall(SYS_capget, &header, data) < 0) ::_exit(100);
    const auto kill = static_cast<uint32_t>(bit(CAP_KILL));
    data[0].permitted &= ~kill;
    data[0].effective &= ~kill;
    if (::syscall(SYS_capset, &header, data) < 0) ::_exit(100);
    DraftReader draft = read();
    if (draft.plan().process.bounding != bit(CAP_CHOWN)) ::_exit(1);
    if (draft.draft.warnings.size() != 1) ::_exit(2);
    ::_exit(
        draft.draft.warnings[0] ==
                "process.capabilities.bounding: CAP_KILL is left out: ocirt does not have it itself"
            ? 0
            : 3);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(DraftCapabilities, WarningsNameTheDocumentTheyAreAbout) {
  input.place = "exec";
  process.capabilities = oci::Capabilities{.ambient = {"CAP_X"}};
  EXPECT_THAT(read().draft.warnings,
              ElementsAre("exec.capabilities.ambient: \"CAP_X\" is left out: unknown capability"));
}

}  // namespace
}  // namespace ocirt::container
