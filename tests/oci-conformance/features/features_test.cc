// features.md and features-linux.md: what the document lists, the runtime has to recognise. Each
// list is taken from the document itself, so that a word that is only claimed is found out.
#include <algorithm>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class FeaturesDocument : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    if (!runtime.run({"features"}).ok()) GTEST_SKIP() << "the runtime has no command features";
    features_ = features();
  }
  std::vector<std::string> listed(const std::string& path) const {
    const Json* list = features_.find(path);
    return list == nullptr ? std::vector<std::string>() : list->strings();
  }
  // What the runtime says of the bundle with this value; "" when it runs.
  std::string complaint_about(const std::string& path, const std::string& json) {
    bundle.set(path, json).shell("true");
    Container container(runtime, bundle);
    const Outcome outcome = container.run();
    bundle.remove(path);
    return outcome.ok() ? "" : outcome.err + outcome.out;
  }
  Json features_;
};

// The host may lack what the runtime knows. Then the message is not about the word itself.
void expect_known(const std::string& word, const std::string& complaint) {
  for (const char* unknown : {"unknown", "expected one of", "must be one of", "invalid value"})
    EXPECT_EQ(std::string::npos, complaint.find(unknown)) << word << ": " << complaint;
}

TEST_F(FeaturesDocument, BothOfItsVersionsAreTaken) {
  SPEC("features.md#specification-version",
       "The runtime MUST accept this value as the ociVersion property of config.json.");
  for (const char* version : {"ociVersionMin", "ociVersionMax"}) {
    const std::string value = features_[version].text();
    ASSERT_NE("", value) << version;
    EXPECT_EQ("", complaint_about("ociVersion", "\"" + value + "\"")) << version;
  }
  const std::vector<std::string> least = split(features_["ociVersionMin"].text(), '.');
  const std::vector<std::string> most = split(features_["ociVersionMax"].text(), '.');
  for (size_t i = 0; i < 2; ++i) EXPECT_LE(std::stoi(least.at(i)), std::stoi(most.at(i)));
}

TEST_F(FeaturesDocument, HasNoPropertiesOfItsOwn) {
  SPEC("features.md#specification-version",
       "The feature document MUST NOT contain properties that are not defined in this version.");
  const std::vector<std::string> top = {"ociVersionMin",
                                        "ociVersionMax",
                                        "hooks",
                                        "mountOptions",
                                        "linux",
                                        "annotations",
                                        "potentiallyUnsafeConfigAnnotations"};
  for (const auto& [name, value] : features_.members()) EXPECT_TRUE(contains(top, name)) << name;
  const std::vector<std::string> below = {
      "namespaces", "capabilities", "cgroup",       "seccomp",         "apparmor",
      "selinux",    "intelRdt",     "memoryPolicy", "mountExtensions", "netDevices"};
  for (const auto& [name, value] : features_["linux"].members())
    EXPECT_TRUE(contains(below, name)) << name;
}

TEST_F(FeaturesDocument, SaysThatIdMappingsOfMountsAreUnderstood) {
  SPEC("features-linux.md#mountextensions", "runtimes MUST still set this value to true");
  NEEDS_VERSION("1.2");
  EXPECT_TRUE(features_["linux"]["mountExtensions"]["idmap"]["enabled"].is_true());
}

TEST_F(FeaturesDocument, ItsAnnotationsAreTexts) {
  for (const auto& [name, value] : features_["annotations"].members()) {
    EXPECT_NE("", name);
    EXPECT_TRUE(value.is_string()) << name;
  }
}

