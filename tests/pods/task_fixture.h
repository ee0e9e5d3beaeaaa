// The fixture of tests of the Task service: a shim without a pod, as containerd has it, one bundle,
// and one call for each method. Answers are as they come: what callers decide by is their code and
// text.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "src/base/fd.h"
#include "src/shim/rootfs_mounts.h"
#include "src/wire/any.h"
#include "src/wire/messages.h"
#include "src/wire/service.h"
#include "src/wire/status.h"
#include "tests/pods/pod_fixture.h"
#include "tests/pods/raw_client.h"

namespace harness {

// A fifo with a reader, as containerd makes one for each stream.
class Fifo {
 public:
  explicit Fifo(const std::string& path);
  const std::string& path() const { return path_; }
  // Everything until its writers have gone; fails the test when they have not after a minute.
  std::string read_to_end();
  // What is there until `part` is among it.
  std::string read_until(std::string_view part);
  void close_reader() { reader_.reset(); }
  void open_reader();
  // As containerd does it: the open waits until there is a writer.
  void open_waiting_reader();
  ocirt::Fd reader() const { return reader_; }

 private:
  std::string path_;
  ocirt::UniqueFd reader_;
};

class TaskTest : public PodTest {
 protected:
  struct Creation {
    std::string id = "c", bundle = {};  // the fixture's, unless said
    bool terminal = false;
    std::string in = {}, out = {}, err = {};
    std::vector<ocirt::shim::RootfsMount> rootfs = {};
    ocirt::wire::AnyValue options = {};
    std::chrono::nanoseconds timeout = {};
  };
  struct Exec {
    std::string id = "e";
    std::vector<std::string> args = {"true"};
    bool terminal = false;
    std::string in = {}, out = {}, err = {};
  };

  void SetUp() override;
  // Shutdown, after which the shim has to end.
  void TearDown() override;

  ocirt::wire::Answer create() { return create(Creation()); }
  ocirt::wire::Answer create(const Creation& creation);
  ocirt::wire::Answer exec(const Exec& exec);
  // Start, Delete, State, Wait: of a container, or of an exec in it.
  ocirt::wire::Answer ask(std::string_view method, const std::string& exec_id = "",
                          const std::string& id = "c");
  ocirt::wire::Answer kill(int signal, const std::string& exec_id = "", bool all = false);
  ocirt::wire::Answer update(const std::string& json);
  ocirt::wire::Answer resize(uint32_t width, uint32_t height, const std::string& exec_id = "");
  ocirt::wire::Answer close_input(const std::string& exec_id = "");
  // Create and Start, which must work.
  void launch() { launch(Creation()); }
  void launch(const Creation& creation);
  // Wait's exit status, or -1; State's status, or -1.
  int wait(const std::string& exec_id = "", const std::string& id = "c");
  int status(const std::string& exec_id = "", const std::string& id = "c");
  // Of the container's init.
  pid_t pid(const std::string& id = "c");
  // Kills and deletes it.
  void finish(const std::string& id = "c");

  template <ocirt::wire::Message M>
  static ocirt::wire::Owned<M> read(const ocirt::wire::Answer& answer) {
    EXPECT_EQ(answer.code, ocirt::wire::Code::kOk) << answer.text;
    return *ocirt::wire::parse<M>(answer.payload);
  }
  std::string socket() const { return pod_->layout().socket(); }
  pid_t shim() const { return pod_->shim_pid(); }
  // A call on a connection of its own.
  template <ocirt::wire::Message M>
  ocirt::wire::Answer call(std::string_view method, const M& request) {
    RawClient client(socket());
    return client.call(ocirt::wire::kTaskV2, method, request);
  }
  static std::string state_request(const std::string& id, const std::string& exec_id = "");
  // Private_Dirty of the shim, KiB; how many descriptors it has.
  long private_kilobytes() const;
  size_t descriptors() const;
  // Mounts of this namespace at or below the path.
  static std::vector<std::string> mounted_below(const std::string& path);

  std::unique_ptr<TestPod> pod_;
};

}  // namespace harness
