// `--trace FILE` (ocirt(8)): where the time of a command and of the container's first process goes.
#include <algorithm>

#include "tests/support/fixture.h"

namespace harness {
namespace {

class Trace : public ContainerTest {
 protected:
  Trace() { runtime.global = {"--trace", file()}; }
  std::string file() const { return scratch() + "/trace.json"; }

  // The phases of the process that is called so, in the order in which they began.
  std::vector<std::string> phases(const std::string& process) const {
    const Json trace = Json::parse(read_file(file()));
    std::vector<std::string> names;
    std::string number;
    double end = 0;
    for (const Json& event : trace["traceEvents"].items()) {
      if (event["ph"].text() == "M") {
        number = event["args"]["name"].text() == process ? event["pid"].text() : "";
      } else if (event["pid"].text() == number) {
        const double begin = std::stod(event["ts"].text());
        EXPECT_GE(begin, end - 0.01) << event["name"].text();
        end = begin + std::stod(event["dur"].text());
        names.push_back(event["name"].text());
      }
    }
    return names;
  }

  static bool has(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  }
};

TEST_F(Trace, OfRunHasThePhasesOfOcirtAndTheStepsOfInit) {
  Container container(runtime, bundle);
  ASSERT_OK(container.run());
  const std::vector<std::string> ours = phases("ocirt run");
  for (const char* name :
       {"command line", "read configuration", "decide", "state directory", "cgroup", "seal init",
        "clone", "wait for init", "record", "start", "program runs", "remove"})
    EXPECT_TRUE(has(ours, name)) << name;
  const std::vector<std::string> steps = phases("ocirt-init");
  for (const char* name :
       {"namespaces", "mounts", "masked paths", "pivot", "user", "ready", "exec"})
    EXPECT_TRUE(has(steps, name)) << name;
}

TEST_F(Trace, OfExecHasTheStepsOfBothProcessesOfInit) {
  Container container(runtime, bundle);
  bundle.shell("sleep 100");
  container.launch();
  ASSERT_OK(container.exec({"true"}));
  EXPECT_TRUE(has(phases("ocirt exec"), "find the container"));
  const std::vector<std::string> steps = phases("ocirt-init");
  EXPECT_TRUE(has(steps, "namespaces"));
  EXPECT_TRUE(has(steps, "exec"));
  EXPECT_FALSE(has(steps, "pivot"));
}

TEST_F(Trace, IsWrittenForACommandThatFailsToo) {
  EXPECT_NE(0, runtime.run({"state", "nobody"}).code);
  EXPECT_TRUE(has(phases("ocirt state"), "command line"));
}

TEST_F(Trace, ThatCannotBeWrittenIsAnError) {
  runtime.global = {"--trace", scratch() + "/missing/trace.json"};
  const Outcome outcome = runtime.run({"list"});
  EXPECT_NE(0, outcome.code);
  EXPECT_NE(std::string::npos, outcome.err.find("--trace: open ")) << outcome.err;
}

}  // namespace
}  // namespace harness
