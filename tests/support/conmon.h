// conmon of the machine, run word for word as CRI-O runs it (internal/oci/runtime_oci.go there):
// what it asks of a runtime is asked by the real program, and what CRI-O reads is read here.
#pragma once

#include <string>

#include "tests/support/runtime.h"

namespace harness {

class Conmon {
 public:
  static bool is_installed();

  // `directory` is this test's; logs, exit files and sockets are made in it.
  Conmon(const Runtime& runtime, Bundle& bundle, std::string directory, std::string id);
  Conmon(const Conmon&) = delete;
  Conmon& operator=(const Conmon&) = delete;
  // Deletes the container by force, as CRI-O does, and waits for conmon's end.
  ~Conmon();

  const std::string& id() const { return id_; }
  // CreateContainer: saves the bundle and returns what conmon says over its sync pipe.
  Json create(const Args& more = {});
  // ExecSync of a process document; returns the same. What it printed is in exec_log().
  Json exec_sync(const std::string& process, const Args& more = {});
  const std::string& exec_log() const { return exec_log_; }

  // The container's log without time stamps: "stdout F text" and so on, a line each.
  std::string log() const;
  // The code in the exit file, once it is there; -1 when it does not come.
  int exit_code() const;
  // What a connection to the attach socket says and hears (a byte of kind, then output).
  void type(const std::string& text) const;
  // A line for conmon's control fifo.
  void control(const std::string& line) const;
  std::string log_path() const { return directory_ + "/log"; }
  std::string pid_file() const { return bundle_.path() + "/pidfile"; }

 private:
  Json run(Args args, bool waits_for_end);

  const Runtime& runtime_;
  Bundle& bundle_;
  std::string directory_, id_, exec_log_;
};

// Lines of conmon's log format without their time stamps; a line without one is "?" and itself.
std::string without_times(const std::string& log);

}  // namespace harness
