// The fixture of tests that use the shim's command line and socket as containerd does, without a
// containerd.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <stdexcept>
#include <string>

#include "src/base/text.h"
#include "src/wire/any.h"
#include "src/wire/service.h"
#include "tests/pods/pod_fixture.h"
#include "tests/support/cgroups.h"

namespace harness {

class ContainerdShim : public PodTest {
 protected:
  void SetUp() override {
    PodTest::SetUp();
    // Held by each such test, so that the last one takes the usual place away.
    usual_ = ::open("/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_EQ(::flock(usual_, LOCK_SH), 0);
    char name[] = "/tmp/ocirt-s-XXXXXX";  // a socket's path is short
    sockets_ = ::mkdtemp(name);
    program_ = scratch() + "/containerd-shim-ocirt-v2";
    ASSERT_EQ(::symlink(shim_program().c_str(), program_.c_str()), 0);
    root_ = scratch() + "/root";
  }
  void TearDown() override {
    for (const std::string& address : addresses_) {
      if (pid_t shim = shim_at(address); shim > 0) ::kill(shim, SIGTERM);
      EXPECT_TRUE(eventually([&] { return shim_at(address) == 0; }));
    }
    remove_tree(sockets_);
    // Of the shims that took the usual place. Nobody may be about to listen there.
    if (::flock(usual_, LOCK_EX | LOCK_NB) == 0) {
      ::rmdir("/run/containerd/s");
      ::rmdir("/run/containerd");
    }
    ::close(usual_);
    PodTest::TearDown();
  }

  // A bundle of this id, whose container sleeps.
  std::string bundle_of(const std::string& id, const std::string& group = "") {
    const std::string path = scratch() + "/bundles/" + id;
    make_directories(path);
    bundle.shell("exec sleep 60")
        .set("linux.cgroupsPath", ocirt::cat("\"", cgroups::test_parent(), "/", id, "\""))
        .keep_cgroups_path()
        .set("root.path", ocirt::cat("\"", bundle.path(), "/rootfs\""));
    if (!group.empty())
      bundle.set("annotations", ocirt::cat(R"({"io.kubernetes.cri.sandbox-id": ")", group, "\"}"));
    bundle.save("c");
    write_file(path + "/config.json", read_file(bundle.path() + "/config.json"));
    return path;
  }
  // What containerd 2.3 and newer write to its standard input.
  std::string params(const std::string& id) const {
    auto options = ocirt::wire::blank<ocirt::wire::RuncOptions>();
    options.root = ocirt::wire::lend(root_);
    const ocirt::wire::AnyValue value = ocirt::wire::any_of(options);
    ocirt::wire::Any any = value.lend();
    ocirt::wire::Rows<ocirt::wire::Extension> rows;
    rows.add().value = &any;
    auto message = ocirt::wire::blank<ocirt::wire::BootstrapParams>();
    message.instance_id = ocirt::wire::lend(id);
    message.namespace_ = ocirt::wire::lend("test");
    message.socket_dir = ocirt::wire::lend(sockets_);
    message.n_extensions = rows.size();
    message.extensions = rows.lend();
    return ocirt::wire::pack(message);
  }
  Command command(const std::string& id, const std::string& bundle_path,
                  const std::string& action) {
    Command command;
    command.argv = {program_,          "-namespace", "test", "-address", "/run/c.sock",
                    "-publish-binary", "/bin/false", "-id",  id,         action};
    command.directory = bundle_path;
    return command;
  }
  Command start_command(const std::string& id, const std::string& bundle_path) {
    Command start = command(id, bundle_path, "start");
    start.input = params(id);
    return start;
  }
  // The address of the shim, or "" and a failure.
  std::string address_in(const Outcome& outcome) {
    EXPECT_OK(outcome);
    EXPECT_EQ(outcome.err, "");
    auto result = ocirt::wire::parse<ocirt::wire::BootstrapResult>(outcome.out);
    if (!result) return "";
    EXPECT_EQ((*result)->version, 3);
    addresses_.insert((*result)->address);
    return (*result)->address;
  }
  std::string start(const std::string& id, const std::string& bundle_path) {
    return address_in(run_command(start_command(id, bundle_path)));
  }

  static std::string path_of(const std::string& address) { return address.substr(7); }
  static ocirt::wire::Client client(const std::string& address) {
    ocirt::Result<ocirt::wire::Client> made = ocirt::wire::Client::connect(path_of(address));
    if (!made) throw std::runtime_error(made.error().text);
    return std::move(*made);
  }
  template <ocirt::wire::Message Response, ocirt::wire::Message Request>
  static std::string ask(const std::string& address, const char* method, const Request& request) {
    auto answer = client(address).call<Response>(ocirt::wire::kTaskV3, method, request,
                                                 std::chrono::seconds(60));
    return answer ? "" : answer.error().text;
  }
  std::string create(const std::string& address, const std::string& id,
                     const std::string& bundle_path) {
    auto request = ocirt::wire::blank<ocirt::wire::CreateTaskRequest>();
    request.id = ocirt::wire::lend(id);
    request.bundle = ocirt::wire::lend(bundle_path);
    return ask<ocirt::wire::CreateTaskResponse>(address, "Create", request);
  }
  // Pid of the shim, 0 when none answers. Any container's Connect says it.
  static pid_t shim_at(const std::string& address) {
    for (const auto& [pid, line] : living_orphans())
      if (line.find("containerd-shim-ocirt-v2") != std::string::npos && listens(pid, address))
        return pid;
    return 0;
  }
  static bool listens(pid_t pid, const std::string& address) {
    std::string inodes;
    // Bound through a descriptor of the directory: the end of the path is what it shows.
    const std::string name = address.substr(address.rfind('/'));
    for (const std::string& line : lines(read_file("/proc/net/unix")))
      if (line.ends_with(name)) inodes += "socket:[" + words(line)[6] + "] ";
    for (const std::string& fd : names_in(ocirt::cat("/proc/", pid, "/fd"))) {
      const std::string target = link_target(ocirt::cat("/proc/", pid, "/fd/", fd));
      if (!target.empty() && inodes.find(target + " ") != std::string::npos) return true;
    }
    return false;
  }
  std::string remove(const std::string& address, const std::string& id) {
    auto kill = ocirt::wire::blank<ocirt::wire::KillRequest>();
    kill.id = ocirt::wire::lend(id);
    kill.signal = SIGKILL;
    (void)ask<ocirt::wire::Empty>(address, "Kill", kill);
    auto wait = ocirt::wire::blank<ocirt::wire::WaitRequest>();
    wait.id = ocirt::wire::lend(id);
    (void)ask<ocirt::wire::WaitResponse>(address, "Wait", wait);
    auto request = ocirt::wire::blank<ocirt::wire::DeleteRequest>();
    request.id = ocirt::wire::lend(id);
    return ask<ocirt::wire::DeleteResponse>(address, "Delete", request);
  }
  std::string shutdown(const std::string& address) {
    return ask<ocirt::wire::Empty>(address, "Shutdown",
                                   ocirt::wire::blank<ocirt::wire::ShutdownRequest>());
  }

  int usual_ = -1;
  std::string sockets_, program_, root_;
  std::set<std::string> addresses_;
};

}  // namespace harness
