// The runtime under test (env RUNTIME, default build/ocirt) and the containers that tests make
// with it. Only the command line that runc, crun and ocirt share is used.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/bundle.h"
#include "tests/support/json.h"
#include "tests/support/process.h"

namespace harness {

using Args = std::vector<std::string>;

class Runtime {
 public:
  // `root` is what --root says; `program` "" means the one under test.
  explicit Runtime(std::string root, std::string program = "");

  const std::string& program() const { return program_; }
  // Basename of the program: the name it should call itself.
  std::string name() const;
  const std::string& root() const { return root_; }

  // PROGRAM --root ROOT $RUNTIME_FLAGS GLOBAL... ARGS...; `base` gives everything else of the
  // command.
  Command command(const Args& args, Command base = {}) const;
  Outcome run(const Args& args, Command base = {}) const;
  // The state document; throws when the command fails.
  Json state(const std::string& id) const;
  // state's status; "" when the container is unknown.
  std::string status(const std::string& id) const;

  Args global;  // flags that go between --root and the command

 private:
  std::string program_, root_;
};

// A container of one bundle with an id of its own. Destruction deletes it by force.
class Container {
 public:
  Container(const Runtime& runtime, Bundle& bundle, std::string id = "");
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;
  ~Container();

  const std::string& id() const { return id_; }

  // Saves the bundle, then `create FLAGS --bundle B ID`. Its stdout and stderr stay open for what
  // the container says, see output().
  Outcome create(const Args& flags = {}, Command base = {});
  Outcome start();
  // Saves the bundle, then `run FLAGS --bundle B ID` to its end.
  Outcome run(const Args& flags = {}, Command base = {});
  // The same, under way.
  Process run_in_background(const Args& flags = {}, Command base = {});
  // create and start, each of which must work.
  void launch(const Args& flags = {}, Command base = {});
  Outcome exec(const Args& command, const Args& flags = {}, Command base = {}) const;
  Outcome exec_shell(std::string_view script, const Args& flags = {}) const;
  Outcome kill(const std::string& signal, const Args& flags = {}) const;
  Outcome remove(const Args& flags = {}) const;

  Json state() const { return runtime_.state(id_); }
  std::string status() const { return runtime_.status(id_); }
  pid_t pid() const;
  // What the container's program said since create.
  std::string output() const { return creator_ ? creator_->output() : std::string(); }
  std::string errors() const { return creator_ ? creator_->errors() : std::string(); }
  // Waits until init has ended; its exit code as its subreaper saw it, -1 when it did not end.
  int wait_for_exit();

  // The container's group in the hierarchy of `controller`.
  std::string cgroup(std::string_view controller) const;
  std::string cgroup_file(std::string_view controller, std::string_view file) const;

 private:
  Args bundle_flags(const char* command, const Args& flags);

  const Runtime& runtime_;
  Bundle& bundle_;
  std::string id_;
  std::unique_ptr<Process> creator_;
};

}  // namespace harness
