// Ownership of file descriptors. UniqueFd owns and closes, Fd borrows. A bare int appears only in
// src/sys/, so a descriptor that leaks or is closed twice does not compile.
#pragma once

#include <unistd.h>

#include <utility>

namespace ocirt {

// A borrowed descriptor: somebody else keeps it open for as long as this is used.
class Fd {
 public:
  constexpr Fd() = default;
  constexpr explicit Fd(int fd) : fd_(fd) {}
  constexpr int raw() const { return fd_; }
  constexpr bool valid() const { return fd_ >= 0; }
  friend constexpr bool operator==(Fd, Fd) = default;

 private:
  int fd_ = -1;
};

// The one owner of a descriptor.
class [[nodiscard]] UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() {
    if (fd_ >= 0) close_unless_leaving(fd_);
  }

  // From here on destructors close nothing: the process is about to end, which closes everything
  // at once. For a command whose answer is known; what others wait for is closed by reset().
  static void leave_open();
  static bool is_leaving();

  // For descriptors whose close nobody waits for: a file that has been read, a copy of what others
  // hold. Where a process has said close_in_groups(), they stay open until close_group(), which
  // takes one call for all that are neighbours, or until the process ends, which takes none. Else
  // each is closed at once.
  void close_later();
  static void close_in_groups();
  static void close_group();

  bool valid() const { return fd_ >= 0; }
  int raw() const { return fd_; }
  operator Fd() const& {
    return Fd(fd_);
  }  // NOLINT(google-explicit-constructor): lending is the point
  operator Fd() const&& = delete;  // a borrowed temporary would be closed already

  // Gives the descriptor up; the caller closes it.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

  // Closes now. Linux releases the descriptor even when close() reports an error, so there is
  // nothing to retry.
  void reset() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }

 private:
  static void close_unless_leaving(int fd);

  int fd_ = -1;
};

void close(const UniqueFd&) = delete;  // an owned descriptor is closed by its owner

}  // namespace ocirt
