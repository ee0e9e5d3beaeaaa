// config-linux.md, "IntelRdt": classes of service of resctrl, refused before anything is made where
// the host has none. What is written to resctrl is tested beside src/linux/resctrl.cc.
#include "tests/support/fixture.h"

namespace harness {
namespace {

class IntelRdt : public ContainerTest {
 protected:
  bool is_there() {
    const Json document = features();
    const Json* enabled = document.find("linux.intelRdt.enabled");
    return enabled != nullptr && enabled->is_true();
  }
};

TEST_F(IntelRdt, WithoutResctrlItIsRefusedBeforeAnythingIsMade) {
  if (is_there()) GTEST_SKIP() << "this host has resctrl";
  Container container(runtime, bundle);
  for (const char* rdt : {"{}", R"({"closID": "gold"})", R"({"enableMonitoring": true})",
                          R"({"l3CacheSchema": "L3:0=f", "memBwSchema": "MB:0=50"})"}) {
    bundle.set("linux.intelRdt", rdt);
    EXPECT_FAILS(container.create(), 1, "not supported: linux.intelRdt: ") << rdt;
    EXPECT_EQ("", container.status());
  }
}

TEST_F(IntelRdt, AContainerWithoutAClassHasNoSchemaToUpdate) {
  bundle.shell("exec sleep 1000");
  Container container(runtime, bundle);
  container.launch();
  EXPECT_FAILS(runtime.run({"update", "--l3-cache-schema", "L3:0=f", container.id()}), 1,
               "has no class of resctrl");
  EXPECT_FAILS(runtime.run({"update", "--mem-bw-schema", "MB:0=50", container.id()}), 1,
               "has no class of resctrl");
  EXPECT_FAILS(runtime.run({"update", "--mem-bw-schema", "50", container.id()}), 1,
               "begins with MB:");
}

TEST_F(IntelRdt, ContainerIsInAClassOfItsOwnWhileItExists) {
  SPEC("config-linux.md#intelrdt", "If closID is not set, runtimes MUST use the container ID.");
  if (!is_there()) GTEST_SKIP() << "this host has no resctrl";
  bundle.set("linux.intelRdt", "{}").shell("exec sleep 1000");
  std::string group;
  {
    Container container(runtime, bundle);
    container.launch();
    group = "/sys/fs/resctrl/" + container.id();
    EXPECT_SAYS(read_file(group + "/tasks"), std::to_string(container.pid()));
  }
  EXPECT_FALSE(exists(group));
}

}  // namespace
}  // namespace harness
