// The end of a daemon at which its shims' events arrive. It is a process of its own: callers wait
// for answers of the shim, which wait for nobody.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace harness {

class EventReceiver {
 public:
  // Listens on DIRECTORY/NAME. Processes whose exits are to be told apart have the ids r0, r1, ...
  EventReceiver(const std::string& directory, const std::string& name, int rounds);
  EventReceiver(const EventReceiver&) = delete;
  EventReceiver& operator=(const EventReceiver&) = delete;
  ~EventReceiver();

  const std::string& socket() const { return socket_; }
  // How often the exit of r<round> has been told, and with which status the last time.
  int times(int round) const { return heard_[round].times; }
  int status(int round) const { return heard_[round].status; }
  // Events of any kind.
  long all() const { return heard_[rounds_].status; }

 private:
  struct Heard {
    volatile int times, status;
  };
  [[noreturn]] void receive(const std::string& directory, const std::string& name);

  std::string socket_;
  int rounds_;
  Heard* heard_;  // shared with the process
  pid_t pid_ = -1;
};

}  // namespace harness
