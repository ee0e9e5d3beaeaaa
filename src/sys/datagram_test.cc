#include "src/sys/datagram.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/socket.h"
#include "src/sys/test_directory.h"

namespace ocirt::sys {
namespace {

class Datagrams : public TestDirectory {
 protected:
  int open_descriptors() {
    int count = 0;
    for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0;
    return count;
  }
};

TEST_F(Datagrams, ComeWholeAndOneByOne) {
  UniqueFd inbox = *receive_datagrams_at(dir, "s");
  UniqueFd sender = *connect_datagrams(cat(path, "/s"));
  ASSERT_TRUE(send_datagram_within(sender, "first", 0));
  ASSERT_TRUE(send_datagram_within(sender, "", 0));
  EXPECT_EQ(*take_datagram(inbox, 100), "first");
  EXPECT_EQ(*take_datagram(inbox, 100), "");
  EXPECT_EQ(*take_datagram(inbox, 100), std::nullopt);
}

TEST_F(Datagrams, MayBeSentByEverybody) {
  UniqueFd inbox = *receive_datagrams_at(dir, "s");
  EXPECT_EQ(stat(dir, "s")->st_mode & 07777, 0777u);
}

TEST_F(Datagrams, ThatAreTooLongAreEmpty) {
  UniqueFd inbox = *receive_datagrams_at(dir, "s");
  UniqueFd sender = *connect_datagrams(cat(path, "/s"));
  ASSERT_TRUE(send_datagram_within(sender, "READY=1", 0));
  ASSERT_TRUE(send_datagram_within(sender, "READY=1", 0));
  EXPECT_EQ(*take_datagram(inbox, 6), "");
  EXPECT_EQ(*take_datagram(inbox, 7), "READY=1");
}

TEST_F(Datagrams, NeverBringADescriptor) {
  UniqueFd inbox = *receive_datagrams_at(dir, "s");
  UniqueFd sender = *connect_datagrams(cat(path, "/s"));
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  ASSERT_TRUE(send_datagram_within(sender, "FDSTORE=1", 0, write_end));
  write_end.reset();
  const int before = open_descriptors();
  EXPECT_EQ(*take_datagram(inbox, 100), "FDSTORE=1");
  EXPECT_EQ(open_descriptors(), before);
  char byte = 0;
  EXPECT_EQ(::read(read_end.raw(), &byte, 1), 0) << "somebody still holds the other end";
}

TEST_F(Datagrams, ThatNobodyTakesDoNotHoldTheSenderUp) {
  UniqueFd inbox = *receive_datagrams_at(dir, "s");
  UniqueFd sender = *connect_datagrams(cat(path, "/s"));
  Result<> sent;
  for (int i = 0; sent && i < 100000; ++i) sent = send_datagram_within(sender, "x", 0);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, EAGAIN);
  ASSERT_TRUE(take_datagram(inbox, 100));
}

TEST_F(Datagrams, ReachAnAbstractNameExactly) {
  const std::string name = cat("ocirt-datagrams-", ::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  UniqueFd inbox(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(inbox.raw(), reinterpret_cast<sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())),
            0);
  UniqueFd sender = *connect_datagrams(cat("@", name));
  ASSERT_TRUE(send_datagram_within(sender, "READY=1", 0));
  EXPECT_EQ(*take_datagram(inbox, 100), "READY=1");
  EXPECT_EQ(connect_datagrams(cat("@", name, "x")).error().code, ECONNREFUSED);
}

TEST_F(Datagrams, ToNobodyAreAnErrorThatNamesTheSocket) {
  Result<UniqueFd> sender = connect_datagrams(cat(path, "/nobody"));
  ASSERT_FALSE(sender);
  EXPECT_EQ(sender.error().text, cat("connect to ", path, "/nobody: no socket is there"));
  EXPECT_FALSE(connect_datagrams("/" + std::string(107, 'x')));
}

}  // namespace
}  // namespace ocirt::sys
