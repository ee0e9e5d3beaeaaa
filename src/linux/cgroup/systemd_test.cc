#include "src/linux/cgroup/systemd.h"

#include <gtest/gtest.h>

#include "src/base/text.h"

namespace ocirt::cgroup {
namespace {

using Values = std::vector<std::string>;

Unit unit_of(const char* path, Bus bus = Bus::system) {
  Result<Unit> unit = parse_unit(path, "c1", bus);
  EXPECT_TRUE(unit) << unit.error().text;
  return unit ? *unit : Unit();
}

std::string refusal_of(const char* path) {
  Result<Unit> unit = parse_unit(path, "c1", Bus::system);
  return unit ? "" : unit.error().text;
}

TEST(Unit, OfAPathInThreePartsIsAScopeInASlice) {
  EXPECT_EQ(unit_of("kubepods.slice:cri:c1"), (Unit{"cri-c1.scope", "kubepods.slice"}));
  EXPECT_EQ(unit_of("kubepods.slice::c1"), (Unit{"c1.scope", "kubepods.slice"}));
  EXPECT_EQ(unit_of("a.slice::a+b").name, "a\\x2bb.scope");
}

TEST(Unit, WithoutASliceIsInTheManagersOwn) {
  EXPECT_EQ(unit_of(":runc:c1").slice, "system.slice");
  EXPECT_EQ(unit_of(":runc:c1", Bus::user).slice, "user.slice");
}

TEST(Unit, WithoutAPathIsNamedAfterTheContainer) {
  EXPECT_EQ(unit_of(""), (Unit{"ocirt-c1.scope", "system.slice"}));
  EXPECT_EQ(parse_unit(std::nullopt, "a+b", Bus::system)->name, "ocirt-a\\x2bb.scope");
}

TEST(Unit, WhoseNameIsASliceIsThatSlice) {
  Unit unit = unit_of("a.slice:ignored:a-b.slice");
  EXPECT_EQ(unit, (Unit{"a-b.slice", "a.slice"}));
  EXPECT_TRUE(unit.is_slice());
}

TEST(Unit, OfAnotherFormIsRefusedWithTheForm) {
  EXPECT_TRUE(refusal_of("/a/b").contains("expected \"SLICE:PREFIX:NAME\""));
  EXPECT_TRUE(refusal_of("a.slice:p:").contains("expected"));
  EXPECT_TRUE(refusal_of("a.slice:p:n:m").contains("expected"));
}

TEST(Unit, WithANameThatSystemdWouldRefuseIsRefused) {
  EXPECT_TRUE(refusal_of("a:p:n").contains("\"a\" is not the name of a slice"));
  EXPECT_TRUE(refusal_of("a--b.slice:p:n").contains("stands between two names"));
  EXPECT_TRUE(refusal_of("a.slice:p:n m").contains("cannot be the name of a systemd unit"));
  EXPECT_TRUE(refusal_of("../x.slice:p:n").contains("linux.cgroupsPath"));
  EXPECT_TRUE(refusal_of("a.slice:p:../n").contains("cannot be the name"));
  EXPECT_TRUE(refusal_of("::-.slice").contains("slice of everything"));
  EXPECT_TRUE(refusal_of(cat("::", std::string(300, 'a')).c_str()).contains("at most 255"));
}

TEST(Slice, IsBelowTheSlicesThatItsNameBeginsWith) {
  EXPECT_EQ(*expand_slice("a.slice"), "/a.slice");
  EXPECT_EQ(*expand_slice("a-b-c.slice"), "/a.slice/a-b.slice/a-b-c.slice");
  EXPECT_EQ(*expand_slice("-.slice"), "/");
  for (const char* name : {"a", ".slice", "a-.slice", "-a.slice", "a/b.slice", ""}) {
    EXPECT_FALSE(expand_slice(name)) << name;
  }
}

TEST(Location, OfAUnitThatIsNamedLikeAFileOfTheKernelHasAnUnderscoreBefore) {
  Host host{Layout::unified, {{"", "/t", "/own"}}};
  EXPECT_EQ(locate_unit(host, {"cpu.scope", "a.slice"}, "/")->directories[0].path,
            "/t/a.slice/_cpu.scope");
  EXPECT_EQ(locate_unit(host, {"...scope", "a.slice"}, "/")->directories[0].path,
            "/t/a.slice/_...scope");
  EXPECT_EQ(*expand_slice("memory-x.slice"), "/_memory.slice/memory-x.slice");
}

TEST(Location, OfAUnitIsBelowTheManagersRoot) {
  Host host{Layout::unified, {{"", "/sys/fs/cgroup", "/own"}}};
  EXPECT_EQ(locate_unit(host, {"x.scope", "a-b.slice"}, "/")->directories[0].path,
            "/sys/fs/cgroup/a.slice/a-b.slice/x.scope");
  EXPECT_EQ(locate_unit(host, {"x.scope", "-.slice"}, "/")->directories[0].path,
            "/sys/fs/cgroup/x.scope");
  EXPECT_EQ(locate_unit(host, {"a-b.slice", "a.slice"}, "/")->directories[0].path,
            "/sys/fs/cgroup/a.slice/a-b.slice");
  EXPECT_EQ(
      locate_unit(host, {"x.scope", "user.slice"}, "/user.slice/u.service")->directories[0].path,
      "/sys/fs/cgroup/user.slice/u.service/user.slice/x.scope");
}

// ---- properties
// -----------------------------------------------------------------------------------

// "Name=values" of each, separated by blanks.
std::string text_of(const Result<std::vector<Property>>& properties) {
  if (!properties) return properties.error().text;
  std::string out;
  for (const Property& property : *properties) {
    out += cat(out.empty() ? "" : " ", property.name, ':', property.signature, '=');
    for (size_t i = 0; i < property.values.size(); ++i) {
      out += cat(i == 0 ? "" : ",", property.values[i]);
    }
  }
  return out;
}

std::string limits(const oci::Resources& resources, Layout layout = Layout::unified) {
  return text_of(limit_properties(layout, resources, {}));
}

TEST(UnitProperties, OfAScopeDelegateItAndOfASliceDoNot) {
  EXPECT_EQ(text_of(unit_properties({"x.scope", "a.slice"}, Layout::unified, "d")),
            "Description:s=d Slice:s=a.slice Delegate:b=true DefaultDependencies:b=false "
            "CollectMode:s=inactive-or-failed MemoryAccounting:b=true CPUAccounting:b=true "
            "TasksAccounting:b=true IOAccounting:b=true");
  const std::string slice =
      text_of(unit_properties({"a-b.slice", "a.slice"}, Layout::unified, "d"));
  EXPECT_TRUE(slice.contains("Wants:as=1,a.slice"));
  EXPECT_FALSE(slice.contains("Delegate"));
}

TEST(UnitProperties, AreWrittenAsFieldsThatEndWithZeroBytes) {
  EXPECT_EQ(to_fields({{"A", "t", {"5"}}, {"B", "as", {"0"}}}),
            std::string("A\0t\0005\0B\0as\0000\0", 13));
}

TEST(LimitProperties, HaveMemoryWithItsSwapTakenApart) {
  oci::Resources resources;
  resources.memory = oci::Memory{.limit = 100, .reservation = 50, .swap = 150};
  EXPECT_EQ(limits(resources), "MemorySwapMax:t=50 MemoryMax:t=100 MemoryLow:t=50");
  resources.memory = oci::Memory{.limit = -1};
  EXPECT_EQ(limits(resources),
            "MemorySwapMax:t=18446744073709551615 MemoryMax:t=18446744073709551615");
}

TEST(LimitProperties, HaveTheQuotaPerSecondInWholePercents) {
  oci::Resources resources;
  resources.cpu = oci::Cpu{.shares = 1024, .quota = 33333, .period = 100000};
  EXPECT_EQ(limits(resources),
            "CPUWeight:t=100 CPUQuotaPerSecUSec:t=340000 CPUQuotaPeriodUSec:t=100000");
  resources.cpu = oci::Cpu{.quota = -1};
  EXPECT_EQ(limits(resources), "CPUQuotaPerSecUSec:t=18446744073709551615");
  resources.cpu = oci::Cpu{.quota = 50000};
  EXPECT_EQ(limits(resources), "CPUQuotaPerSecUSec:t=500000");
}

TEST(LimitProperties, HaveCpusAndNodesAsBits) {
  oci::Resources resources;
  resources.cpu = oci::Cpu{.cpus = "0-1,9", .mems = "0"};
  EXPECT_EQ(limits(resources), "AllowedCPUs:ay=2,3,2 AllowedMemoryNodes:ay=1,1");
  EXPECT_EQ(limits(resources, Layout::legacy), "");
}

TEST(LimitProperties, NeverForbidTheContainerItsFirstTask) {
  oci::Resources resources;
  resources.pids = oci::Pids{0};
  EXPECT_EQ(limits(resources), "TasksMax:t=1");
  resources.pids = oci::Pids{-1};
  EXPECT_EQ(limits(resources), "TasksMax:t=18446744073709551615");
}

TEST(LimitProperties, HaveBlockDevicesByNumber) {
  oci::Resources resources;
  resources.block_io = oci::BlockIo{
      .weight = 10,
      .weight_device = {{.major = 8, .minor = 0, .weight = 1000}},
      .throttle_read_bps_device = {{.major = 8, .minor = 0, .rate = 7}},
      .throttle_write_iops_device = {{.major = 8, .minor = 16, .rate = 0}},
  };
  EXPECT_EQ(limits(resources),
            "IOWeight:t=1 IODeviceWeight:a(st)=1,/dev/block/8:0,10000 "
            "IOReadBandwidthMax:a(st)=1,/dev/block/8:0,7 "
            "IOWriteIOPSMax:a(st)=1,/dev/block/8:16,18446744073709551615");
}

TEST(LimitProperties, HaveWhatUnifiedSaysAndSystemdKnows) {
  oci::Resources resources;
  resources.unified.set("memory.high", "90");
  resources.unified.set("cpu.max", "20000 40000");
  resources.unified.set("hugetlb.2MB.max", "5");
  EXPECT_EQ(limits(resources),
            "MemoryHigh:t=90 CPUQuotaPerSecUSec:t=500000 CPUQuotaPeriodUSec:t=40000");
}

TEST(LimitProperties, OfVersion1HaveItsNames) {
  oci::Resources resources;
  resources.memory = oci::Memory{.limit = 100};
  resources.cpu = oci::Cpu{.shares = 512, .quota = 10000, .period = 50000};
  resources.block_io = oci::BlockIo{.weight = 300};
  EXPECT_EQ(limits(resources, Layout::hybrid),
            "CPUShares:t=512 MemoryLimit:t=100 BlockIOWeight:t=300 CPUQuotaPerSecUSec:t=200000 "
            "CPUQuotaPeriodUSec:t=50000");
}

TEST(LimitProperties, OfAnImpossibleLimitAreItsError) {
  oci::Resources resources;
  resources.memory = oci::Memory{.limit = 100, .swap = 50};
  EXPECT_TRUE(limits(resources).contains("memory"));
  resources.memory.reset();
  resources.cpu = oci::Cpu{.cpus = "3-1"};
  EXPECT_TRUE(limits(resources).contains("linux.resources.cpu.cpus"));
}

// ---- devices
// --------------------------------------------------------------------------------------

constexpr std::string_view kProcDevices =
    "Character devices:\n  1 mem\n136 pts\n\nBlock devices:\n  8 sd\n259 blkext\n";

std::string devices(const std::vector<oci::DeviceCgroup>& rules) {
  return text_of(device_properties(rules, kProcDevices));
}

TEST(DeviceProperties, AllowTheDefaultDevicesAndThoseOfTheConfiguration) {
  const std::string text = devices({{.allow = false},
                                    {.allow = true, .type = "b", .major = 8, .access = "r"},
                                    {.allow = true, .type = "c", .major = 4, .minor = 7}});
  EXPECT_TRUE(text.starts_with("DevicePolicy:s=strict DeviceAllow:a(ss)=0 DeviceAllow:a(ss)="))
      << text;
  for (const char* part :
       {"block-sd,r", "/dev/char/4:7,rwm", "char-pts,rwm", "/dev/char/1:3,rwm"}) {
    EXPECT_TRUE(text.contains(part)) << part << " in " << text;
  }
}

TEST(DeviceProperties, AllowEverythingWhereSystemdHasNoWordsForTheRules) {
  const std::string all = "DevicePolicy:s=auto DeviceAllow:a(ss)=0";
  EXPECT_EQ(devices({{.allow = true}}), all);
  EXPECT_EQ(devices({{.allow = true}, {.allow = false, .type = "c", .major = 1, .minor = 9}}), all);
  EXPECT_EQ(devices({{.allow = true, .type = "c", .major = 77}}), all);  // no driver of that number
  EXPECT_EQ(devices({{.allow = true, .type = "c", .minor = 3}}), all);
}

TEST(DeviceProperties, OfAnUnknownKindAreAnError) {
  EXPECT_TRUE(devices({{.allow = true, .type = "z"}}).contains("linux.resources.devices[0].type"));
}

// ---- annotations
// ----------------------------------------------------------------------------------

std::string annotation(const char* name, const char* value) {
  oci::Map<std::string> annotations;
  annotations.set("something.else", "x");
  annotations.set(cat("org.systemd.property.", name), value);
  return text_of(annotation_properties(annotations));
}

TEST(AnnotationProperties, HaveTheTypeThatTheirTextSays) {
  EXPECT_EQ(annotation("KillSignal", "37"), "KillSignal:i=37");
  EXPECT_EQ(annotation("TimeoutStopUSec", "uint64 5"), "TimeoutStopUSec:t=5");
  EXPECT_EQ(annotation("Some", "@t 0x10"), "Some:t=16");
  EXPECT_EQ(annotation("Some", "-1"), "Some:i=-1");
  EXPECT_EQ(annotation("Some", "1.5"), "Some:d=1.5");
  EXPECT_EQ(annotation("Some", "true"), "Some:b=true");
  EXPECT_EQ(annotation("Some", "'it\\'s'"), "Some:s=it's");
  EXPECT_EQ(annotation("After", "['a.service', \"b\"]"), "After:as=2,a.service,b");
  EXPECT_EQ(annotation("After", "@as []"), "After:as=0");
  EXPECT_EQ(annotation("Bytes", "[byte 1, 2]"), "Bytes:ay=2,1,2");
  EXPECT_EQ(annotation("Pairs", "[('/dev/x', uint64 1)]"), "Pairs:a(st)=1,/dev/x,1");
}

TEST(AnnotationProperties, InSecondsBecomeMicroseconds) {
  EXPECT_EQ(annotation("TimeoutStopSec", "uint64 7"), "TimeoutStopUSec:t=7000000");
  EXPECT_EQ(annotation("TimeoutStopSec", "0.5"), "TimeoutStopUSec:t=500000");
  EXPECT_EQ(annotation("TimeoutStopSec", "12.0000019"), "TimeoutStopUSec:t=12000001");
  EXPECT_TRUE(annotation("TimeoutStopSec", "1e3").contains("not a number of seconds"));
  EXPECT_TRUE(annotation("TimeoutStopSec", "'7'").contains("not a number of seconds"));
  EXPECT_TRUE(annotation("TimeoutStopSec", "-7").contains("not a number of seconds"));
}

TEST(AnnotationProperties, ThatAreNotUnderstoodAreRefusedByName) {
  for (const char* value : {"", "infinity", "[]", "'open", "5 6", "[1", "uint64 -1", "uint64 'x'",
                            "int32 3000000000", "byte 256", "(1)(", "['a', 1]", "@v 5"}) {
    EXPECT_TRUE(annotation("Some", value).starts_with("annotations.org.systemd.property.Some: "))
        << value << ": " << annotation("Some", value);
  }
  EXPECT_TRUE(annotation("a/b", "1").contains("is not the name of a property"));
}

TEST(AnnotationProperties, NestedWithoutEndAreRefused) {
  EXPECT_TRUE(annotation("Some", std::string(100000, '[').c_str()).contains("nested too deeply"));
}

}  // namespace
}  // namespace ocirt::cgroup
