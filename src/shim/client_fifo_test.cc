#include "src/shim/client_fifo.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "src/base/text.h"
#include "src/sys/fifo.h"
#include "src/sys/file.h"
#include "src/sys/test_directory.h"

namespace ocirt::shim {
namespace {

using namespace std::chrono_literals;

class ClientFifo : public sys::TestDirectory {
 protected:
  ClientFifo() { EXPECT_TRUE(sys::make_fifo(fifo, 0600)); }
  UniqueFd client() { return *sys::open(sys::kCwd, fifo, O_RDONLY | O_NONBLOCK); }
  void come() { ++times; }
  bool comes() {
    for (int i = 0; i < 2000 && times == 0; ++i) EXPECT_TRUE(loop->turn(10ms));
    return times == 1;
  }

  const std::string fifo = cat(path, "/fifo");
  std::unique_ptr<sys::EventLoop> loop = *sys::EventLoop::open();
  AwaitedReader awaited{*loop, Callback<>::to<&ClientFifo::come>(*this)};
  int times = 0;
};

TEST_F(ClientFifo, WhoReadsIsFoundAndNobodyElse) {
  EXPECT_FALSE(open_writer("stdout", fifo)->has_reader);
  const UniqueFd reader = client();
  EXPECT_TRUE(open_writer("stdout", fifo)->has_reader);
}

TEST_F(ClientFifo, WhoWaitsInItsOpenIsFoundToo) {
  std::thread waiting([this] { ::close(::open(fifo.c_str(), O_RDONLY | O_CLOEXEC)); });
  bool found = false;
  for (int i = 0; i < 2000 && !found; ++i) {
    Result<UniqueFd> writer = sys::open(sys::kCwd, fifo, O_WRONLY | O_NONBLOCK);
    found = writer.has_value();
    if (!found) std::this_thread::sleep_for(1ms);
  }
  EXPECT_TRUE(found);
  if (!found) ::close(::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  waiting.join();
}

TEST_F(ClientFifo, WhoComesIsToldOfOnce) {
  const FifoWriter end = *open_writer("stdout", fifo);
  ASSERT_TRUE(awaited.await(end.writer));
  EXPECT_TRUE(loop->turn(5ms));
  EXPECT_EQ(times, 0);
  const UniqueFd reader = client();
  EXPECT_TRUE(comes());
  EXPECT_FALSE(awaited.is_awaited());
  const UniqueFd another = client();
  EXPECT_TRUE(loop->turn(5ms));
  EXPECT_EQ(times, 1);
}

TEST_F(ClientFifo, WhoIsThereAlreadyIsNotAwaited) {
  const FifoWriter end = *open_writer("stdout", fifo);
  const UniqueFd reader = client();
  EXPECT_FALSE(awaited.await(end.writer));
  EXPECT_FALSE(awaited.is_awaited());
}

// A user has only so many of the kernel's watches.
TEST_F(ClientFifo, WhoComesIsAlsoFoundWithoutAWatch) {
  const FifoWriter end = *open_writer("stdout", fifo);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(end.writer.raw());
  ::close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool waits = awaited.await(end.writer);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(waits);
  const UniqueFd reader = client();
  EXPECT_TRUE(comes());
}

TEST_F(ClientFifo, OtherThingsAreRefused) {
  put("file", "x");
  EXPECT_EQ(open_writer("stdout", cat(path, "/file")).error().code, ENOSYS);
  EXPECT_EQ(open_writer("stdout", cat(path, "/none")).error().code, EINVAL);
}

}  // namespace
}  // namespace ocirt::shim
