// The fixture of the pods' tests: pods made of bundles, their shims, and calls to them. It looks at
// what is there from inside of the containers, and checks that nothing is left behind.
#pragma once

#include <unistd.h>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/pod/paths.h"
#include "src/pod/pod.h"
#include "src/pod/status.h"
#include "src/wire/client.h"
#include "src/wire/messages.h"
#include "tests/support/fixture.h"

namespace harness {

// A pod with one directory of its own. Destruction shuts it down by force.
class TestPod {
 public:
  TestPod(std::string root, std::string name);
  TestPod(const TestPod&) = delete;
  TestPod& operator=(const TestPod&) = delete;
  ~TestPod();

  // Adds a container that runs the script. The value may be changed until save().
  ocirt::pod::Container& add(const std::string& container, std::string_view script,
                             ocirt::pod::Role role = ocirt::pod::Role::kApp);
  // Its bundle, to be changed until save().
  Bundle& bundle(const std::string& container);
  ocirt::pod::Pod pod;

  const std::string& name() const { return pod.name; }
  const ocirt::pod::Layout& layout() const { return layout_; }

  // Writes pod.json and the bundles.
  void save();
  // ocirt-shim --pod DIRECTORY FLAGS...
  Outcome shim(const Args& flags = {});
  // save(), shim(), CreateSandbox; the error, or "".
  std::string create();
  std::string start();
  // create() and start(), which must work.
  void launch();
  std::string stop(uint32_t seconds);
  // ShutdownSandbox; the error, or "".
  std::string shutdown();

  ocirt::pod::PodStatus status();
  const ocirt::pod::ContainerStatus container(const std::string& name);
  // Waits until `holds` is true of the status.
  bool becomes(bool (*holds)(const ocirt::pod::PodStatus&), int milliseconds = 40000);
  bool container_runs(const std::string& name, int milliseconds = 40000);
  // The texts of the lines of a container's log, partial ones joined.
  std::string log(const std::string& container) const;
  bool log_has(const std::string& container, std::string_view part, int milliseconds = 40000) const;
  // Runs a command in a container through the Task service; its exit code and output.
  Outcome exec(const std::string& container, const std::vector<std::string>& args);
  std::string exec_shell(const std::string& container, const std::string& script);

  pid_t shim_pid() const;
  void kill_shim();
  ocirt::wire::Client client();
  std::string events() const;

  template <ocirt::wire::Message Response, ocirt::wire::Message Request>
  ocirt::Result<ocirt::wire::Owned<Response>> call(std::string_view service,
                                                   std::string_view method,
                                                   const Request& request) {
    ocirt::wire::Client to = client();
    return to.call<Response>(service, method, request, std::chrono::seconds(90));
  }

 private:
  std::string root_;
  ocirt::pod::Layout layout_;
  std::vector<std::pair<std::string, std::unique_ptr<Bundle>>> bundles_;
  int execs_ = 0;
};

class PodTest : public ContainerTest {
 protected:
  PodTest();
  // A new name for each pod of this machine.
  std::string new_name();
  std::string pods_root() const { return scratch() + "/pods"; }
};

// A test with one pod, which is gone before it is looked for what is left.
class OnePodTest : public PodTest {
 protected:
  OnePodTest() : own_(std::make_unique<TestPod>(pods_root(), new_name())), pod_(*own_) {}
  void TearDown() override {
    own_.reset();
    PodTest::TearDown();
  }

 private:
  std::unique_ptr<TestPod> own_;

 protected:
  TestPod& pod_;
};

// Does something in a process of its own, which ends with it; 0 when it returns true. A call that
// fails because the shim has been killed is not the test's failure.
template <class Function>
pid_t in_background(Function function) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  bool done = false;
  try {
    done = function();
  } catch (const std::exception&) {
  }
  ::_exit(done ? 0 : 1);
}

// The program under test: beside the runtime.
std::string shim_program();

}  // namespace harness
