// Fifos that a client has made. containerd opens its ends beside its calls, in threads that run
// when the machine lets them: a command may have been executed and have ended before. An open for
// reading then waits for a writer, and when there is none any more neither what was said nor its
// end is ever heard. So the shim looks whether somebody reads before it opens an end itself, and
// where nobody does it stays as the writer until somebody comes.
#pragma once

#include <string>
#include <string_view>

#include "src/base/callback.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/event_loop.h"

namespace ocirt::shim {

// Code EINVAL for a file that is missing (ENOENT is what callers take for the container), ENOSYS
// for another kind of file. `which` is the name of the stream.
Result<> check_fifo(std::string_view which, const std::string& path);

// Both ends of a fifo; neither waits.
struct FifoEnds {
  UniqueFd reader, writer;
};
Result<FifoEnds> open_both(std::string_view which, const std::string& path);

// The end to write to; where nobody reads from it, nobody does afterwards either.
struct FifoWriter {
  UniqueFd writer;
  bool has_reader = false;
};
Result<FifoWriter> open_writer(std::string_view which, const std::string& path);
// One more reader of the fifo behind a descriptor, and one more writer; neither waits.
Result<UniqueFd> open_reader(Fd writer);
Result<UniqueFd> open_writer_again(Fd reader);
// Whether anybody reads from it.
bool has_reader(Fd writer);

// Waits for somebody who reads from a fifo.
class AwaitedReader {
 public:
  // `come` is called once.
  AwaitedReader(sys::EventLoop& loop, Callback<> come);
  AwaitedReader(const AwaitedReader&) = delete;
  AwaitedReader& operator=(const AwaitedReader&) = delete;

  // `writer` outlives this or stop(), and all readers of the fifo are others'. False: somebody
  // reads already, and nothing is waited for.
  bool await(Fd writer);
  void stop();
  bool is_awaited() const { return writer_.valid(); }

 private:
  void look(unsigned ready);
  void look_again() { look(0); }

  sys::EventLoop& loop_;
  Callback<> come_;
  Fd writer_;
  UniqueFd opened_;
  sys::Watch watch_;
  sys::Timer timer_;  // where the kernel tells of no opening
};

}  // namespace ocirt::shim
