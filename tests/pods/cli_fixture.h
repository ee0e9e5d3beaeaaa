// The fixture of tests that use pods as people do: pod files and the verbs of ocirt-pod. The pods
// have no network (what that does is in tests/pods/net/), so that nothing of the host's is touched.
#pragma once

#include <string>
#include <vector>

#include "src/base/text.h"
#include "tests/pods/pod_fixture.h"
#include "tests/support/workspace.h"

namespace harness {

class PodCli : public PodTest {
 protected:
  PodCli() : name_(new_name()) {
    Bundle image(scratch() + "/image");
    image.shell("true").save("image");
    rootfs_ = scratch() + "/image/rootfs";
  }
  void TearDown() override {
    pod({"rm", "--force", "--time", "0", "--all"});
    EXPECT_EQ(entries(pods_root()), std::vector<std::string>{});
    EXPECT_FALSE(exists("/run/netns/ocirt-" + name_));
    for (const std::string& root : cgroups::roots())
      EXPECT_FALSE(exists(ocirt::cat(root, "/ocirt/", name_)));
    PodTest::TearDown();
  }

  Command command(Args words) {
    Command made;
    made.argv = {program(),
                 "--root",
                 pods_root(),
                 "--state-dir",
                 workspace() + "/pod-state",
                 "--images",
                 scratch() + "/images"};
    made.argv.insert(made.argv.end(), words.begin(), words.end());
    made.directory = scratch();
    return made;
  }
  Outcome pod(Args words, std::string input = {}) {
    Command made = command(std::move(words));
    made.input = std::move(input);
    return run_command(std::move(made));
  }
  static std::string program() {
    const std::string shim = shim_program();
    return shim.substr(0, shim.rfind('/')) + "/ocirt-pod";
  }
  static std::vector<std::string> entries(const std::string& directory) {
    std::vector<std::string> names = names_in(directory);
    std::erase(names, ".lock");
    return names;
  }

  // Writes a pod file, and gives its path. In `containers`, IMAGE is the root file system.
  std::string file(std::string containers, std::string spec = {}, std::string more = {},
                   int grace_seconds = 0) {
    for (size_t at; (at = containers.find("IMAGE")) != std::string::npos;) {
      containers.replace(at, 5, "image: 'rootfs:" + rootfs_ + "'");
    }
    const std::string path = scratch() + "/pod.yaml";
    write_file(path, ocirt::cat("apiVersion: v1\nkind: Pod\nmetadata:\n  name: ", name_,
                                "\n  annotations: {ocirt.pod/network: none}\nspec:\n", spec,
                                "  terminationGracePeriodSeconds: ", grace_seconds,
                                "\n  containers:\n", containers, more));
    return path;
  }
  std::string sleeper() { return file("  - {name: a, IMAGE, command: [sleep, '1000']}\n"); }
  std::string inside(const std::string& container, const std::string& script) {
    const Outcome outcome = pod({"exec", name_ + "/" + container, "sh", "-c", script});
    EXPECT_OK(outcome);
    return trim(outcome.out);
  }

  const std::string name_;
  std::string rootfs_;
};

}  // namespace harness
