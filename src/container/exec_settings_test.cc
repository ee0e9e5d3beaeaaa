#include "src/container/exec_settings.h"

#include <gtest/gtest.h>

#include <utility>

namespace ocirt::container {
namespace {

oci::Spec spec_with_pids(int64_t limit) {
  oci::Spec spec;
  spec.linux.emplace().resources.emplace().pids = oci::Pids{.limit = limit};
  return spec;
}

bool counts_with(oci::Spec spec, ExecSettings settings = {}) {
  inherit(settings, std::move(spec));
  return counts_processes(settings);
}

TEST(ExecSettings, CountProcessesWhereTheContainerHasALimitOrItIsNotKnown) {
  EXPECT_TRUE(counts_processes({}));
  EXPECT_TRUE(counts_with(spec_with_pids(1)));
  EXPECT_FALSE(counts_with(spec_with_pids(-1)));
  EXPECT_FALSE(counts_with({}));
}

TEST(ExecSettings, CountProcessesWhereTheUserHasALimit) {
  const oci::Rlimit limit{.type = "RLIMIT_NPROC", .hard = 10, .soft = 10};
  oci::Spec spec;
  spec.process.emplace().rlimits = {limit};
  EXPECT_TRUE(counts_with(spec));
  ExecSettings settings;
  settings.process.rlimits = {limit};
  EXPECT_TRUE(counts_with({}, std::move(settings)));
}

}  // namespace
}  // namespace ocirt::container
