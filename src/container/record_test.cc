#include "src/container/record.h"

#include <gtest/gtest.h>

#include "src/base/text.h"

namespace ocirt::container {
namespace {

Record example() {
  Record record;
  record.oci_version = "1.2.1";
  record.id = "c1";
  record.pid = 4711;
  record.start_time = 18446744073709551615u;
  record.bundle = "/bundles/\"quoted\" \\ and \u00fcml\u00e4ut";
  record.rootfs = "/bundles/c1/rootfs";
  record.created = "2024-02-29T23:59:59.000000001Z";
  record.owner = 4294967295u;
  record.own_pid_namespace = false;
  record.no_new_privileges = true;
  record.exec_inherits = true;
  record.annotations.set("b", "2\n");
  record.annotations.set("a", "");
  record.resctrl = resctrl::Group{"/sys/fs/resctrl/c1", "", true};
  record.cgroup.layout = cgroup::Layout::hybrid;
  record.cgroup.directories = {{"memory", "/sys/fs/cgroup/memory/c1"},
                               {"", "/sys/fs/cgroup/unified/c1"}};
  record.cgroup.shared = true;
  record.systemd_v1 = "/sys/fs/cgroup/systemd/c1";
  return record;
}

std::string error_of(std::string_view json) {
  Result<Record> record = read_record(json);
  return record ? "" : record.error().text;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Record, SurvivesWritingAndReading) {
  Result<Record> back = read_record(write_record(example()));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(*back, example());
}

TEST(Record, WithAUnitOfSystemdSurvivesToo) {
  Record record = example();
  for (cgroup::Bus bus : {cgroup::Bus::system, cgroup::Bus::user}) {
    record.unit = cgroup::Unit{"p-c1.scope", "a-b.slice", bus};
    Result<Record> back = read_record(write_record(record));
    ASSERT_TRUE(back) << back.error().text;
    EXPECT_EQ(*back, record);
  }
  EXPECT_NE(
      error_of(replaced(write_record(record), "\"user\"", "\"other\"")).find("systemdUnit.bus"),
      std::string::npos);
}

TEST(Record, OfEveryLayoutAndWithoutCgroupSurvivesToo) {
  for (cgroup::Layout layout :
       {cgroup::Layout::legacy, cgroup::Layout::hybrid, cgroup::Layout::unified}) {
    Record record;
    record.cgroup.layout = layout;
    Result<Record> back = read_record(write_record(record));
    ASSERT_TRUE(back) << back.error().text;
    EXPECT_EQ(*back, record);
  }
}

TEST(Record, CutShortAtAnyByteIsAnError) {
  std::string whole = write_record(example());
  while (!whole.empty() && whole.back() != '}') whole.pop_back();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(error_of(std::string_view(whole).substr(0, size)), "") << size;
  }
}

TEST(Record, OfAnotherVersionIsRefusedByName) {
  std::string text = write_record(example());
  EXPECT_NE(error_of(replaced(text, "\"version\":1", "\"version\":2")).find("form 2 by another"),
            std::string::npos);
  // Also when it lacks what this version requires.
  EXPECT_NE(error_of("{\"version\":3,\"else\":{}}").find("form 3 by another"), std::string::npos);
}

TEST(Record, WithoutARequiredPropertyIsRefused) {
  std::string text = write_record(example());
  for (const char* name : {"ociVersion", "id", "pid", "startTime", "bundle", "rootfs", "created",
                           "owner", "ownPidNamespace", "noNewPrivileges", "layout", "path"}) {
    std::string without = replaced(text, cat("\"", name, "\""), "\"other\"");
    EXPECT_NE(error_of(without).find(name), std::string::npos) << error_of(without);
  }
}

TEST(Record, WithImpossibleValuesIsRefused) {
  std::string text = write_record(example());
  EXPECT_NE(error_of(replaced(text, "\"pid\":4711", "\"pid\":-1")), "");
  EXPECT_NE(error_of(replaced(text, "\"pid\":4711", "\"pid\":99999999999")), "");
  EXPECT_NE(error_of(replaced(text, "\"hybrid\"", "\"other\"")), "");
}

}  // namespace
}  // namespace ocirt::container
