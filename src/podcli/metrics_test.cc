#include "src/podcli/metrics.h"

#include <gtest/gtest.h>

#include "src/wire/any.h"

namespace ocirt::podcli {
namespace {

template <wire::Message M>
Metrics read(const M& message) {
  const wire::AnyValue value = wire::any_of(message);
  return *read_metrics(value.lend());
}

Metrics of_v1() {
  auto usage = wire::blank<wire::v1::CPUUsage>();
  usage.total = 7000;
  usage.user = 4000;
  usage.kernel = 3000;
  auto cpu = wire::blank<wire::v1::CPUStat>();
  cpu.usage = &usage;
  auto memory = wire::blank<wire::v1::MemoryStat>();
  auto all = wire::blank<wire::v1::MemoryEntry>();
  all.usage = 5000;
  all.limit = 9223372036854771712u;  // what v1 says when there is none
  memory.usage = &all;
  memory.total_inactive_file = 400;
  auto pids = wire::blank<wire::v1::PidsStat>();
  pids.current = 3;
  wire::Rows<wire::v1::BlkIOEntry> rows;
  for (const char* op : {"Read", "Write", "Total"}) {
    wire::v1::BlkIOEntry& row = rows.add();
    row.op = wire::lend(op);
    row.value = 10;
  }
  auto blkio = wire::blank<wire::v1::BlkIOStat>();
  blkio.n_io_service_bytes_recursive = rows.size();
  blkio.io_service_bytes_recursive = rows.lend();
  auto metrics = wire::blank<wire::v1::Metrics>();
  metrics.cpu = &cpu;
  metrics.memory = &memory;
  metrics.pids = &pids;
  metrics.blkio = &blkio;
  return read(metrics);
}

Metrics of_v2() {
  auto cpu = wire::blank<wire::v2::CPUStat>();
  cpu.usage_usec = 7;
  cpu.user_usec = 4;
  cpu.system_usec = 3;
  auto memory = wire::blank<wire::v2::MemoryStat>();
  memory.usage = 5000;
  memory.usage_limit = UINT64_MAX;
  memory.inactive_file = 400;
  auto pids = wire::blank<wire::v2::PidsStat>();
  pids.current = 3;
  pids.limit = UINT64_MAX;
  wire::Rows<wire::v2::IOEntry> rows;
  wire::v2::IOEntry& row = rows.add();
  row.rbytes = row.wbytes = 10;
  auto io = wire::blank<wire::v2::IOStat>();
  io.n_usage = rows.size();
  io.usage = rows.lend();
  auto metrics = wire::blank<wire::v2::Metrics>();
  metrics.cpu = &cpu;
  metrics.memory = &memory;
  metrics.pids = &pids;
  metrics.io = &io;
  return read(metrics);
}

TEST(PodMetrics, AreTheSameOfBothVersions) {
  EXPECT_EQ(of_v1(), of_v2());
  EXPECT_EQ(metrics_json(of_v2()),
            R"({"cpu":{"usage":7000,"user":4000,"system":3000,"throttled":0},)"
            R"("memory":{"usage":5000,"workingSet":4600,"limit":0,"oomKills":0},)"
            R"("pids":{"current":3,"limit":0},"io":{"readBytes":10,"writeBytes":10}})");
}

TEST(PodMetrics, WhatIsMissingIsZeroAndWhatIsUnknownIsRefused) {
  EXPECT_EQ(read(wire::blank<wire::v1::Metrics>()), Metrics());
  EXPECT_EQ(read(wire::blank<wire::v2::Metrics>()), Metrics());
  const wire::AnyValue other{"some.other.Type", ""};
  EXPECT_FALSE(read_metrics(other.lend()));
}

}  // namespace
}  // namespace ocirt::podcli
