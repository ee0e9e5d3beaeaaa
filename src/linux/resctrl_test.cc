// Against a directory that stands for resctrl: files appear where the kernel would make them.
#include "src/linux/resctrl.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "src/base/text.h"
#include "src/sys/test_directory.h"

namespace ocirt::resctrl {
namespace {

class ResctrlTest : public sys::TestDirectory {
 protected:
  void make_class(const std::string& name, std::string_view schemata) {
    ASSERT_TRUE(sys::mkdir_parents(cat(path, "/", name, "/mon_groups"), 0700));
    put(cat(name, "/schemata"), schemata);
    put(cat(name, "/tasks"), "");
  }
  std::string content(const std::string& file) {
    return sys::read_file(dir, file).value_or("(missing)");
  }
  std::string refusal(const oci::IntelRdt& rdt) {
    Result<Group> group = locate(path, rdt, "c1");
    return group ? "" : group.error().text;
  }
};

TEST(ResctrlRoot, IsFoundInTheMounts) {
  EXPECT_EQ(root_in_mountinfo("22 1 0:20 / /proc rw - proc proc rw\n"
                              "30 1 0:30 / /mnt/rdt rw,relatime shared:1 - resctrl resctrl rw\n"),
            "/mnt/rdt");
  EXPECT_EQ(root_in_mountinfo("22 1 0:20 / /proc rw - proc proc rw\n"), std::nullopt);
  EXPECT_EQ(root_in_mountinfo("30 1 0:30 /c1 /mnt rw - resctrl resctrl rw\n"), std::nullopt);
}

TEST(ResctrlSchemata, BandwidthTakesThePlaceOfTheOneAmongTheCacheLines) {
  oci::IntelRdt rdt;
  rdt.l3_cache_schema = "L3:0=f\nMB:0=10";
  EXPECT_EQ(schemata_lines(rdt), (std::vector<std::string>{"L3:0=f", "MB:0=10"}));
  rdt.mem_bw_schema = "MB:0=20";
  rdt.schemata = {"L2:0=3"};
  EXPECT_EQ(schemata_lines(rdt), (std::vector<std::string>{"L3:0=f", "MB:0=20", "L2:0=3"}));
  EXPECT_TRUE(schemata_lines({}).empty());
}

TEST_F(ResctrlTest, WithoutTheFileSystemItIsRefused) {
  Result<Group> group = locate(std::nullopt, {}, "c1");
  ASSERT_FALSE(group);
  EXPECT_TRUE(group.error().text.starts_with("not supported: linux.intelRdt: "))
      << group.error().text;
}

TEST_F(ResctrlTest, WithoutAClassIdTheClassIsNamedAfterTheContainerAndItsOwn) {
  Result<Group> group = locate(path, {}, "c1");
  ASSERT_TRUE(group);
  EXPECT_EQ(*group, (Group{cat(path, "/c1"), "", true}));
  make_class("c1", "");
  EXPECT_TRUE(refusal({}).ends_with("/c1 already, which is not this container's"));
}

TEST_F(ResctrlTest, AClassWithoutSchemaHasToBeThere) {
  EXPECT_TRUE(
      refusal({.clos_id = "gold"}).starts_with("linux.intelRdt.closID: there is no class "));
  make_class("gold", "L3:0=ff\n");
  Result<Group> group = locate(path, {.clos_id = "gold", .enable_monitoring = true}, "c1");
  ASSERT_TRUE(group);
  EXPECT_EQ(*group, (Group{cat(path, "/gold"), cat(path, "/gold/mon_groups/c1"), false}));
}

TEST_F(ResctrlTest, ASlashIsTheClassOfEverybodyElse) {
  put("schemata", "L3:0=ff\n");
  put("tasks", "");
  ASSERT_TRUE(sys::mkdir_parents(path + "/mon_groups", 0700));
  Result<Group> group = locate(path, {.clos_id = "/", .enable_monitoring = true}, "c1");
  ASSERT_TRUE(group);
  EXPECT_EQ(*group, (Group{path, cat(path, "/mon_groups/c1"), false}));
  EXPECT_NE(refusal({.clos_id = "/", .schemata = {"L3:0=f"}}), "") << "it is not ours to change";
  Result<Made> made = make(*group);
  ASSERT_TRUE(made);
  put("mon_groups/c1/tasks", "");
  ASSERT_TRUE(enter(*group, 4711));
  EXPECT_EQ(content("tasks"), "4711");
}

TEST_F(ResctrlTest, AClassThatIsThereHasToHaveTheSameSchema) {
  make_class("gold", "    MB:0=100;1=050\n    L3:0=00ff0;1=fffff\n");
  EXPECT_EQ(refusal({.clos_id = "gold", .l3_cache_schema = "L3:1=FFFFF;0=ff0"}), "");
  EXPECT_EQ(refusal({.clos_id = "gold", .mem_bw_schema = "MB:1=50"}), "");
  for (const char* other : {"L3:0=ff", "L3:2=ff", "L2:0=ff", "L3", "L3:0"}) {
    EXPECT_NE(refusal({.clos_id = "gold", .schemata = {other}}).find("with another schema than"),
              std::string::npos)
        << other;
  }
}

TEST_F(ResctrlTest, LinesAndProcessesAreWrittenToTheFilesOfTheGroup) {
  make_class("c1", "");
  ASSERT_TRUE(sys::mkdir_parents(path + "/c1/mon_groups/c1", 0700));
  put("c1/mon_groups/c1/tasks", "");
  const Group group{cat(path, "/c1"), cat(path, "/c1/mon_groups/c1"), true};
  ASSERT_TRUE(configure(group, {"L3:0=f"}));
  EXPECT_EQ(content("c1/schemata"), "L3:0=f\n");
  ASSERT_TRUE(enter(group, 4711));
  EXPECT_EQ(content("c1/tasks"), "4711");
  EXPECT_EQ(content("c1/mon_groups/c1/tasks"), "4711");
}

TEST_F(ResctrlTest, WhatTheKernelSaysOfABadLineIsHandedOn) {
  ASSERT_TRUE(sys::mkdir_parents(path + "/info", 0700));
  put("info/last_cmd_status", "Mask out of range\n");
  Result<> done = configure({cat(path, "/gone"), "", true}, {"L3:0=fffff"});
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().text.starts_with("\"L3:0=fffff\": ")) << done.error().text;
  EXPECT_TRUE(done.error().text.ends_with("(the kernel says: Mask out of range)"));
}

TEST_F(ResctrlTest, WhatIsNotKeptIsUnmadeAndForeignClassesStay) {
  const Group own{cat(path, "/c1"), "", true};
  {
    Result<Made> made = make(own);
    ASSERT_TRUE(made);
    EXPECT_TRUE(sys::exists(dir, "c1"));
  }
  EXPECT_FALSE(sys::exists(dir, "c1"));
  ASSERT_TRUE(sys::mkdir_parents(path + "/gold/mon_groups", 0700));
  const Group shared{cat(path, "/gold"), cat(path, "/gold/mon_groups/c1"), false};
  Result<Made> made = make(shared);
  ASSERT_TRUE(made);
  made->commit();
  EXPECT_TRUE(sys::exists(dir, "gold/mon_groups/c1"));
  ASSERT_TRUE(remove(shared));
  EXPECT_FALSE(sys::exists(dir, "gold/mon_groups/c1"));
  EXPECT_TRUE(sys::exists(dir, "gold"));
  EXPECT_TRUE(remove(shared)) << "what is gone already is no error";
  EXPECT_FALSE(make({cat(path, "/gold"), "", true})) << "an own class is new";
}

}  // namespace
}  // namespace ocirt::resctrl
