// For tests: a state directory in /tmp, and containers whose init is a child of the test. What
// `create` would have recorded is written by hand, so that status, kill, delete and list can be
// tested without root, without namespaces and without `create`.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "src/base/text.h"
#include "src/container/record.h"
#include "src/container/store.h"
#include "src/sys/file.h"
#include "src/sys/process.h"
#include "src/sys/socket.h"

namespace ocirt::container {

class StandIn : public testing::Test {
 protected:
  StandIn() : root(::mkdtemp(root_name)), store(*Store::open(root, false)) {}
  ~StandIn() override {
    for (pid_t child : children) {
      ::kill(child, SIGKILL);
      reap(child);
    }
    (void)sys::remove_tree(sys::kCwd, root);
  }
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  // A process that waits for signals; SIGTERM ends it with status 15.
  pid_t start_process() {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    pid_t child = ::fork();
    if (child == 0) {
      ::signal(SIGTERM, [](int number) { ::_exit(number); });
      (void)!::write(ready[1], "x", 1);
      for (;;) ::pause();
    }
    char byte;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
    children.push_back(child);
    return child;
  }

  // Ends a process and waits until it is a zombie, or (`gone`) until its pid is free.
  void end_process(pid_t child, bool gone) {
    ::kill(child, SIGKILL);
    siginfo_t info;
    ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
    if (gone) reap(child);
  }

  bool has_ended(pid_t child, int within_ms = 0) {
    UniqueFd pidfd = *sys::pidfd_open(child);
    return *sys::wait_until_ended(pidfd, within_ms);
  }

  // How a process ended; reaps it.
  int reap(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    std::erase(children, child);
    return status;
  }

  // The record that `create` would have written for this init. Its cgroups are none.
  Record record_of(const std::string& id, pid_t pid) {
    Record record;
    record.oci_version = "1.0.2";
    record.id = id;
    record.pid = pid;
    if (pid != 0) {
      std::optional<sys::ProcessStat> stat = *sys::process_stat(pid);
      record.start_time = stat ? stat->start_time : 1;
    }
    record.bundle = "/bundles/" + id;
    record.rootfs = record.bundle + "/rootfs";
    record.created = "2024-02-29T23:59:59.000000001Z";
    record.owner = 0;
    return record;
  }

  // A container in the store.
  Record add(const std::string& id, pid_t pid) {
    Record record = record_of(id, pid);
    write(record);
    return record;
  }

  void write(const Record& record) {
    NewDirectory made = *store.create(record.id);
    EXPECT_TRUE(made.directory().write(record));
    made.commit();
  }

  // A file in the container's state directory.
  void write_file(const std::string& id, const char* name, std::string_view content) {
    UniqueFd fd = *sys::open(store.fd(), cat(id, "/", name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    EXPECT_TRUE(sys::write_all(fd, name, content));
  }

  Directory find(const std::string& id) { return *store.find(id, Store::Lock::none); }
  bool in_store(const std::string& id) { return sys::exists(store.fd(), id); }

  char root_name[32] = "/tmp/ocirt-state-test-XXXXXX";
  std::string root;
  Store store;
  std::vector<pid_t> children;
};

}  // namespace ocirt::container
