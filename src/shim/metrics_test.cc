#include "src/shim/metrics.h"

#include <gtest/gtest.h>

namespace ocirt::shim {
namespace {

cgroup::Stats some() {
  cgroup::Stats stats;
  stats.cpu.total = 7'000'000;
  stats.cpu.user = 4'000'000;
  stats.cpu.kernel = 3'000'000;
  stats.cpu.percpu = {1, 2};
  stats.cpu.throttled_time = 9000;
  stats.memory.usage = {UINT64_MAX, 5000, 6000, 1};
  stats.memory.raw = {
      {"anon", 1000}, {"inactive_file", 300},         {"total_inactive_file", 400},
      {"pgpgin", 5},  {"workingset_refault_anon", 2}, {"workingset_refault_file", 3}};
  stats.memory.events = {{"oom_kill", 2}, {"oom_group_kill", 9}};
  stats.memory.oom_kills = 2;
  stats.memory.swap_alone = 11;
  stats.memory.swap_alone_limit = UINT64_MAX;
  stats.pids = {3, 0};
  stats.block_io.service_bytes = {{8, 0, "Read", 4096}, {8, 0, "Write", 512}, {8, 16, "Read", 1}};
  stats.block_io.serviced = {{8, 0, "Read", 1}, {8, 16, "Write", 2}};
  stats.hugetlb = {{"2MB", 4, 5, 6}};
  return stats;
}

TEST(Metrics, OfVersion2) {
  const wire::AnyValue value = v2_metrics(some());
  EXPECT_EQ(value.type_url, "io.containerd.cgroups.v2.Metrics");
  auto read = *wire::parse<wire::v2::Metrics>(value.bytes);
  EXPECT_EQ(read->cpu->usage_usec, 7000u);
  EXPECT_EQ(read->cpu->user_usec, 4000u);
  EXPECT_EQ(read->cpu->system_usec, 3000u);
  EXPECT_EQ(read->cpu->throttled_usec, 9u);
  EXPECT_EQ(read->memory->anon, 1000u);
  EXPECT_EQ(read->memory->inactive_file, 300u);
  EXPECT_EQ(read->memory->workingset_refault, 5u);
  EXPECT_EQ(read->memory->usage, 5000u);
  EXPECT_EQ(read->memory->usage_limit, UINT64_MAX);
  EXPECT_EQ(read->memory->max_usage, 6000u);
  EXPECT_EQ(read->memory->swap_usage, 11u);
  EXPECT_EQ(read->memory->swap_limit, UINT64_MAX);
  EXPECT_EQ(read->memory_events->oom_kill, 2u);
  EXPECT_EQ(read->pids->limit, UINT64_MAX);
  ASSERT_EQ(read->io->n_usage, 2u);
  EXPECT_EQ(read->io->usage[0]->rbytes, 4096u);
  EXPECT_EQ(read->io->usage[0]->wbytes, 512u);
  EXPECT_EQ(read->io->usage[0]->rios, 1u);
  EXPECT_EQ(read->io->usage[1]->minor, 16u);
  EXPECT_EQ(read->io->usage[1]->wios, 2u);
  ASSERT_EQ(read->n_hugetlb, 1u);
  EXPECT_EQ(read->hugetlb[0]->current, 4u);
  EXPECT_STREQ(read->hugetlb[0]->pagesize, "2MB");
}

TEST(Metrics, OfVersion2HavePressureWhereTheKernelCountsIt) {
  cgroup::Stats stats = some();
  stats.cpu.psi = cgroup::Pressure{{1234, 250, 5, 42}, {0, 100, 0, 7}};
  stats.memory.psi = cgroup::Pressure{{0, 0, 0, 8}, {}};
  auto read = *wire::parse<wire::v2::Metrics>(v2_metrics(stats).bytes);
  ASSERT_NE(read->cpu->psi, nullptr);
  EXPECT_DOUBLE_EQ(read->cpu->psi->some->avg10, 12.34);
  EXPECT_DOUBLE_EQ(read->cpu->psi->some->avg60, 2.5);
  EXPECT_DOUBLE_EQ(read->cpu->psi->some->avg300, 0.05);
  EXPECT_EQ(read->cpu->psi->some->total, 42u);
  EXPECT_DOUBLE_EQ(read->cpu->psi->full->avg60, 1);
  EXPECT_EQ(read->cpu->psi->full->total, 7u);
  EXPECT_EQ(read->memory->psi->some->total, 8u);
  EXPECT_EQ(read->io->psi, nullptr);
}

TEST(Metrics, HaveTheHostsRdmaAdaptersWhereThereAreAny) {
  RdmaUse use{.current = parse_rdma("mlx4_0 hca_handle=2 hca_object=2000 \nocrdma1 hca_handle=3\n"),
              .limit = parse_rdma("mlx4_0 hca_handle=max hca_object=4000 \n")};
  auto v2 = *wire::parse<wire::v2::Metrics>(v2_metrics(some(), use).bytes);
  ASSERT_NE(v2->rdma, nullptr);
  ASSERT_EQ(v2->rdma->n_current, 2u);
  EXPECT_STREQ(v2->rdma->current[0]->device, "mlx4_0");
  EXPECT_EQ(v2->rdma->current[0]->hca_handles, 2u);
  EXPECT_EQ(v2->rdma->current[0]->hca_objects, 2000u);
  EXPECT_STREQ(v2->rdma->current[1]->device, "ocrdma1");
  ASSERT_EQ(v2->rdma->n_limit, 1u);
  EXPECT_EQ(v2->rdma->limit[0]->hca_handles, UINT32_MAX) << "no limit";
  EXPECT_EQ(v2->rdma->limit[0]->hca_objects, 4000u);
  auto v1 = *wire::parse<wire::v1::Metrics>(v1_metrics(some(), use).bytes);
  ASSERT_EQ(v1->rdma->n_current, 2u);
  EXPECT_EQ(v1->rdma->current[1]->hca_handles, 3u);
  EXPECT_EQ((*wire::parse<wire::v2::Metrics>(v2_metrics(some()).bytes))->rdma, nullptr);
  EXPECT_TRUE(parse_rdma("\nmlx4_0\nmlx4_0 hca_handle=much\n").empty());
}

TEST(Metrics, OfVersion2WithoutTheMemoryControllerHaveNoMemory) {
  cgroup::Stats stats = some();
  stats.memory = {};
  auto read = *wire::parse<wire::v2::Metrics>(v2_metrics(stats).bytes);
  EXPECT_EQ(read->memory, nullptr);
  EXPECT_EQ(read->memory_events, nullptr);
}

TEST(Metrics, OfVersion1) {
  const wire::AnyValue value = v1_metrics(some());
  EXPECT_EQ(value.type_url, "io.containerd.cgroups.v1.Metrics");
  auto read = *wire::parse<wire::v1::Metrics>(value.bytes);
  EXPECT_EQ(read->cpu->usage->total, 7'000'000u);
  EXPECT_EQ(read->cpu->usage->kernel, 3'000'000u);
  ASSERT_EQ(read->cpu->usage->n_per_cpu, 2u);
  EXPECT_EQ(read->cpu->usage->per_cpu[1], 2u);
  EXPECT_EQ(read->memory->usage->usage, 5000u);
  EXPECT_EQ(read->memory->usage->failcnt, 1u);
  EXPECT_EQ(read->memory->total_inactive_file, 400u);
  EXPECT_EQ(read->memory->pg_pg_in, 5u);
  EXPECT_EQ(read->memory_oom_control->oom_kill, 2u);
  EXPECT_EQ(read->pids->current, 3u);
  EXPECT_EQ(read->pids->limit, 0u);
  ASSERT_EQ(read->blkio->n_io_service_bytes_recursive, 3u);
  EXPECT_STREQ(read->blkio->io_service_bytes_recursive[1]->op, "Write");
  ASSERT_EQ(read->n_hugetlb, 1u);
  EXPECT_EQ(read->hugetlb[0]->max, 5u);
}

}  // namespace
}  // namespace ocirt::shim
