// Pseudoterminals as callers use them: a pair that stands for the user's terminal, and the socket
// over which a runtime hands the master of a container's console to its manager.
#pragma once

#include <string>
#include <string_view>

namespace harness {

// The master end of a pseudoterminal.
class Terminal {
 public:
  // A new pair; slave() is open as well.
  Terminal();
  // Takes over a master.
  explicit Terminal(int master) : master_(master) {}
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  int master() const { return master_; }
  int slave() const { return slave_; }
  // Our copy of the slave must go before the end of the output can be seen.
  void close_slave();

  void type(std::string_view text) const;
  void resize(unsigned short rows, unsigned short columns) const;
  // Collects output until it contains `text`; false when that does not happen in time.
  bool read_until(std::string_view text, int milliseconds = 5000);
  // Forgets what has come in and was not read; does not wait for more.
  void discard() const;
  // Everything read so far, with "\r\n" as the terminal sends it.
  const std::string& seen() const { return seen_; }

 private:
  int master_ = -1, slave_ = -1;
  std::string seen_;
};

// What a manager offers with --console-socket.
class ConsoleSocket {
 public:
  explicit ConsoleSocket(std::string path);
  ConsoleSocket(const ConsoleSocket&) = delete;
  ConsoleSocket& operator=(const ConsoleSocket&) = delete;
  ~ConsoleSocket();

  const std::string& path() const { return path_; }
  // Waits for the message. Throws unless it carries 1 to 4095 bytes and exactly one descriptor,
  // which is what managers insist on. The descriptor is the caller's.
  int receive(int milliseconds = 5000);

 private:
  std::string path_;
  int listener_ = -1;
};

}  // namespace harness
