#include "src/linux/scheduling.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace ocirt {
namespace {

using oci::MemoryPolicyFlag;
using oci::MemoryPolicyMode;
using oci::SchedulerFlag;
using oci::SchedulerPolicy;

template <class T>
std::string text(const Result<T>& result) {
  return result ? "accepted" : result.error().text;
}

// Runs `body` in a child: its exit code.
int in_child(const std::function<int()>& body) {
  pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

TEST(Scheduling, TheKernelReadsBackWhatWasAsked) {
  oci::Scheduler wanted;
  wanted.policy = SchedulerPolicy::kBatch;
  wanted.nice = 7;
  wanted.flags = {SchedulerFlag::kResetOnFork};
  auto attributes = scheduler_attributes(wanted);
  ASSERT_TRUE(attributes);
  EXPECT_EQ(in_child([&] {
              if (syscall(SYS_sched_setattr, 0, &*attributes, 0) != 0) return errno;
              SchedulerAttributes got;
              if (syscall(SYS_sched_getattr, 0, &got, sizeof got, 0) != 0) return errno;
              return got.policy == 3 && got.nice == 7 && got.flags == 1 ? 0 : 254;
            }),
            0);
}

TEST(Scheduling, PoliciesAndFlagsHaveTheKernelsNumbers) {
  auto policy = [](SchedulerPolicy p) {
    oci::Scheduler s;
    s.policy = p;
    if (p == SchedulerPolicy::kFifo || p == SchedulerPolicy::kRr) s.priority = 10;
    if (p == SchedulerPolicy::kDeadline) s.runtime = 1000, s.deadline = 2000, s.period = 3000;
    auto out = scheduler_attributes(s);
    return out ? static_cast<int>(out->policy) : -1;
  };
  EXPECT_EQ(policy(SchedulerPolicy::kOther), 0);
  EXPECT_EQ(policy(SchedulerPolicy::kFifo), 1);
  EXPECT_EQ(policy(SchedulerPolicy::kRr), 2);
  EXPECT_EQ(policy(SchedulerPolicy::kBatch), 3);
  EXPECT_EQ(policy(SchedulerPolicy::kIdle), 5);
  EXPECT_EQ(policy(SchedulerPolicy::kDeadline), 6);
  EXPECT_EQ(policy(SchedulerPolicy::kIso), -1);
  oci::Scheduler s;
  uint64_t bit = 1;
  for (auto flag :
       {SchedulerFlag::kResetOnFork, SchedulerFlag::kReclaim, SchedulerFlag::kDeadlineOverrun,
        SchedulerFlag::kKeepPolicy, SchedulerFlag::kKeepParams, SchedulerFlag::kUtilClampMin,
        SchedulerFlag::kUtilClampMax}) {
    s.flags = {flag};
    EXPECT_EQ(scheduler_attributes(s)->flags, bit);
    bit <<= 1;
  }
}

TEST(Scheduling, WhatDoesNotFitThePolicyIsRefusedByName) {
  oci::Scheduler s;
  s.nice = 20;
  EXPECT_EQ(text(scheduler_attributes(s)), "scheduler.nice: 20 is out of range, -20 to 19");
  s.nice = -21;
  EXPECT_NE(text(scheduler_attributes(s)), "accepted");
  s.nice = -20;
  s.priority = 0;
  s.runtime = 0;
  EXPECT_EQ(text(scheduler_attributes(s)), "accepted");
  s.priority = 1;
  EXPECT_TRUE(text(scheduler_attributes(s)).starts_with("scheduler.priority: only"));
  s.policy = SchedulerPolicy::kFifo;
  EXPECT_EQ(text(scheduler_attributes(s)), "accepted");
  s.priority = 100;
  EXPECT_TRUE(text(scheduler_attributes(s)).starts_with("scheduler.priority: 100"));
  s.priority.reset();
  EXPECT_TRUE(text(scheduler_attributes(s)).starts_with("scheduler.priority: 0"));
  s.policy = SchedulerPolicy::kOther;
  s.period = 5;
  EXPECT_TRUE(text(scheduler_attributes(s)).starts_with("scheduler: only SCHED_DEADLINE"));
  s.policy = SchedulerPolicy::kDeadline;
  EXPECT_NE(text(scheduler_attributes(s)), "accepted");
  s.runtime = 2;
  s.deadline = 3;
  EXPECT_EQ(text(scheduler_attributes(s)), "accepted");
  s.deadline = 6;
  EXPECT_NE(text(scheduler_attributes(s)), "accepted");
}

TEST(Scheduling, IoPriorityIsReadBackFromTheKernel) {
  oci::IoPriority wanted{oci::IoPriorityClass::kBestEffort, 6};
  EXPECT_EQ(*io_priority_value(wanted), 2 << 13 | 6);
  EXPECT_EQ(*io_priority_value({oci::IoPriorityClass::kRealtime, 1}), 1 << 13 | 1);
  EXPECT_EQ(*io_priority_value({oci::IoPriorityClass::kIdle, {}}), 3 << 13);
  EXPECT_EQ(in_child([&] {
              int value = *io_priority_value(wanted);
              if (syscall(SYS_ioprio_set, 1, 0, value) != 0) return errno;
              return syscall(SYS_ioprio_get, 1, 0) == value ? 0 : 254;
            }),
            0);
  wanted.priority = 8;
  EXPECT_EQ(text(io_priority_value(wanted)), "ioPriority.priority: 8 is out of range, 0 to 7");
  wanted.priority = -1;
  EXPECT_NE(text(io_priority_value(wanted)), "accepted");
}

TEST(Scheduling, PersonalityHasTwoDomainsAndNoFlags) {
  oci::Personality p;
  EXPECT_NE(text(personality_value(p)), "accepted");
  p.domain = oci::PersonalityDomain::kLinux;
  EXPECT_EQ(*personality_value(p), 0ul);
  p.domain = oci::PersonalityDomain::kLinux32;
  EXPECT_EQ(*personality_value(p), static_cast<unsigned long>(PER_LINUX32));
  p.flags = {"ADDR_NO_RANDOMIZE"};
  EXPECT_TRUE(text(personality_value(p)).starts_with("linux.personality.flags: not supported: "));
}

int apply(const oci::MemoryPolicy& policy) {
  auto arguments = memory_policy_arguments(policy);
  EXPECT_TRUE(arguments) << text(arguments);
  if (!arguments) return -1;
  return in_child([&] {
    const unsigned long* nodes = arguments->nodes.empty() ? nullptr : arguments->nodes.words.data();
    return syscall(SYS_set_mempolicy, arguments->mode, nodes, arguments->max_node) == 0 ? 0 : errno;
  });
}

bool kernel_is_at_least(int major, int minor) {
  utsname kernel{};
  EXPECT_EQ(uname(&kernel), 0);
  int has_major = 0, has_minor = 0;
  EXPECT_EQ(sscanf(static_cast<const char*>(kernel.release), "%d.%d", &has_major, &has_minor), 2);
  return std::pair(has_major, has_minor) >= std::pair(major, minor);
}

TEST(Scheduling, TheKernelAcceptsEveryMemoryPolicyThatIsAccepted) {
  if (syscall(SYS_set_mempolicy, 0, nullptr, 0) != 0 && errno == ENOSYS) GTEST_SKIP() << "no NUMA";
  for (auto mode :
       {MemoryPolicyMode::kBind, MemoryPolicyMode::kInterleave, MemoryPolicyMode::kPreferred,
        MemoryPolicyMode::kPreferredMany, MemoryPolicyMode::kWeightedInterleave}) {
    const bool is_new = mode == MemoryPolicyMode::kWeightedInterleave;
    const int expected = is_new && !kernel_is_at_least(6, 9) ? EINVAL : 0;
    EXPECT_EQ(apply({mode, "0", {}}), expected) << oci::to_string(mode);
    EXPECT_EQ(apply({mode, "0", {MemoryPolicyFlag::kStaticNodes}}), expected)
        << oci::to_string(mode);
  }
  EXPECT_EQ(apply({MemoryPolicyMode::kBind, "0", {MemoryPolicyFlag::kRelativeNodes}}), 0);
  EXPECT_EQ(apply({MemoryPolicyMode::kDefault, {}, {}}), 0);
  EXPECT_EQ(apply({MemoryPolicyMode::kLocal, "", {}}), 0);
  EXPECT_EQ(apply({MemoryPolicyMode::kPreferred, {}, {}}), 0);
}

TEST(Scheduling, MemoryPoliciesThatTheKernelWouldRefuseAreNamed) {
  using enum MemoryPolicyMode;
  EXPECT_NE(text(memory_policy_arguments({{}, "0", {}})), "accepted");
  EXPECT_EQ(text(memory_policy_arguments({kBind, {}, {}})),
            "linux.memoryPolicy.nodes: MPOL_BIND needs at least one node");
  EXPECT_NE(text(memory_policy_arguments({kDefault, "0", {}})), "accepted");
  EXPECT_NE(text(memory_policy_arguments({kLocal, {}, {MemoryPolicyFlag::kStaticNodes}})),
            "accepted");
  EXPECT_NE(text(memory_policy_arguments(
                {kBind, "0", {MemoryPolicyFlag::kStaticNodes, MemoryPolicyFlag::kRelativeNodes}})),
            "accepted");
  EXPECT_NE(text(memory_policy_arguments({kInterleave, "0", {MemoryPolicyFlag::kNumaBalancing}})),
            "accepted");
  EXPECT_EQ(
      text(memory_policy_arguments({kBind, "0-", {}})),
      "linux.memoryPolicy.nodes: list item \"0-\" is neither a number nor a range such as 0-3");
}

TEST(Scheduling, MaxNodeCountsOneMoreThanTheBits) {
  auto arguments = memory_policy_arguments({MemoryPolicyMode::kBind, "0,64", {}});
  ASSERT_TRUE(arguments);
  EXPECT_EQ(arguments->nodes.words.size(), 2u);
  EXPECT_EQ(arguments->max_node, 129ul);
}

}  // namespace
}  // namespace ocirt
