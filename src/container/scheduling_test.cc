#include "src/container/scheduling.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "src/container/exec_settings.h"
#include "src/sys/scheduling.h"

namespace ocirt::container {
namespace {

std::string refusal(const oci::Process& process) {
  Result<Scheduling> drafted = draft_scheduling(process, "process", true);
  return drafted ? "" : drafted.error().text;
}

TEST(SchedulingOfAContainer, ErrorsNameThePropertyAsItIsWritten) {
  oci::Process process;
  process.scheduler = oci::Scheduler{.nice = 40};
  EXPECT_EQ(refusal(process), "process.scheduler.nice: 40 is out of range, -20 to 19");
  process.scheduler.reset();
  process.io_priority = oci::IoPriority{.priority = 9};
  EXPECT_EQ(refusal(process), "process.ioPriority.priority: 9 is out of range, 0 to 7");
  process.io_priority.reset();
  process.exec_cpu_affinity = oci::ExecCpuAffinity{.final = "3-"};
  EXPECT_TRUE(refusal(process).starts_with("process.execCPUAffinity.final: list item \"3-\""));
}

TEST(SchedulingOfAContainer, AffinityIsForExecOnlyButAlwaysChecked) {
  oci::Process process;
  process.exec_cpu_affinity = oci::ExecCpuAffinity{.initial = "0", .final = "1,3"};
  Result<Scheduling> own = draft_scheduling(process, "process", false);
  ASSERT_TRUE(own);
  EXPECT_TRUE(own->initial_cpus.empty());
  EXPECT_TRUE(own->final_cpus.empty());
  Result<Scheduling> further = draft_scheduling(process, "process", true);
  ASSERT_TRUE(further);
  EXPECT_EQ(number_list(further->initial_cpus), "0");
  EXPECT_EQ(number_list(further->final_cpus), "1,3");
  process.exec_cpu_affinity->initial = "x";
  EXPECT_FALSE(draft_scheduling(process, "process", false));
}

TEST(SchedulingOfAContainer, WeAreBackOnOurCpusAfterwards) {
  const std::vector<unsigned long> before = *sys::affinity(0);
  Scheduling scheduling;
  scheduling.initial_cpus.add(static_cast<unsigned>(sched_getcpu()));
  {
    Result<OnInitialCpus> there = move_to_initial_cpus(scheduling);
    ASSERT_TRUE(there);
    NumberSet now{*sys::affinity(0)};
    EXPECT_EQ(now.count(), 1u);
  }
  EXPECT_EQ(*sys::affinity(0), before);
  scheduling.initial_cpus = {};
  scheduling.initial_cpus.add(60000);
  Result<OnInitialCpus> nowhere = move_to_initial_cpus(scheduling);
  ASSERT_FALSE(nowhere);
  EXPECT_TRUE(nowhere.error().text.starts_with(
      "process.execCPUAffinity.initial: run on CPUs 60000: sched_setaffinity: "))
      << nowhere.error().text;
  EXPECT_EQ(*sys::affinity(0), before);
}

TEST(ExecSettings, AreTakenOverWhereTheDocumentIsSilent) {
  oci::Spec spec;
  spec.process.emplace();
  spec.linux.emplace();
  EXPECT_FALSE(has_exec_settings(spec));
  spec.process->selinux_label = "";
  EXPECT_FALSE(has_exec_settings(spec));
  spec.process->apparmor_profile = "box";
  EXPECT_TRUE(has_exec_settings(spec));
  spec.process->selinux_label = "u:r:t:s0";
  spec.process->io_priority = oci::IoPriority{.priority = 1};
  spec.process->scheduler = oci::Scheduler{.nice = 1};
  spec.linux->personality.emplace();

  ExecSettings settings;
  settings.process.selinux_label = "";
  settings.process.scheduler = oci::Scheduler{.nice = 2};
  inherit(settings, oci::Spec(spec));
  EXPECT_EQ(settings.process.apparmor_profile, "box");
  EXPECT_EQ(settings.process.selinux_label, "u:r:t:s0");
  EXPECT_EQ(settings.process.io_priority, spec.process->io_priority);
  EXPECT_EQ(settings.process.scheduler->nice, 2);
  EXPECT_TRUE(settings.personality);
  EXPECT_FALSE(settings.memory_policy);
  spec.process.reset();
  EXPECT_TRUE(has_exec_settings(spec)) << "because of the personality";
}

}  // namespace
}  // namespace ocirt::container
