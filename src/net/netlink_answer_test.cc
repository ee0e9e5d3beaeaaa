#include "src/net/netlink_answer.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace ocirt::net {
namespace {

// Messages one after the other, where the kernel would put them.
class Datagram {
 public:
  void add(uint16_t type, std::string_view payload) {
    const nlmsghdr header{.nlmsg_len = static_cast<uint32_t>(sizeof(nlmsghdr) + payload.size()),
                          .nlmsg_type = type,
                          .nlmsg_flags = 0,
                          .nlmsg_seq = 7,
                          .nlmsg_pid = 0};
    std::memcpy(bytes_ + size, &header, sizeof header);
    std::memcpy(bytes_ + size + sizeof header, payload.data(), payload.size());
    size += NLMSG_ALIGN(header.nlmsg_len);
  }
  void add_code(uint16_t type, int code, size_t length) {
    std::string payload(length, '\0');
    std::memcpy(payload.data(), &code, std::min(length, sizeof code));
    add(type, payload);
  }
  Result<std::vector<const nlmsghdr*>> read(size_t got) const {
    return messages_in({bytes_, sizeof bytes_}, got);
  }

  size_t size = 0;

 private:
  alignas(nlmsghdr) char bytes_[256] = {};
};

TEST(NetlinkAnswer, HasAllMessagesOfItsDatagram) {
  Datagram answer;
  answer.add(NLMSG_MIN_TYPE, "abcde");
  answer.add_code(NLMSG_DONE, 0, sizeof(int));
  const auto messages = answer.read(answer.size);
  ASSERT_TRUE(messages && messages->size() == 2);
  EXPECT_EQ((*messages)[0]->nlmsg_len, sizeof(nlmsghdr) + 5);
  EXPECT_EQ((*messages)[1]->nlmsg_type, NLMSG_DONE);
  EXPECT_TRUE(answer.read(0)->empty());
}

TEST(NetlinkAnswer, OneThatWasCutIsAnError) {
  Datagram answer;
  answer.add_code(NLMSG_ERROR, -EEXIST, 200);  // the request behind it
  EXPECT_TRUE(answer.read(answer.size));
  const auto cut = answer.read(9000);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, EMSGSIZE);
}

TEST(NetlinkAnswer, OneThatCannotBeReadIsAnError) {
  Datagram answer;
  answer.add(NLMSG_MIN_TYPE, "abcd");
  answer.add(NLMSG_MIN_TYPE, "abcdefgh");
  for (size_t size : {answer.size - 4, answer.size - 8, size_t{10}}) {
    const auto messages = answer.read(size);
    ASSERT_FALSE(messages) << size;
    EXPECT_EQ(messages.error().code, EBADMSG) << size;
  }
  alignas(nlmsghdr) const char zeros[64] = {};
  EXPECT_FALSE(messages_in(zeros, sizeof zeros));
}

TEST(NetlinkAnswer, TellsTheErrorOfARequestAndOfAListThatBrokeOff) {
  Datagram answer;
  answer.add_code(NLMSG_ERROR, -EEXIST, sizeof(nlmsgerr));
  answer.add_code(NLMSG_ERROR, 0, sizeof(nlmsgerr));
  answer.add_code(NLMSG_ERROR, -EEXIST, sizeof(int));  // too short
  answer.add_code(NLMSG_DONE, -EIO, sizeof(int));
  answer.add_code(NLMSG_DONE, 0, sizeof(int));
  answer.add_code(NLMSG_DONE, 0, 0);
  const auto messages = answer.read(answer.size);
  ASSERT_TRUE(messages && messages->size() == 6);
  EXPECT_EQ(*code_in((*messages)[0]), EEXIST);
  EXPECT_EQ(*code_in((*messages)[1]), 0);
  EXPECT_FALSE(code_in((*messages)[2]));
  EXPECT_EQ(*code_in((*messages)[3]), EIO);
  EXPECT_EQ(*code_in((*messages)[4]), 0);
  EXPECT_EQ(*code_in((*messages)[5]), 0);
}

}  // namespace
}  // namespace ocirt::net