TEST_F(FeaturesDocument, ItsHooksAreRun) {
  SPEC("features.md#hooks", "The runtime MUST support the elements in this array.");
  ASSERT_FALSE(listed("hooks").empty());
  for (const std::string& kind : listed("hooks")) {
    const std::string trace = scratch() + "/" + kind;
    // A startContainer hook is the container's, the others are the host's.
    const bool inside = kind == "startContainer";
    const std::string place = inside ? "/trace" : trace;
    bundle.set("hooks", "{\"" + kind +
                            R"(": [{"path": "/bin/sh", "args": ["sh", "-c", "echo ran > )" + place +
                            "\"]}]}");
    bundle.shell("true");
    Container container(runtime, bundle);
    EXPECT_OK(container.run());
    EXPECT_TRUE(exists(inside ? bundle.rootfs("/trace") : trace)) << kind;
  }
}

TEST_F(FeaturesDocument, ItsMountOptionsAreRecognised) {
  SPEC("features.md#mount-options", "The runtime MUST recognize the elements in this array.");
  ASSERT_FALSE(listed("mountOptions").empty());
  make_directories(scratch() + "/source");
  for (const std::string& word : listed("mountOptions")) {
    bundle.without_mount("/x");
    // A bind mount takes no option of a file system, so a word that is not known is refused.
    const bool new_one = word == "tmpcopyup";
    bundle.mount("/x", new_one ? "tmpfs" : "bind", new_one ? "tmpfs" : scratch() + "/source",
                 new_one ? std::vector<std::string>{word} : std::vector<std::string>{"bind", word});
    bundle.shell("true");
    Container container(runtime, bundle);
    const Outcome outcome = container.run();
    EXPECT_EQ(std::string::npos, outcome.err.find("takes no")) << word << outcome;
    expect_known(word, outcome.err);
  }
}

TEST_F(FeaturesDocument, ItsNamespacesAreRecognised) {
  SPEC("features-linux.md#namespaces", "The runtime MUST recognize the elements in this array.");
  ASSERT_FALSE(listed("linux.namespaces").empty());
  for (const std::string& kind : listed("linux.namespaces")) {
    bundle.without_namespace(kind).with_namespace(kind);
    if (kind == "user") {
      const char* const map = R"([{"containerID": 0, "hostID": 0, "size": 1000}])";
      bundle.set("linux.uidMappings", map).set("linux.gidMappings", map);
    }
    bundle.shell("true");
    Container container(runtime, bundle);
    EXPECT_OK(container.run()) << kind;
    if (kind == "user") {
      bundle.without_namespace(kind).remove("linux.uidMappings").remove("linux.gidMappings");
    }
  }
}

TEST_F(FeaturesDocument, ItsCapabilitiesAreRecognised) {
  SPEC("features-linux.md#capabilities", "The runtime MUST recognize the elements in this array.");
  ASSERT_FALSE(listed("linux.capabilities").empty());
  runtime.global = {"--debug"};  // with which the unknown ones are warned of
  for (const std::string& name : listed("linux.capabilities"))
    bundle.append("process.capabilities.bounding", "\"" + name + "\"");
  bundle.shell("true");
  Container container(runtime, bundle);
  const Outcome outcome = container.run();
  EXPECT_OK(outcome);
  expect_known("capabilities", outcome.err);
}

TEST_F(FeaturesDocument, ItsWordsOfSeccompAreRecognised) {
  SPEC("features-linux.md#seccomp",
       "The runtime MUST recognize the elements in this array in the linux.seccomp object.");
  for (const std::string& action : listed("linux.seccomp.actions")) {
    if (action == "SCMP_ACT_NOTIFY") continue;  // needs an agent: SeccompNotify
    expect_known(action,
                 complaint_about("linux.seccomp",
                                 R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": )"
                                 R"(["uselib"], "action": ")" +
                                     action + "\"}]}"));
  }
  for (const std::string& op : listed("linux.seccomp.operators")) {
    expect_known(
        op,
        complaint_about("linux.seccomp",
                        R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["uselib"], )"
                        R"("action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": ")" +
                            op + "\"}]}]}"));
  }
  for (const std::string& arch : listed("linux.seccomp.archs")) {
    expect_known(arch,
                 complaint_about(
                     "linux.seccomp",
                     R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": [")" + arch + "\"]}"));
  }
  for (const char* list : {"linux.seccomp.knownFlags", "linux.seccomp.supportedFlags"}) {
    for (const std::string& flag : listed(list)) {
      const std::string complaint = complaint_about(
          "linux.seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "flags": [")" + flag + "\"]}");
      expect_known(flag, complaint);
      // This one needs a listener, and there is none.
      const bool listens = flag == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";
      if (std::string(list).ends_with("supportedFlags") && !listens) {
        EXPECT_EQ("", complaint);
      }
    }
  }
}

TEST_F(FeaturesDocument, ItsMemoryPoliciesAreRecognised) {
  SPEC("features-linux.md#memorypolicy", "The runtime MUST recognize the elements in this array.");
  for (const std::string& mode : listed("linux.memoryPolicy.modes")) {
    const bool without_nodes = mode == "MPOL_DEFAULT" || mode == "MPOL_LOCAL";
    expect_known(mode, complaint_about("linux.memoryPolicy",
                                       "{\"mode\": \"" + mode +
                                           (without_nodes ? "\"}" : R"(", "nodes": "0"})")));
  }
  for (const std::string& flag : listed("linux.memoryPolicy.flags")) {
    expect_known(flag, complaint_about(
                           "linux.memoryPolicy",
                           R"({"mode": "MPOL_BIND", "nodes": "0", "flags": [")" + flag + "\"]}"));
  }
}

}  // namespace
}  // namespace harness
