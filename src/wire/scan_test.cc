#include "src/wire/scan.h"

#include <gtest/gtest.h>

#include <string>

#include "src/wire/messages.h"

namespace ocirt::wire {
namespace {

using namespace std::string_literals;

TEST(Scan, KnowsUtf8) {
  for (std::string_view good :
       {"", "plain", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "h\xc3\xa9!"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (std::string_view bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf",
                               "\xe0\xa0", "\xe2\x82\x41", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                               "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

Result<> scan_request(std::string_view bytes) {
  return scan(*MessageInfo<ttrpc::Request>::kDescriptor, bytes);
}

TEST(Scan, PassesAllKindsOfFields) {
  // A varint, 8 bytes, 4 bytes and a text under numbers that Request does not have.
  EXPECT_TRUE(
      scan_request("\x80\x01\x05"
                   "\x81\x01"
                   "12345678"
                   "\x85\x01"
                   "1234"
                   "\x82\x01\x03"
                   "a\0\xff"s));
}

TEST(Scan, RefusesEveryCutOfAMessage) {
  auto pair = blank<ttrpc::KeyValue>();
  pair.key = lend("k");
  pair.value = lend("v");
  ttrpc::KeyValue* pairs[] = {&pair};
  auto request = blank<ttrpc::Request>();
  request.service = lend("service");
  request.timeout_nano = 300;
  request.n_metadata = 1;
  request.metadata = pairs;
  const std::string bytes = pack(request);
  int whole = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    // Between two fields it is a message, only a shorter one.
    whole += bool(scan_request(bytes.substr(0, size)));
  }
  EXPECT_EQ(whole, 3);  // nothing, the service, the timeout
  EXPECT_TRUE(scan_request(bytes));
}

TEST(Scan, RefusesVarintsWithoutEnd) {
  EXPECT_FALSE(scan_request("\x20" + std::string(10, '\xff') + "\x01"));
  EXPECT_FALSE(scan_request("\xff\xff\xff\xff\xff\x01"s));  // a field number above 2^29
}

TEST(Scan, SaysWhereInAMessageInAMessage) {
  EXPECT_EQ(scan_request("\x2a\x03\x12\x01\0"s).error().text, "field 5.2: a text with a NUL byte");
  EXPECT_EQ(scan_request("\x2a\x02\x12\x05"s).error().text, "field 5.2: malformed");
  EXPECT_EQ(scan_request("\x2a\x01\x80"s).error().text, "field 5: malformed");
}

}  // namespace
}  // namespace ocirt::wire
